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
)

// compile builds the binary from its pinned module. It is written next to its place and moved
// there when it is whole.
func (b binary) compile(ctx context.Context, source, dir string) error {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return fmt.Errorf("compiling %s needs Go on the PATH: %w", b.name, err)
	}
	scratch, err := os.MkdirTemp(dir, ".build-")
	if err != nil {
		return fmt.Errorf("making a folder to compile in: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }() // Go leaves its own behind when it is interrupted
	temporary := filepath.Join(scratch, b.name)
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", ldflags(), "-o", temporary}
	if b.tags != "" {
		args = append(args, "-tags", b.tags)
	}
	cmd := exec.CommandContext(ctx, goTool, append(args, b.pkg)...)       //nolint:gosec // our own constants
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that its compilers end too
	cmd.WaitDelay = stopGrace
	cmd.Dir = filepath.Join(source, b.module)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOTMPDIR="+scratch)
	if output, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("compiling %s in %s: %w\n%s", b.name, cmd.Dir, err, tail(string(output), 20))
	}
	if err := os.Rename(temporary, filepath.Join(dir, b.name)); err != nil {
		return fmt.Errorf("putting %s in its place: %w", b.name, err)
	}
	return nil
}

// ldflags leaves debugging tables out and stamps the version as Kubernetes' own build does, so that
// server and kubectl know which version they are.
func ldflags() string {
	numbers := strings.Split(strings.TrimPrefix(kubernetesVersion, "v"), ".")
	flags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags = append(flags,
			"-X", pkg+".gitVersion="+kubernetesVersion,
			"-X", pkg+".gitMajor="+numbers[0], "-X", pkg+".gitMinor="+numbers[1],
			"-X", pkg+".gitTreeState=clean")
	}
	return strings.Join(flags, " ")
}

// tail is the end of a text, for error messages.
func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
