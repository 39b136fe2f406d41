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
// Command perfdoc writes what was measured into the document about it: tables beside their goals, and the
// scale curve as a plot. The runs are those kept in test/perf/measured.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/goals"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: perfdoc FOLDER-OF-TEST DOCUMENT PLOT")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "perfdoc:", err)
		os.Exit(1)
	}
}

func write(folder, document, figure string) error {
	text, err := os.ReadFile(filepath.Join(filepath.Clean(folder), "thresholds.json"))
	if err != nil {
		return fmt.Errorf("reading the goals: %w", err)
	}
	all, err := goals.Parse(text)
	if err != nil {
		return err //nolint:wrapcheck // it says enough
	}
	page, err := os.ReadFile(filepath.Clean(document))
	if err != nil {
		return fmt.Errorf("reading the document: %w", err)
	}
	updated := string(page)
	for kind, bounds := range all {
		runs, err := load(filepath.Join(folder, "measured", kind+"-*.json"))
		if err != nil {
			return err
		}
		text := table(bounds, runs)
		if sizes := sizesOf(runs); len(sizes) > 0 {
			if err := draw(figure, sizes, runs); err != nil {
				return err
			}
			text += fmt.Sprintf("\n![what a job costs while others wait](images/%s)\n", filepath.Base(figure))
		}
		if updated, err = replace(updated, kind, text); err != nil {
			return err
		}
	}
	if err := os.WriteFile(document, []byte(updated), 0o600); err != nil {
		return fmt.Errorf("writing the document: %w", err)
	}
	return nil
}

// load reads the results of all runs that match.
func load(pattern string) ([]goals.Results, error) {
	names, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("finding the runs: %w", err)
	}
	var runs []goals.Results
	for _, name := range names {
		data, err := os.ReadFile(filepath.Clean(name))
		if err != nil {
			return nil, fmt.Errorf("reading a run: %w", err)
		}
		var run goals.Results
		if err := json.Unmarshal(data, &run); err != nil {
			return nil, fmt.Errorf("reading the run %s: %w", name, err)
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// replace puts the text between the marks of that name.
func replace(page, name, text string) (string, error) {
	begin, end := fmt.Sprintf("<!-- measured: %s -->\n", name), fmt.Sprintf("<!-- end: %s -->", name)
	before, rest, found := strings.Cut(page, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", fmt.Errorf("the document has no marks %q and %q", strings.TrimSpace(begin), end)
	}
	return before + begin + text + end + after, nil
}
