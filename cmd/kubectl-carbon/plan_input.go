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
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	kjson "sigs.k8s.io/json"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/controller"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// readJobs reads the CarbonAwareJobs of a file in YAML or JSON, of one object, several, or a List; other
// kinds beside them are left alone.
func readJobs(name string, stdin io.Reader) ([]*carbonv1alpha1.CarbonAwareJob, error) {
	data, err := readFile(name, stdin)
	if err != nil {
		return nil, err
	}
	shown := name
	if name == "-" {
		shown = "standard input"
	}
	var jobs []*carbonv1alpha1.CarbonAwareJob
	var others []string
	documents := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), len(data)+1)
	for i := 1; ; i++ {
		var raw json.RawMessage
		err := documents.Decode(&raw)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = readDocument(raw, &jobs, &others)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", shown, i, err)
		}
	}
	if len(jobs) == 0 {
		found := "nothing"
		if len(others) > 0 {
			found = strings.Join(slices.Compact(others), ", ")
		}
		return nil, fmt.Errorf("%s: want a CarbonAwareJob (%s), found %s", shown, carbonv1alpha1.GroupVersion, found)
	}
	return jobs, nil
}

// readDocument adds the jobs of one object to jobs, and what else there is to others.
func readDocument(raw json.RawMessage, jobs *[]*carbonv1alpha1.CarbonAwareJob, others *[]string) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil // nothing between two lines of dashes
	}
	var head struct {
		APIVersion string            `json:"apiVersion"`
		Kind       string            `json:"kind"`
		Items      []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return fmt.Errorf("not an object of Kubernetes: %w", inWords(err))
	}
	if head.Kind == "List" || head.Kind == "CarbonAwareJobList" {
		for _, item := range head.Items {
			if err := readDocument(item, jobs, others); err != nil {
				return err
			}
		}
		return nil
	}
	if head.Kind != "CarbonAwareJob" || head.APIVersion != carbonv1alpha1.GroupVersion.String() {
		*others = append(*others, fmt.Sprintf("a %s (%s)", cmp.Or(head.Kind, "thing without a kind"), cmp.Or(head.APIVersion, "no apiVersion")))
		return nil
	}
	job := &carbonv1alpha1.CarbonAwareJob{}
	unknown, err := kjson.UnmarshalStrict(raw, job)
	if err != nil {
		return fmt.Errorf("CarbonAwareJob %s: %s%w", nameOf(job), specField(raw, err), inWords(err))
	}
	if len(unknown) > 0 {
		return fmt.Errorf("CarbonAwareJob %s: %s", nameOf(job), strings.ReplaceAll(errors.Join(unknown...).Error(), "\n", ", "))
	}
	*jobs = append(*jobs, job)
	return nil
}

// specField names the field of spec that gives the error, for errors that do not name it themselves: those
// of durations and quantities.
func specField(raw json.RawMessage, err error) string {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return ""
	}
	var object struct{ Spec map[string]json.RawMessage }
	if json.Unmarshal(raw, &object) != nil {
		return ""
	}
	for name, value := range object.Spec {
		alone, _ := json.Marshal(map[string]any{"spec": map[string]json.RawMessage{name: value}}) //nolint:errchkjson // it was JSON
		if json.Unmarshal(alone, &carbonv1alpha1.CarbonAwareJob{}) != nil {
			return fmt.Sprintf("spec.%s: %s: ", name, value)
		}
	}
	return ""
}

// inWords says what is of another type than it should be, in the words of YAML and not of Go.
func inWords(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return err
	}
	want := map[reflect.Kind]string{
		reflect.Slice: "a list", reflect.Struct: "an object", reflect.Map: "an object", reflect.String: "a text",
		reflect.Bool: "true or false", reflect.Int32: "a whole number", reflect.Int64: "a whole number",
	}[wrong.Type.Kind()]
	found := cmp.Or(map[string]string{"array": "a list", "string": "a text", "bool": "true or false", "object": "an object"}[wrong.Value], "a "+wrong.Value)
	if wrong.Field == "" {
		return fmt.Errorf("found %s, want %s", found, cmp.Or(want, "another type"))
	}
	return fmt.Errorf("%s: found %s, want %s", wrong.Field, found, cmp.Or(want, "another type"))
}

func readFile(name string, stdin io.Reader) ([]byte, error) {
	if name == "-" {
		data, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
		return data, nil
	}
	data, err := os.ReadFile(name) //nolint:gosec // a person names the file
	if err != nil {
		return nil, fmt.Errorf("reading the jobs: %w", err)
	}
	return data, nil
}

// readTraces makes a region of every NAME=FILE. The time to plan at is the given one; else now if the
// first trace covers it, else its first slot.
func readTraces(flags []string, jobs []*carbonv1alpha1.CarbonAwareJob, at, now time.Time) ([]carbonv1alpha1.GridRegion, time.Time, error) {
	var regions []carbonv1alpha1.GridRegion
	for i, flag := range flags {
		name, file, named := strings.Cut(flag, "=")
		if !named {
			name, file = homeOf(jobs), flag
		}
		f, err := os.Open(file) //nolint:gosec // a person names the file
		if err != nil {
			return nil, now, fmt.Errorf("--trace %s: %w", flag, err)
		}
		trace, err := forecast.ParseTrace(f)
		f.Close() //nolint:errcheck,gosec // it was only read
		if err != nil {
			return nil, now, fmt.Errorf("--trace %s: %w", flag, err)
		}
		if i == 0 && at.IsZero() {
			at = now
			if _, covered := trace.Forecast.At(now); !covered {
				at = trace.Forecast.Start
			}
		}
		region := controller.TraceRegion(name, trace.Forecast)
		if i == 0 {
			region.Annotations = map[string]string{carbonv1alpha1.AnnotationDefaultRegion: "true"}
		}
		regions = append(regions, region)
	}
	return regions, at, nil
}

// homeOf is the first region that the jobs name; "default" when they name none.
func homeOf(jobs []*carbonv1alpha1.CarbonAwareJob) string {
	for _, job := range jobs {
		if len(job.Spec.Regions) > 0 {
			return job.Spec.Regions[0]
		}
	}
	return "default"
}
