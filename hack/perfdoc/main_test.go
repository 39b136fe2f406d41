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
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatWasMeasuredStandsBesideItsGoal(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	put("thresholds.json", `{
		"perf": {"a": {"atMost": 2, "why": "w"}, "b": {"atLeast": 5, "why": "w"}, "c": {"atMost": 1, "jobs": 9, "why": "w"}},
		"scale": {"flat": {"atMost": 1.5, "why": "w"}}}`)
	put("measured/perf-1.json", `{"a": 1, "b": 4, "c": 7, "other": 1234.5, "two": 1, "jobs": 8}`)
	put("measured/perf-2.json", `{"a": 3, "b": 4.5, "c": 7, "two": 2, "jobs": 8}`)
	put("measured/perf-3.json", `{"a": 0.25, "b": 4.25, "c": 7, "jobs": 8}`)
	put("measured/scale-1.json", `{"flat": 1, "at 1000: KiB per job": 9.5, "at 1000: CPU per planned job ms": 2, "at 5000: KiB per job": 8}`)
	page := put("page.md", "# x\n<!-- measured: perf -->\nold\n<!-- end: perf -->\nbetween\n<!-- measured: scale -->\n<!-- end: scale -->\nafter\n")
	figure := filepath.Join(dir, "curve.svg")
	var first string
	for range 2 { // it is the same however often it is made
		if err := write(dir, page, figure); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		drawing, err := os.ReadFile(figure)
		if err != nil || !strings.Contains(string(drawing), "KiB per job") {
			t.Fatalf("the plot: %v", err)
		}
		if first != "" && first != string(text)+string(drawing) {
			t.Error("the second time it differs")
		}
		first = string(text) + string(drawing)
	}
	for _, row := range []string{
		"| a | at most 2 | 1.00 | 0.250 to 3.00 | 3 | not always |",
		"| b | at least 5 | 4.25 | 4.00 to 4.50 | 3 | **no** |",
		"| c | at most 1 | not measured | | 0 | |",
		"| other | | 1234 | 1234 to 1234 | 1 | |",
		"| two | | 1.50 | 1.00 to 2.00 | 2 | |",
		"| flat | at most 1.5 | 1.00 | 1.00 to 1.00 | 1 | yes |",
		"| 5000 |  |  |  | 8.00 |  |  |",
		"between", "after",
	} {
		if !strings.Contains(first, row+"\n") {
			before, _, _ := strings.Cut(first, "<?xml")
			t.Errorf("%q is missing in\n%s", row, before)
		}
	}
	if strings.Contains(first, "old") {
		t.Error("the old table is still there")
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	if _, err := replace("# x", "perf", "table"); err == nil || !strings.Contains(err.Error(), "<!-- measured: perf -->") {
		t.Error(err)
	}
	if runs, err := load(filepath.Join(t.TempDir(), "perf-*.json")); err != nil || len(runs) != 0 {
		t.Errorf("%v, %v", runs, err)
	}
}
