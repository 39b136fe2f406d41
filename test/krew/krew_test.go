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

// Package krew has krew itself check the manifest of the plugin and install the plugin, without its index
// and without a network.
package krew

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

const root = "../.."

// world is a folder with krew on its path, and with the archives of a release on a local server.
type world struct {
	dir, archives, manifest string
	env                     []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{dir: dir, archives: filepath.Join(dir, "archives"), manifest: filepath.Join(dir, "carbon.yaml")}
	path := filepath.Join(dir, "path")
	check(t, os.Mkdir(path, 0o750))
	check(t, os.Mkdir(w.archives, 0o750))
	for tool, name := range map[string]string{"krew": "kubectl-krew", "validate-krew-manifest": "validate-krew-manifest"} {
		built, err := filepath.Abs(filepath.Join(root, "bin", tool))
		check(t, err)
		if _, err := os.Stat(built); err != nil {
			t.Skipf("SKIPPED: bin/%s is not built; `make test-unit` builds it and runs this", tool)
		}
		check(t, os.Symlink(built, filepath.Join(path, name)))
	}
	// As kubectl finds its plugins.
	script := "#!/bin/sh\nplugin=$1\nshift\nexec \"kubectl-$plugin\" \"$@\"\n"
	check(t, os.WriteFile(filepath.Join(path, "kubectl"), []byte(script), 0o700))
	w.env = append(os.Environ(), "KREW_ROOT="+filepath.Join(dir, "krew"), "KREW_NO_UPGRADE_CHECK=1",
		"PATH="+strings.Join([]string{path, filepath.Join(dir, "krew", "bin"), os.Getenv("PATH")}, string(os.PathListSeparator)))
	return w
}

// run runs a program of the world's path.
func (w *world) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", `exec "$@"`, "sh"}, args...)...)
	cmd.Env, cmd.Dir = w.env, w.dir
	output, err := cmd.CombinedOutput()
	return string(output), err
}

// release makes the archives, the one of this platform with the real plugin in it, and fills in the manifest.
func (w *world) release(t *testing.T) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, ".krew.yaml"))
	check(t, err)
	plugin := filepath.Join(w.dir, "kubectl-carbon")
	output, err := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", plugin, root+"/cmd/kubectl-carbon").CombinedOutput()
	if err != nil {
		t.Fatalf("building the plugin: %v: %s", err, output)
	}
	program, err := os.ReadFile(plugin)
	check(t, err)
	platforms := regexp.MustCompile(`kubectl-carbon_(\w+)\.tar\.gz`).FindAllStringSubmatch(string(source), -1)
	for _, p := range platforms {
		name, content := "kubectl-carbon", []byte("#!/bin/sh\n")
		if strings.HasPrefix(p[1], "windows") {
			name += ".exe"
		}
		if p[1] == runtime.GOOS+"_"+runtime.GOARCH {
			content = program
		}
		archive(t, filepath.Join(w.archives, p[0]), name, content)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(w.archives)))
	t.Cleanup(server.Close)
	cmd := exec.CommandContext(t.Context(), root+"/hack/krew-manifest.sh", "v1.2.3", w.archives)
	cmd.Env = append(os.Environ(), "RELEASES="+server.URL)
	manifest, err := cmd.Output()
	check(t, err)
	check(t, os.WriteFile(w.manifest, manifest, 0o600))
}

// archive writes an archive as the release does, of a program and the license.
func archive(t *testing.T, file, name string, program []byte) {
	t.Helper()
	out, err := os.Create(file)
	check(t, err)
	zip := gzip.NewWriter(out)
	tape := tar.NewWriter(zip)
	for _, f := range []struct {
		name    string
		mode    int64
		content []byte
	}{{name, 0o755, program}, {"LICENSE", 0o644, []byte("Apache License")}} {
		check(t, tape.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.content)), Format: tar.FormatUSTAR}))
		_, err := tape.Write(f.content)
		check(t, err)
	}
	check(t, tape.Close())
	check(t, zip.Close())
	check(t, out.Close())
}

// The program that the index of krew checks manifests with installs the plugin for every platform, from the
// addresses of the manifest.
func TestTheManifestIsFitForTheIndexOfKrew(t *testing.T) {
	w := newWorld(t)
	w.release(t)
	output, err := w.run(t, "validate-krew-manifest", "-manifest", w.manifest)
	if err != nil || !strings.Contains(output, "all 5 spec.platforms installed fine") {
		t.Errorf("%v:\n%s", err, output)
	}
}

// index makes an index of krew that has the plugin: a repository with the manifest in it.
func (w *world) index(t *testing.T) {
	t.Helper()
	repository := filepath.Join(w.dir, "index")
	check(t, os.MkdirAll(filepath.Join(repository, "plugins"), 0o750))
	manifest, err := os.ReadFile(w.manifest)
	check(t, err)
	check(t, os.WriteFile(filepath.Join(repository, "plugins", "carbon.yaml"), manifest, 0o600))
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"},
		{"add", "."},
		{"-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "--no-gpg-sign", "--message=carbon"},
	} {
		if output, err := w.run(t, append([]string{"git", "-C", repository}, args...)...); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, output)
		}
	}
	w.env = append(w.env, "KREW_DEFAULT_INDEX_URI="+repository)
}

// From an index, and from the files of a release.
func TestKrewInstallsThePlugin(t *testing.T) {
	w := newWorld(t)
	w.release(t)
	w.index(t)
	local := filepath.Join(w.archives, fmt.Sprintf("kubectl-carbon_%s_%s.tar.gz", runtime.GOOS, runtime.GOARCH))
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"kubectl", "krew", "update"}, ""},
		{[]string{"kubectl", "krew", "search", "carbon"}, "Report, plan and explain carbon-aware jobs"},
		{[]string{"kubectl", "krew", "install", "carbon"}, "plan and replay also work on tables of intensities"},
		{[]string{"kubectl", "krew", "list"}, "carbon"},
		{[]string{"kubectl", "carbon", "version"}, runtime.Version()},
		{[]string{"kubectl", "carbon", "report", "--help"}, "kubectl carbon report -A --since 30d"},
		{[]string{"kubectl", "krew", "uninstall", "carbon"}, "Uninstalled plugin: carbon"},
		{[]string{"kubectl", "krew", "install", "--manifest=" + w.manifest, "--archive=" + local}, "Installed plugin: carbon"},
		{[]string{"kubectl", "krew", "uninstall", "carbon"}, "Uninstalled plugin: carbon"},
	} {
		output, err := w.run(t, step.args...)
		if err != nil || !strings.Contains(output, step.want) {
			t.Fatalf("%s: %v: it does not say %q:\n%s", strings.Join(step.args, " "), err, step.want, output)
		}
	}
	if output, err := w.run(t, "kubectl", "carbon", "version"); err == nil {
		t.Errorf("it is still there after it was uninstalled: %s", output)
	}
	check(t, os.WriteFile(local, []byte("another archive"), 0o600))
	if output, err := w.run(t, "kubectl", "krew", "install", "--manifest="+w.manifest, "--archive="+local); err == nil || !strings.Contains(output, "checksum does not match") {
		t.Errorf("an archive that is not that of the manifest: %v:\n%s", err, output)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
