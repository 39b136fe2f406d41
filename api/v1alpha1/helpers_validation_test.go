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

// These tests hold the rules of the generated CRDs against manifests, in process.
package v1alpha1_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/crdvalidate"
)

const (
	carbonAwareJobCRD = "../../config/crd/bases/carbon.ecotracker.dev_carbonawarejobs.yaml"
	carbonBudgetCRD   = "../../config/crd/bases/carbon.ecotracker.dev_carbonbudgets.yaml"
	gridRegionCRD     = "../../config/crd/bases/carbon.ecotracker.dev_gridregions.yaml"
)

// invalid is a manifest that must be refused: a valid one with a change merged into it.
type invalid struct {
	name   string
	change string // YAML; null removes a field
	field  string // the path that the error must name
	phrase string // what the error must say, so that one knows what would be right
}

// expectRefused runs one subtest for every row.
func expectRefused(t *testing.T, crd, valid string, rows []invalid) {
	t.Helper()
	v := loadCRD(t, crd)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			expectError(t, v.Create(t.Context(), changed(t, valid, row.change)), row.field, row.phrase)
		})
	}
}

// expectError fails unless an error names the field and says the phrase.
func expectError(t *testing.T, errs field.ErrorList, path, phrase string) {
	t.Helper()
	for _, err := range errs {
		if err.Field == path && strings.Contains(err.Error(), phrase) {
			return
		}
	}
	t.Errorf("got %v\nwant an error at %s that says %q", errs.ToAggregate(), path, phrase)
}

func expectAccepted(t *testing.T, errs field.ErrorList) {
	t.Helper()
	if len(errs) > 0 {
		t.Errorf("refused: %v", errs.ToAggregate())
	}
}

func expectSame(t *testing.T, got, want *unstructured.Unstructured) {
	t.Helper()
	if diff := cmp.Diff(want.Object, got.Object); diff != "" {
		t.Errorf("not as expected (-want +got):\n%s", diff)
	}
}

func loadCRD(t *testing.T, path string) *crdvalidate.Validator {
	t.Helper()
	v, err := crdvalidate.Load(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// created returns the manifest as the API server stores it.
func created(t *testing.T, crd, manifest string) *unstructured.Unstructured {
	t.Helper()
	obj := changed(t, manifest, "")
	expectAccepted(t, loadCRD(t, crd).Create(t.Context(), obj))
	return obj
}

// changed returns the manifest with a change merged into it.
func changed(tb testing.TB, manifest, change string) *unstructured.Unstructured {
	tb.Helper()
	return &unstructured.Unstructured{Object: merge(parse(tb, manifest), parse(tb, change))}
}

// parse reads YAML as the API server would read it: numbers are int64 or float64.
func parse(tb testing.TB, text string) map[string]any {
	tb.Helper()
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		tb.Fatalf("%v in\n%s", err, text)
	}
	if string(raw) == "null" {
		return map[string]any{}
	}
	var obj unstructured.Unstructured
	if err := obj.UnmarshalJSON([]byte(`{"kind":"x","object":` + string(raw) + "}")); err != nil {
		tb.Fatal(err)
	}
	return obj.Object["object"].(map[string]any)
}

// merge returns base with a JSON merge patch (RFC 7386) applied.
func merge(base, patch map[string]any) map[string]any {
	out := maps.Clone(base)
	for key, value := range patch {
		deeper, isMap := value.(map[string]any)
		into, _ := out[key].(map[string]any)
		switch {
		case value == nil:
			delete(out, key)
		case isMap && into != nil:
			out[key] = merge(into, deeper)
		default:
			out[key] = value
		}
	}
	return out
}
