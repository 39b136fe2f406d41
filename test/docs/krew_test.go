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
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"sigs.k8s.io/yaml"
)

// TestTheKrewManifestIsThatOfTheRelease fills in the manifest as krew-release-bot does, and compares its
// archives with those that the release builds.
func TestTheKrewManifestIsThatOfTheRelease(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(root, ".krew.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	tag := struct{ TagName string }{"v1.2.3"}
	filled := template.Must(template.New("krew").Funcs(template.FuncMap{
		"addURIAndSha": func(uri, tag string) string {
			return "uri: " + strings.ReplaceAll(uri, "{{ .TagName }}", tag) + "\n    sha256: " + strings.Repeat("a", 64)
		},
	}).Parse(string(source)))
	var text bytes.Buffer
	if err := filled.Execute(&text, tag); err != nil {
		t.Fatal(err)
	}
	var plugin struct {
		APIVersion, Kind string
		Metadata         struct{ Name string }
		Spec             struct {
			Version, ShortDescription, Description, Homepage, Caveats string
			Platforms                                                 []struct {
				Selector         struct{ MatchLabels struct{ OS, Arch string } }
				URI, SHA256, Bin string
			}
		}
	}
	if err := yaml.UnmarshalStrict(text.Bytes(), &plugin); err != nil {
		t.Fatal(err)
	}
	if plugin.APIVersion != "krew.googlecontainertools.github.com/v1alpha2" || plugin.Kind != "Plugin" || plugin.Metadata.Name != "carbon" ||
		plugin.Spec.Version != "v1.2.3" || len(plugin.Spec.ShortDescription) > 50 || plugin.Spec.Description == "" {
		t.Errorf("got %+v", plugin)
	}
	script, err := os.ReadFile(filepath.Join(root, "hack/release.sh"))
	if err != nil {
		t.Fatal(err)
	}
	built := regexp.MustCompile(`for platform in ([^;]+);`).FindSubmatch(script)
	if built == nil {
		t.Fatal("hack/release.sh does not say for which platforms it builds the plugin")
	}
	var platforms []string
	for _, p := range plugin.Spec.Platforms {
		platform := p.Selector.MatchLabels.OS + "/" + p.Selector.MatchLabels.Arch
		platforms = append(platforms, platform)
		if want := "/v1.2.3/kubectl-carbon_" + strings.ReplaceAll(platform, "/", "_") + ".tar.gz"; !strings.HasSuffix(p.URI, want) {
			t.Errorf("%s: the address %s does not end in %s", platform, p.URI, want)
		}
		if want := "kubectl-carbon"; strings.TrimSuffix(p.Bin, ".exe") != want || strings.HasSuffix(p.Bin, ".exe") != strings.HasPrefix(platform, "windows") {
			t.Errorf("%s: the program is %s", platform, p.Bin)
		}
	}
	if want := strings.Fields(string(built[1])); !slices.Equal(platforms, want) {
		t.Errorf("the manifest has %v, the release builds %v", platforms, want)
	}
}
