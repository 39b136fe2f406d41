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
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Two control planes side by side, both ended by Ctrl-C: neither may see the other, nothing may be
// left. It needs the binaries, so `make test-envtest` runs it.
func TestSideBySideUntilInterrupted(t *testing.T) {
	tool, err := filepath.Abs(os.Getenv("CONTROLPLANE_TOOL"))
	if os.Getenv("CONTROLPLANE_TOOL") == "" || err != nil {
		t.Skip("SKIPPED: it needs CONTROLPLANE_TOOL; `make test-envtest` sets it")
	}
	type instance struct {
		cmd    *exec.Cmd
		config string
	}
	temporary := t.TempDir()
	var instances []instance
	for range 2 {
		config := filepath.Join(t.TempDir(), "kubeconfig")
		cmd := exec.Command(tool, "up", "--nodes=none", "--quiet", "--kubeconfig="+config) //nolint:noctx // it is interrupted below
		cmd.Env = append(os.Environ(), "TMPDIR="+temporary)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended, if all is well
		instances = append(instances, instance{cmd, config})
	}
	kubectl := func(config string, args ...string) (string, error) {
		output, err := exec.CommandContext(t.Context(), "kubectl", append([]string{"--kubeconfig=" + config}, args...)...).CombinedOutput()
		return string(output), err
	}
	for _, i := range instances {
		eventually(t, func() error { _, err := os.Stat(i.config); return err })
	}
	if output, err := kubectl(instances[0].config, "create", "namespace", "only-in-the-first"); err != nil {
		t.Fatal(output)
	}
	if output, err := kubectl(instances[1].config, "get", "namespace", "only-in-the-first"); err == nil || !strings.Contains(output, "NotFound") {
		t.Errorf("the second one sees a namespace of the first: %s", output)
	}
	for _, i := range instances {
		if err := i.cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if err := i.cmd.Wait(); err != nil {
			t.Errorf("after an interrupt: %v", err)
		}
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v %v", left, err)
	}
	if left := processesWith(t, temporary); len(left) > 0 {
		t.Errorf("processes are left: %q", left)
	}
}

// eventually tries until it succeeds or the test's time is up.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	for err := try(); err != nil; err = try() {
		select {
		case <-t.Context().Done():
			t.Fatal(err)
		case <-time.After(50 * time.Millisecond):
		}
		if deadline, ok := t.Deadline(); ok && time.Until(deadline) < time.Minute {
			t.Fatal(err)
		}
	}
}

// processesWith are the command lines with the text in them.
func processesWith(t *testing.T, text string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
		if strings.Contains(string(line), text) {
			found = append(found, string(line))
		}
	}
	return found
}
