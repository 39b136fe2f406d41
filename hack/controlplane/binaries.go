/*
Copyright 2026 The EcoTracker Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Versions of what is provided.
const (
	kubernetesVersion = "v1.37.2"
	etcdVersion       = "v3.6.16"
	kwokVersion       = "v0.8.0"
	containerdVersion = "v2.4.2"
)

// binary is a program with the pinned module that it is compiled from and where its release is.
type binary struct {
	name, module, pkg, tags string
	release                 release
	nodes                   bool
}

var binaries = []binary{
	{name: "etcd", module: "etcd", pkg: "go.etcd.io/etcd/server/v3", release: etcdRelease},
	kubernetesBinary("kube-apiserver"),
	kubernetesBinary("kubectl"),
	kubernetesBinary("kube-controller-manager"),
	kubernetesBinary("kube-scheduler"),
	{name: "kwok", module: "kwok", pkg: "sigs.k8s.io/kwok/cmd/kwok", release: kwokRelease},
	{name: "kubelet", module: "kubernetes", pkg: "k8s.io/kubernetes/cmd/kubelet", release: kubernetesRelease("kubelet"), nodes: true},
	containerdBinary("containerd"),
	containerdBinary("containerd-shim-runc-v2"),
	containerdBinary("ctr"),
}

func kubernetesBinary(name string) binary {
	return binary{name: name, module: "kubernetes", pkg: "k8s.io/kubernetes/cmd/" + name, release: kubernetesRelease(name)}
}

func containerdBinary(name string) binary {
	return binary{
		name: name, module: "containerd", pkg: "github.com/containerd/containerd/v2/cmd/" + name,
		tags: "no_btrfs,no_zfs,no_aufs", nodes: true,
	}
}

// wanted are the binaries of a control plane, with or without those of real nodes.
func wanted(nodes bool) []binary {
	var out []binary
	for _, b := range binaries {
		if !b.nodes || nodes {
			out = append(out, b)
		}
	}
	return out
}

// versionsDir names the folder of one set of versions: other versions get another folder.
func (o *options) versionsDir() string {
	return filepath.Join(o.binDir, "k8s-"+kubernetesVersion+"-etcd-"+etcdVersion+"-kwok-"+kwokVersion+"-containerd-"+containerdVersion)
}

// ensureBinaries makes the binaries available and returns their folder: what is there already is
// taken as it is, the rest is taken from KUBEBUILDER_ASSETS, else downloaded, else compiled. Two
// invocations at the same time do the work once.
func ensureBinaries(ctx context.Context, o *options, want []binary) (string, error) {
	dir := o.versionsDir()
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // programs are for everybody
		return "", fmt.Errorf("making the folder of the binaries: %w", err)
	}
	if len(missing(dir, want)) == 0 {
		return dir, nil
	}
	p := &progress{quiet: o.quiet}
	unlock, err := lock(ctx, filepath.Join(dir, ".lock"), p)
	if err != nil {
		return "", err
	}
	defer unlock()
	copyAssets(ctx, os.Getenv("KUBEBUILDER_ASSETS"), dir, missing(dir, want))
	lacking := missing(dir, want)
	online := len(lacking) > 0 && os.Getenv("CONTROLPLANE_OFFLINE") == "" && reachable(ctx)
	for i, b := range lacking {
		step := fmt.Sprintf("%d of %d: %s", i+1, len(lacking), b.name)
		if online && b.release.url != nil {
			if err := p.during(ctx, "downloading "+step, func() error { return b.download(ctx, dir) }); err == nil {
				continue
			} else if ctx.Err() != nil {
				return "", ctx.Err()
			}
		}
		if err := p.during(ctx, "compiling "+step, func() error { return b.compile(ctx, o.sourceDir(), dir) }); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func missing(dir string, want []binary) []binary {
	var out []binary
	for _, b := range want {
		if _, err := os.Stat(filepath.Join(dir, b.name)); errors.Is(err, fs.ErrNotExist) {
			out = append(out, b)
		}
	}
	return out
}
