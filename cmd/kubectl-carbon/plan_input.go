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
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/controller"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// readJobs reads the CarbonAwareJobs of a file; other kinds in it are left alone.
func readJobs(name string, stdin io.Reader) ([]*carbonv1alpha1.CarbonAwareJob, error) {
	data, err := readFile(name, stdin)
	if err != nil {
		return nil, err
	}
	var jobs []*carbonv1alpha1.CarbonAwareJob
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for i := 1; ; i++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		var head struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
		}
		if err := yaml.Unmarshal(document, &head); err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", name, i, err)
		}
		version, err := schema.ParseGroupVersion(head.APIVersion)
		if err != nil || head.Kind != "CarbonAwareJob" || version != carbonv1alpha1.GroupVersion {
			continue
		}
		job := &carbonv1alpha1.CarbonAwareJob{}
		if err := yaml.UnmarshalStrict(document, job); err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", name, i, err)
		}
		jobs = append(jobs, job)
	}
	if len(jobs) == 0 {
		return nil, fmt.Errorf("%s: there is no CarbonAwareJob of %s in it", name, carbonv1alpha1.GroupVersion)
	}
	return jobs, nil
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
