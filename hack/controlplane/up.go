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
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// up runs a control plane until the context ends or, with a command, until the command does.
func up(ctx context.Context, o *options, command []string) error {
	bin, err := ensureBinaries(ctx, o, wanted(o.nodes == "real"))
	if err != nil {
		return err
	}
	begin := time.Now()
	c, err := startCluster(ctx, o, bin)
	if err != nil {
		return err
	}
	defer func() {
		c.progress.say("stopping")
		c.stop(ctx)
	}()
	c.progress.say("Kubernetes %s is up after %s: KUBECONFIG=%s", kubernetesVersion, time.Since(begin).Round(100*time.Millisecond), c.config)
	if command == nil {
		select {
		case p := <-c.died:
			return p.failure()
		case <-ctx.Done():
			return nil
		}
	}
	return c.around(ctx, command)
}

// around runs the command, and ends it when a component dies or the context ends.
func (c *cluster) around(ctx context.Context, command []string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	program := command[0]
	if ours := filepath.Join(c.bin, program); filepath.Base(program) == program {
		if _, err := os.Stat(ours); err == nil {
			program = ours // our kubectl, whether the machine has one or not
		}
	}
	cmd := exec.CommandContext(ctx, program, command[1:]...) //nolint:gosec // the caller's command
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), c.environment()...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopGrace
	finished := make(chan struct{})
	go func() {
		select {
		case p := <-c.died:
			cancel(p.failure())
		case <-finished:
		}
	}()
	err := cmd.Run()
	close(finished)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func (c *cluster) environment() []string {
	return []string{
		"KUBECONFIG=" + c.config,
		"KUBEBUILDER_ASSETS=" + c.bin,
		"PATH=" + strings.Join([]string{c.bin, os.Getenv("PATH")}, string(filepath.ListSeparator)),
		"CONTROLPLANE_NODES=" + c.options.nodes,
		"CONTROLPLANE_REGIONS=" + strings.Join(c.options.regions, ","),
		"CONTROLPLANE_DATA_DIR=" + c.data,
		fmt.Sprintf("CONTROLPLANE_PID=%d", os.Getpid()),
	}
}

// startNodes adds nodes of the kind that was asked for.
func (c *cluster) startNodes(ctx context.Context) error {
	switch c.options.nodes {
	case "kwok":
		return c.startKwok(ctx)
	case "real":
		return c.startRealNodes(ctx)
	default:
		return nil
	}
}
