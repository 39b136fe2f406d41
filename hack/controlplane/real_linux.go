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
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// realNode is a kubelet with a containerd of its own: own folders, sockets, ports, bridge, subnet
// and cgroup, so that several live side by side on one machine.
type realNode struct {
	name, region, dir    string
	bridge, prefix       string // prefix: the first three numbers of its /24
	cgroup               string
	containerd, kubelet  *process
	kubeletPort, healthz int
}

func (n *realNode) address() string { return n.prefix + ".1" }
func (n *realNode) socket() string  { return filepath.Join(n.dir, "containerd.sock") }

// nodeTools are the programs that real nodes need from the system, with their Debian packages.
var nodeTools = map[string]string{"runc": "runc", "ip": "iproute2"}

const cniPackage = "containernetworking-plugins"

var cniFolders = []string{"/usr/lib/cni", "/opt/cni/bin"}

// startRealNodes starts one node a region and waits until all are ready.
func (c *cluster) startRealNodes(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("--nodes=real needs root; --nodes=kwok does not")
	}
	if err := c.installNodeTools(ctx); err != nil {
		return err
	}
	images, err := c.buildImages(ctx)
	if err != nil {
		return err
	}
	var nodes []*realNode
	c.stopNodes = func(ctx context.Context) { c.stopRealNodes(ctx, nodes) }
	for i, region := range c.options.regions {
		n := &realNode{
			name: "real-" + region, region: region, dir: filepath.Join(c.data, fmt.Sprintf("node-%d", i)),
			bridge: fmt.Sprintf("cp%x-%d", os.Getpid(), i), cgroup: fmt.Sprintf("controlplane-%d-%d", os.Getpid(), i),
		}
		nodes = append(nodes, n)
		if err := c.startRealNode(ctx, n, images); err != nil {
			return fmt.Errorf("node %s: %w", n.name, err)
		}
	}
	return c.poll(ctx, "the real nodes are ready", func(ctx context.Context) error {
		for _, n := range nodes {
			if err := c.kubectl(ctx, "", "wait", "--for=condition=Ready", "node/"+n.name, "--timeout=1s"); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *cluster) startRealNode(ctx context.Context, n *realNode, images []string) error {
	if err := os.MkdirAll(n.dir, 0o755); err != nil { //nolint:gosec // pods of any user look into it
		return fmt.Errorf("making its folder: %w", err)
	}
	if err := makeCgroup(n.cgroup); err != nil {
		return err
	}
	if err := addBridge(ctx, n); err != nil {
		return err
	}
	if err := c.startContainerd(ctx, n, images); err != nil {
		return err
	}
	return c.startKubelet(n)
}

// installNodeTools installs what is missing where apt can do it, and else says what to install.
func (c *cluster) installNodeTools(ctx context.Context) error {
	var packages []string
	for program, pkg := range nodeTools {
		if _, err := exec.LookPath(program); err != nil {
			packages = append(packages, pkg)
		}
	}
	if _, err := cniFolder(); err != nil {
		packages = append(packages, cniPackage)
	}
	if len(packages) == 0 {
		return nil
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil {
		return fmt.Errorf("real nodes need %s: install them first", strings.Join(packages, ", "))
	}
	return c.progress.during(ctx, "installing "+strings.Join(packages, ", "), func() error {
		for _, args := range [][]string{{"update", "-qq"}, append([]string{"install", "-yqq", "--no-install-recommends"}, packages...)} {
			cmd := exec.CommandContext(ctx, apt, args...) //nolint:gosec // our own constants
			cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
			if output, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("apt-get %s: %w: %s", args[0], err, tail(string(output), 5))
			}
		}
		return nil
	})
}

func cniFolder() (string, error) {
	for _, dir := range cniFolders {
		if _, err := os.Stat(filepath.Join(dir, "bridge")); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("no CNI plugins in %s", strings.Join(cniFolders, " or "))
}

// stopRealNodes ends the pods while the kubelets can still clean up after them, then the nodes, and
// removes what is left of them.
func (c *cluster) stopRealNodes(ctx context.Context, nodes []*realNode) {
	for _, p := range c.components {
		if p.name == "kube-controller-manager" {
			p.stop() // else it would replace the pods
		}
	}
	if err := c.kubectl(ctx, "", "delete", "pods", "--all", "--all-namespaces", "--grace-period=1", "--wait=false"); err != nil {
		c.progress.say("deleting the pods: %v", err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for _, n := range nodes {
		for n.containerd != nil && time.Now().Before(deadline) && c.hasTasks(ctx, n) {
			time.Sleep(200 * time.Millisecond)
		}
	}
	for _, n := range nodes {
		n.kubelet.stop()
		n.containerd.stop()
		killShims(n.socket())
		if err := errors.Join(unmountBelow(n.dir), removeLogLinks(n.dir), deleteBridge(ctx, n), removeCgroup(n.cgroup)); err != nil {
			c.progress.say("cleaning up after node %s: %v", n.name, err)
		}
	}
}

func (c *cluster) hasTasks(ctx context.Context, n *realNode) bool {
	output, err := c.ctr(ctx, n, "tasks", "ls", "-q")
	return err == nil && strings.TrimSpace(output) != ""
}

// ctr runs containerd's own client and returns what it prints on standard output.
func (c *cluster) ctr(ctx context.Context, n *realNode, args ...string) (string, error) {
	all := append([]string{"--address=" + n.socket(), "--namespace=k8s.io"}, args...)
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, "ctr"), all...) //nolint:gosec // our own program
	var problem strings.Builder
	cmd.Stderr = &problem
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("ctr %s: %w: %s", strings.Join(args, " "), err, tail(problem.String(), 5))
	}
	return string(output), nil
}
