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

package docs

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestTheCommandsOfTheDocuments runs the blocks marked <!-- tested: docs -->: those of the quick start
// first, which install the kinds and start the manager, then the others in that world.
func TestTheCommandsOfTheDocuments(t *testing.T) {
	if os.Getenv("KUBECONFIG") == "" || os.Getenv("CONTROLPLANE_NODES") == "" {
		t.Skip("SKIPPED: no cluster of its own; make test-docs brings one up and runs the commands of the documents")
	}
	work := workFolder(t)
	var first, others []commandBlock
	for _, block := range commandBlocks(t) {
		if block.marker != "tested" || block.about != "docs" {
			continue
		}
		if strings.HasSuffix(block.file, "quickstart.md") {
			first = append(first, block)
		} else {
			others = append(others, block)
		}
	}
	if len(first) < 3 || len(others) < 8 {
		t.Fatalf("only %d blocks of the quick start and %d others were found", len(first), len(others))
	}
	for _, block := range append(first, others...) {
		t.Logf("%s:\n%s", block.file, block.text)
		output, err := shell(t, work, block.text)
		t.Log(output)
		if err != nil {
			log, _ := os.ReadFile(filepath.Join(work, "manager.log"))
			t.Fatalf("%s: %v; the manager's log:\n%s", block.file, err, log)
		}
	}
}

// workFolder looks like the root of the repository, so that what the commands write stays out of it.
// It has the files that the documents speak of: a table of intensities, and a history of two regions.
func workFolder(t *testing.T) string {
	t.Helper()
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	entries, err := os.ReadDir(repository)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if err := os.Symlink(filepath.Join(repository, entry.Name()), filepath.Join(work, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
	february := strings.NewReplacer("2026-06-01", "2026-02-14", "2026-06-02", "2026-02-15", "2026-06-03", "2026-02-16")
	for file, from := range map[string]string{"gb.csv": "hack/demo/gb.csv", "de.csv": "hack/demo/de.csv", "trace.csv": "hack/demo/gb.csv"} {
		if err := os.WriteFile(filepath.Join(work, file), []byte(february.Replace(read(t, filepath.Join(root, from)))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return work
}

// shell runs commands as a person would type them in one shell; those in the background go on until the
// test ends.
func shell(t *testing.T, dir, commands string) (string, error) {
	t.Helper()
	output, err := os.CreateTemp(t.TempDir(), "output")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "bash", "-euo", "pipefail", "-c", commands)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = cmd.Run()
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }) // nobody left is no error
	if _, seekErr := output.Seek(0, io.SeekStart); seekErr != nil {
		t.Fatal(seekErr)
	}
	text, readErr := io.ReadAll(output)
	if readErr != nil {
		t.Fatal(readErr)
	}
	return string(text), err
}
