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
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// options are the command line.
type options struct {
	binDir, dataDir, kubeconfig string
	with, nodes                 string
	regions                     list
	images                      list
	apiserverArgs               list
	kcmArgs, schedulerArgs      list
	fsync, quiet                bool
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

// Set adds a value.
func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

func parseOptions(name string, args []string) (*options, []string, error) {
	o := &options{}
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(os.Stderr, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&o.binDir, "bin-dir", os.Getenv("CONTROLPLANE_BIN_DIR"), "where the binaries are kept (default: bin/controlplane of the repository)")
	flags.StringVar(&o.dataDir, "data-dir", "", "where etcd, certificates and logs go (default: a temporary folder, removed at the end)")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "also write the admin kubeconfig here")
	flags.StringVar(&o.with, "with", "", "binaries only: nodes for those of real nodes too")
	flags.StringVar(&o.nodes, "nodes", "kwok", "kwok (simulated), real (Linux, root) or none")
	flags.Var(&o.regions, "region", "region of the nodes, may be repeated (default: uksouth and germanywestcentral)")
	flags.Var(&o.images, "image", "real nodes only: NAME=FILE, a static binary to import as an image, may be repeated")
	flags.Var(&o.apiserverArgs, "apiserver-arg", "further flag=value for kube-apiserver, may be repeated")
	flags.Var(&o.kcmArgs, "kcm-arg", "further flag=value for kube-controller-manager, may be repeated")
	flags.Var(&o.schedulerArgs, "scheduler-arg", "further flag=value for kube-scheduler, may be repeated")
	flags.BoolVar(&o.fsync, "etcd-fsync", false, "let etcd sync to disk, as in production; slower")
	flags.BoolVar(&o.quiet, "quiet", false, "no progress")
	if err := flags.Parse(args); err != nil {
		return nil, nil, fmt.Errorf("reading the flags: %w", err)
	}
	switch o.nodes {
	case "kwok", "real", "none":
	default:
		return nil, nil, fmt.Errorf("--nodes=%s: it must be kwok, real or none", o.nodes)
	}
	if len(o.regions) == 0 {
		o.regions = list{"uksouth", "germanywestcentral"}
	}
	return o, flags.Args(), o.findBinDir()
}

// findBinDir looks for the repository from the working folder upwards.
func (o *options) findBinDir() error {
	if o.binDir != "" {
		abs, err := filepath.Abs(o.binDir)
		o.binDir = abs
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("finding the working folder: %w", err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "hack", "controlplane", "build")); err == nil {
			o.binDir = filepath.Join(dir, "bin", "controlplane")
			return nil
		}
	}
	return errors.New("not inside the repository: run it there, or give --bin-dir and CONTROLPLANE_SOURCE")
}

// sourceDir is hack/controlplane/build of the repository, where the pinned modules are.
func (o *options) sourceDir() string {
	if dir := os.Getenv("CONTROLPLANE_SOURCE"); dir != "" {
		return dir
	}
	return filepath.Join(filepath.Dir(filepath.Dir(o.binDir)), "hack", "controlplane", "build")
}
