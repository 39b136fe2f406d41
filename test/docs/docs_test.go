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

// Package docs checks that the documentation and the samples are true: every manifest in them is
// one that the API server takes, every link leads somewhere, and every reason is explained.
package docs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/crdvalidate"
)

const root = "../.."

var (
	yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")
	link      = regexp.MustCompile(`\]\(([^)#:]*)(#[^)]*)?\)`)
	reasonRow = regexp.MustCompile("(?m)^\\| ((?:`\\w+`(?:, )?)+) \\|")
	reason    = regexp.MustCompile(`(?m)^\s+(?:Reason\w+|\w+ Reason|\w+ DowngradeReason) = "(\w+)"`)
)

func TestEveryManifestIsValid(t *testing.T) {
	crds := map[string]*crdvalidate.Validator{}
	for kind, file := range map[string]string{"CarbonAwareJob": "carbonawarejobs", "CarbonBudget": "carbonbudgets", "GridRegion": "gridregions"} {
		v, err := crdvalidate.Load(t.Context(), filepath.Join(root, "config/crd/bases", "carbon.ecotracker.dev_"+file+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		crds[kind] = v
	}
	seen := map[string]int{}
	for name, manifests := range manifests(t) {
		for _, object := range split(t, name, manifests) {
			if object.GroupVersionKind().Group != carbonv1alpha1.GroupVersion.Group {
				continue
			}
			seen[object.GetKind()]++
			strict(t, name, object)
			validator := crds[object.GetKind()]
			if validator == nil {
				t.Errorf("%s: there is no kind %s", name, object.GetKind())
				continue
			}
			if errs := validator.Create(t.Context(), object); len(errs) > 0 {
				t.Errorf("%s: %s %s: %v", name, object.GetKind(), object.GetName(), errs.ToAggregate())
			}
		}
	}
	for kind := range crds {
		if seen[kind] < 3 {
			t.Errorf("only %d manifests of kind %s were found", seen[kind], kind)
		}
	}
}

// strict fails for fields that the Go types do not know, those of the pod template included.
func strict(t *testing.T, name string, object *unstructured.Unstructured) {
	t.Helper()
	data, err := yaml.Marshal(object.Object)
	if err != nil {
		t.Fatal(err)
	}
	var into any = &carbonv1alpha1.CarbonAwareJob{}
	switch object.GetKind() {
	case "CarbonBudget":
		into = &carbonv1alpha1.CarbonBudget{}
	case "GridRegion":
		into = &carbonv1alpha1.GridRegion{}
	}
	if err := yaml.UnmarshalStrict(data, into); err != nil {
		t.Errorf("%s: %s: %v", name, object.GetName(), err)
	}
}

// A region of a sample or a document falls back on a mean of a year that is known.
func TestEveryAnnualMeanIsKnown(t *testing.T) {
	count := 0
	for name, texts := range manifests(t) {
		for _, object := range split(t, name, texts) {
			zone, has, err := unstructured.NestedString(object.Object, "spec", "annualMean")
			if !has && err == nil {
				continue
			}
			count++
			if _, err := forecast.MeanOfYear(zone); err != nil {
				t.Errorf("%s: %s: %v", name, object.GetName(), err)
			}
		}
	}
	if count < 10 {
		t.Errorf("only %d regions with an annual mean were found", count)
	}
}

// Every link inside the repository leads to a file, and its anchor to a heading.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	anchors := 0
	for _, name := range find(t, ".md") {
		for _, match := range link.FindAllStringSubmatch(fenced.ReplaceAllString(read(t, name), ""), -1) {
			target := name
			if match[1] != "" {
				target = filepath.Join(filepath.Dir(name), match[1])
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", name, match[1], err)
				continue
			}
			if anchor := strings.TrimPrefix(match[2], "#"); anchor != "" && strings.HasSuffix(target, ".md") {
				anchors++
				if !hasHeading(read(t, target), anchor) {
					t.Errorf("%s links to %s#%s: there is no such heading", name, match[1], anchor)
				}
			}
		}
	}
	if anchors < 10 {
		t.Errorf("only %d anchors were found", anchors)
	}
}

// hasHeading says whether a document has a heading of that anchor, as GitHub makes anchors: lower case,
// hyphens for spaces, and nothing but letters, digits, hyphens and underscores.
func hasHeading(text, anchor string) bool {
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		made := strings.ReplaceAll(strings.ToLower(heading[1]), " ", "-")
		if regexp.MustCompile(`[^\p{L}\p{N}_-]`).ReplaceAllString(made, "") == anchor {
			return true
		}
	}
	return false
}

func TestEveryReasonIsExplained(t *testing.T) {
	guide := read(t, filepath.Join(root, "docs/operations.md"))
	there := map[string]bool{}
	for _, dir := range []string{"api/v1alpha1", "internal/policy"} {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			for _, match := range reason.FindAllStringSubmatch(read(t, file), -1) {
				there[match[1]] = true
				if !strings.Contains(guide, "`"+match[1]+"`") {
					t.Errorf("docs/operations.md does not explain the reason %s", match[1])
				}
			}
		}
	}
	explained := 0
	for _, row := range reasonRow.FindAllStringSubmatch(guide, -1) {
		for _, word := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(row[1], -1) {
			if explained++; !there[word[1]] {
				t.Errorf("docs/operations.md explains the reason %s, which there is not", word[1])
			}
		}
	}
	if len(there) < 30 || explained < len(there) {
		t.Errorf("only %d reasons, and %d explanations, were found: are the patterns still right?", len(there), explained)
	}
}

// manifests are the YAML texts of the samples, the demo and the documents, by where they stand.
func manifests(t *testing.T) map[string][]string {
	t.Helper()
	texts := map[string][]string{}
	for _, pattern := range []string{"config/samples/*.yaml", "config/samples/cloud/*.yaml", "hack/demo/*.yaml"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			texts[file] = []string{read(t, file)}
		}
	}
	for _, file := range find(t, ".md") {
		for _, block := range yamlBlock.FindAllStringSubmatch(read(t, file), -1) {
			texts[file] = append(texts[file], block[1])
		}
	}
	return texts
}

// split parses the documents of YAML texts; those without a kind are excerpts.
func split(t *testing.T, name string, texts []string) []*unstructured.Unstructured {
	t.Helper()
	var objects []*unstructured.Unstructured
	for _, text := range texts {
		decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewBufferString(text), len(text)+1)
		for {
			object := &unstructured.Unstructured{}
			err := decoder.Decode(&object.Object)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if object.Object["kind"] != nil {
				objects = append(objects, object)
			}
		}
	}
	return objects
}

// find lists the documents that people read.
func find(t *testing.T, suffix string) []string {
	t.Helper()
	var files []string
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "hack/controlplane/README.md"} {
		files = append(files, filepath.Join(root, name))
	}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, suffix) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
