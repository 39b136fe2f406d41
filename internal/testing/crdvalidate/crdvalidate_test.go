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

package crdvalidate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const crdPath = "testdata/crd.yaml"

func load(t *testing.T) *Validator {
	t.Helper()
	v, err := Load(t.Context(), crdPath)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// box returns a Box with the given fields besides its name, in YAML.
func box(t *testing.T, fields string) *unstructured.Unstructured {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte("apiVersion: test.example.com/v1\nkind: Box\nmetadata: {name: x}\n" + fields))
	if err != nil {
		t.Fatal(err)
	}
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	return obj
}

func TestCreateDefaultsAndDropsStatus(t *testing.T) {
	obj := box(t, "spec: {size: 3}\nstatus: {sealed: true}")
	if errs := load(t).Create(t.Context(), obj); len(errs) > 0 {
		t.Fatal(errs)
	}
	if color, _, _ := unstructured.NestedString(obj.Object, "spec", "color"); color != "red" {
		t.Errorf("color = %q, want the default red", color)
	}
	if _, has := obj.Object["status"]; has {
		t.Error("the status was kept")
	}
}

func TestCreateRefuses(t *testing.T) {
	tests := map[string]struct{ fields, want string }{
		"missing field": {"spec: {}", "spec.size: Required value"},
		"wrong type":    {"spec: {size: big}", "spec.size: Invalid value: \"string\""},
		"out of range":  {"spec: {size: 0}", "spec.size: Invalid value: 0"},
		"CEL rule":      {"spec: {size: 10, color: blue}", "size must be below 10 unless color is red"},
		"set":           {"spec: {size: 1, tags: [a, a]}", "spec.tags[1]: Duplicate value"},
		"unknown field": {"spec: {size: 1, weight: 2}", "spec.weight: Forbidden: unknown field"},
		"long string":   {"spec: {size: 1, color: purple-and-pink}", "spec.color: Too long"},
	}
	v := load(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			errs := v.Create(t.Context(), box(t, tt.fields))
			if len(errs) == 0 || !strings.Contains(errs.ToAggregate().Error(), tt.want) {
				t.Errorf("got %v, want %q", errs, tt.want)
			}
		})
	}
}

func TestUnknownFieldIsPruned(t *testing.T) {
	obj := box(t, "spec: {size: 1, weight: 2}")
	load(t).Create(t.Context(), obj)
	if _, has, _ := unstructured.NestedFieldNoCopy(obj.Object, "spec", "weight"); has {
		t.Error("spec.weight was kept")
	}
}

func TestUpdate(t *testing.T) {
	v := load(t)
	old := box(t, "spec: {size: 3}\nstatus: {sealed: true}")

	changed := box(t, "spec: {size: 4}\nstatus: {sealed: false}")
	errs := v.Update(t.Context(), changed, old)
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "cannot change once the box is sealed") {
		t.Errorf("a change of a sealed box: got %v", errs)
	}
	if sealed, _, _ := unstructured.NestedBool(changed.Object, "status", "sealed"); !sealed {
		t.Error("an update changed the status")
	}

	open := box(t, "spec: {size: 3}")
	if errs := v.Update(t.Context(), box(t, "spec: {size: 4}"), open); len(errs) > 0 {
		t.Errorf("a change of an open box: got %v", errs)
	}
}

func TestUpdateLetsAnOldErrorStay(t *testing.T) {
	v := load(t)
	old := box(t, "spec: {size: 3, color: purple-and-pink}")
	if errs := v.Update(t.Context(), box(t, "spec: {size: 4, color: purple-and-pink}"), old); len(errs) > 0 {
		t.Errorf("an unchanged invalid color: got %v", errs)
	}
	if errs := v.Update(t.Context(), box(t, "spec: {size: 4, color: purple-and-green}"), old); len(errs) == 0 {
		t.Error("a changed invalid color was accepted")
	}
}

func TestUpdateStatusKeepsTheRest(t *testing.T) {
	v := load(t)
	obj := box(t, "spec: {size: 4}\nstatus: {sealed: true}")
	obj.SetLabels(map[string]string{"a": "b"})
	if errs := v.UpdateStatus(t.Context(), obj, box(t, "spec: {size: 3}")); len(errs) > 0 {
		t.Fatal(errs)
	}
	if size, _, _ := unstructured.NestedInt64(obj.Object, "spec", "size"); size != 3 {
		t.Errorf("spec.size = %d, want the old 3", size)
	}
	if labels := obj.GetLabels(); len(labels) > 0 {
		t.Errorf("labels = %v, want none as before", labels)
	}
	if sealed, _, _ := unstructured.NestedBool(obj.Object, "status", "sealed"); !sealed {
		t.Error("the new status was not taken")
	}
	errs := v.UpdateStatus(t.Context(), box(t, "status: {sealed: 1}"), box(t, "spec: {size: 3}"))
	if len(errs) == 0 || errs[0].Field != "status.sealed" {
		t.Errorf("a status of the wrong type: got %v", errs)
	}
}

func TestLoadRefuses(t *testing.T) {
	tests := map[string]struct{ from, to, want string }{
		"CEL syntax":     {"self.size < 10 ||", "self.size <", "compilation failed"},
		"CEL cost":       {"maxItems: 4", "maxItems: 1000000\n                x-kubernetes-validations: [{rule: 'self.all(a, self.all(b, self.all(c, a == b)))'}]", "cost"},
		"non-structural": {"{type: boolean}", "{}", "type: Required value"},
		"unknown key":    {"scope: Namespaced", "scoop: Namespaced", "unknown field"},
	}
	raw, err := os.ReadFile(crdPath)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "crd.yaml")
			broken := strings.Replace(string(raw), tt.from, tt.to, 1)
			if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(t.Context(), path); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
