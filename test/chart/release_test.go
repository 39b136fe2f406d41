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

package chart

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// An image by its tag is one that nobody has published, or that somebody may exchange.
func TestAReleaseInstallsItsImages(t *testing.T) {
	manager := "registry.example.org/operator/manager@sha256:" + strings.Repeat("a", 64)
	meter := "registry.example.org/operator/meter@sha256:" + strings.Repeat("b", 64)
	run(t, "kustomize", "version") // skips where the tools are not built
	run(t, "helm", "version")
	out := t.TempDir()
	c := exec.CommandContext(t.Context(), "hack/release-manifests.sh", "v1.2.3", manager, meter, out)
	c.Dir = root
	if output, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	file, err := os.ReadFile(filepath.Join(out, "install.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	rendered := run(t, "helm", "template", "ecotracker", filepath.Join(out, "ecotracker-operator"), "--namespace", "ecotracker-system")
	for name, text := range map[string]string{"install.yaml": string(file), "the chart": string(rendered)} {
		for _, want := range []string{"image: " + manager + "\n", "--meter-image=" + meter + "\n"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not have %q", name, want)
			}
		}
		if strings.Contains(text, "image: ecotracker") || strings.Contains(text, "ecotracker-meter") {
			t.Errorf("%s names an image that no registry has", name)
		}
	}
	if !strings.Contains(string(rendered), "helm.sh/chart: ecotracker-operator-1.2.3\n") {
		t.Error("the chart is not of the release's version")
	}
}
