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

package v1alpha1_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A plain kubectl apply keeps the whole object in an annotation, and all annotations together may
// hold 256 KiB.
func TestCRDsAreSmallEnoughToApply(t *testing.T) {
	for _, path := range []string{carbonAwareJobCRD, carbonBudgetCRD, gridRegionCRD} {
		asJSON, err := json.Marshal(readCRD(t, path))
		if err != nil {
			t.Fatal(err)
		}
		if len(asJSON) >= 256*1024 {
			t.Errorf("%s is %d bytes of JSON, want less than 256 KiB", path, len(asJSON))
		}
	}
}

// kubectl explain shows the description of every field of ours, and none below the Job template.
func TestDescriptions(t *testing.T) {
	for _, path := range []string{carbonAwareJobCRD, carbonBudgetCRD, gridRegionCRD} {
		schema := at(readCRD(t, path), "spec", "versions", 0, "schema", "openAPIV3Schema")
		expectDescribed(t, schema, nil)
	}
}

// expectDescribed checks the fields of a schema and everything below them.
func expectDescribed(t *testing.T, schema map[string]any, path []string) {
	t.Helper()
	if items, has := schema["items"].(map[string]any); has {
		expectDescribed(t, items, append(path, "[]"))
	}
	properties, _ := schema["properties"].(map[string]any)
	for name, property := range properties {
		below := append(slices.Clone(path), name)
		child := property.(map[string]any)
		// The API server itself describes the metadata of an object.
		if text, _ := child["description"].(string); text == "" && !slices.Equal(below, []string{"metadata"}) {
			t.Errorf("%v has no description", below)
		}
		if name != "jobTemplate" {
			expectDescribed(t, child, below)
			continue
		}
		for _, part := range child {
			expectNotDescribed(t, part, below)
		}
	}
}

func expectNotDescribed(t *testing.T, node any, path []string) {
	t.Helper()
	switch node := node.(type) {
	case map[string]any:
		if text, isText := node["description"].(string); isText {
			t.Errorf("a field below %v has the description %q", path, text)
		}
		for _, child := range node {
			expectNotDescribed(t, child, path)
		}
	case []any:
		for _, child := range node {
			expectNotDescribed(t, child, path)
		}
	}
}

// Without generateEmbeddedObjectMeta the API server would drop them without a word.
func TestTemplateMetadataSurvives(t *testing.T) {
	job := created(t, carbonAwareJobCRD, fullJob)
	for _, field := range [][]string{
		{"spec", "jobTemplate", "metadata", "labels"},
		{"spec", "jobTemplate", "metadata", "annotations"},
		{"spec", "jobTemplate", "spec", "template", "metadata", "labels"},
		{"spec", "jobTemplate", "spec", "template", "metadata", "annotations"},
	} {
		if got, _, _ := unstructured.NestedStringMap(job.Object, field...); len(got) != 1 {
			t.Errorf("%v = %v, want the one entry of the manifest", field, got)
		}
	}
}

func readCRD(t *testing.T, path string) map[string]any {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(raw))
}

// at returns the map at a path of keys and indexes.
func at(node any, path ...any) map[string]any {
	for _, step := range path {
		if index, isIndex := step.(int); isIndex {
			node = node.([]any)[index]
		} else {
			node = node.(map[string]any)[step.(string)]
		}
	}
	return node.(map[string]any)
}
