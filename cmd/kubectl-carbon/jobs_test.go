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
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// manyJobs is a list of so many finished jobs, written while it is read.
func manyJobs(t *testing.T, count int) jobList {
	t.Helper()
	item, err := json.Marshal(nightlyEval())
	if err != nil {
		t.Fatal(err)
	}
	return func(context.Context, string) (io.ReadCloser, error) {
		from, to := io.Pipe()
		go func() {
			before := `{"apiVersion":"carbon.ecotracker.dev/v1alpha1","items":[`
			for range count {
				if _, err := fmt.Fprintf(to, "%s%s", before, item); err != nil {
					return // nobody reads on
				}
				before = ","
			}
			_, err := fmt.Fprint(to, `],"kind":"CarbonAwareJobList","metadata":{"resourceVersion":"1"}}`)
			_ = to.CloseWithError(err)
		}()
		return from, nil
	}
}

// What is in memory while a report is made does not grow with the number of jobs.
func TestMemoryDoesNotGrowWithTheJobs(t *testing.T) {
	peak := func(count int) float64 {
		highest, seen := uint64(0), 0
		err := eachJob(t.Context(), manyJobs(t, count), "", func(*carbonv1alpha1.CarbonAwareJob) {
			if seen++; seen%(count/20) == 0 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				highest = max(highest, m.HeapAlloc)
			}
		})
		if err != nil || seen != count {
			t.Fatalf("read %d jobs of %d: %v", seen, count, err)
		}
		return float64(highest)
	}
	peak(100) // what is allocated once
	few, many := peak(2_000), peak(10_000)
	if many > 1.2*few {
		t.Errorf("10,000 jobs take %.0f bytes, 2,000 take %.0f", many, few)
	}
}

// An answer that broke off must not pass for a report of fewer jobs.
func TestAnAnswerThatBreaksOffIsAnError(t *testing.T) {
	whole := `{"kind":"CarbonAwareJobList","items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}],"metadata":{}}`
	read := func(text string) (names []string, err error) {
		list := func(context.Context, string) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(text)), nil
		}
		err = eachJob(t.Context(), list, "", func(caj *carbonv1alpha1.CarbonAwareJob) { names = append(names, caj.Name) })
		return names, err
	}
	if names, err := read(whole); err != nil || strings.Join(names, "") != "ab" {
		t.Errorf("the whole answer: %v, %v", names, err)
	}
	for _, none := range []string{`{"items":[],"kind":"CarbonAwareJobList"}`, `{"items":null}`} {
		if names, err := read(none); err != nil || names != nil {
			t.Errorf("%s: %v, %v", none, names, err)
		}
	}
	for end := range len(whole) {
		if _, err := read(whole[:end]); err == nil || !strings.Contains(err.Error(), "listing CarbonAwareJobs") {
			t.Errorf("%q: %v, want an error", whole[:end], err)
		}
	}
	for _, bad := range []string{`[]`, `{"items":{}}`, "<html>", `{"items":[{"metadata":{"name":1}}]}`} {
		if _, err := read(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}
