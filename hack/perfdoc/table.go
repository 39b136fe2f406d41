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
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/goals"
)

// spread is what several runs say of one result.
type spread struct {
	least, median, most float64
	runs                int
}

func spreadOf(name string, goal *goals.Goal, runs []goals.Results) spread {
	var values []float64
	for _, run := range runs {
		if value, measured := run[name]; measured && (goal == nil || goal.Holds(run, true)) {
			values = append(values, value)
		}
	}
	if len(values) == 0 {
		return spread{}
	}
	slices.Sort(values)
	half := len(values) / 2
	median := (values[half] + values[len(values)-1-half]) / 2 // the same one twice, when their number is odd
	return spread{values[0], median, values[len(values)-1], len(values)}
}

// table is first the results that have a goal, then the others.
func table(bounds map[string]goals.Goal, runs []goals.Results) string {
	var text strings.Builder
	text.WriteString("| Result | Goal | Median | Least to most | Runs | Met |\n|---|---|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(bounds)) {
		goal := bounds[name]
		s := spreadOf(name, &goal, runs)
		if s.runs == 0 {
			fmt.Fprintf(&text, "| %s | %s | not measured | | 0 | |\n", name, goal)
			continue
		}
		met := "yes"
		if worst := []float64{s.least, s.most}; !goal.Met(worst[0]) || !goal.Met(worst[1]) {
			met = "**no**"
			if goal.Met(s.median) {
				met = "not always"
			}
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s to %s | %d | %s |\n", name, goal, number(s.median), number(s.least), number(s.most), s.runs, met)
	}
	names := map[string]bool{}
	for _, run := range runs {
		for name := range run {
			if _, has := bounds[name]; !has && !strings.HasPrefix(name, "at ") {
				names[name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		s := spreadOf(name, nil, runs)
		fmt.Fprintf(&text, "| %s | | %s | %s to %s | %d | |\n", name, number(s.median), number(s.least), number(s.most), s.runs)
	}
	return text.String() + points(runs)
}

// costs are the columns of the table of the scale curve.
var costs = []string{
	"CPU per planned job ms", "CPU per job of a start-up ms", "CPU per job of a new forecast ms", "KiB per job", "memory MiB", "CPU %",
}

// points is the table of the scale curve; empty when the runs have none.
func points(runs []goals.Results) string {
	sizes := sizesOf(runs)
	if len(sizes) == 0 {
		return ""
	}
	var text strings.Builder
	text.WriteString("\n| Jobs that wait | " + strings.Join(costs, " | ") + " |\n|---" + strings.Repeat("|---", len(costs)) + "|\n")
	for _, n := range sizes {
		text.WriteString("| " + strconv.Itoa(n))
		for _, cost := range costs {
			value := ""
			if s := spreadOf(at(n, cost), nil, runs); s.runs > 0 {
				value = number(s.median)
			}
			text.WriteString(" | " + value)
		}
		text.WriteString(" |\n")
	}
	return text.String()
}

func at(n int, cost string) string { return fmt.Sprintf("at %d: %s", n, cost) }

// sizesOf are the numbers of jobs at which the scale curve was measured.
func sizesOf(runs []goals.Results) []int {
	found := map[int]bool{}
	for _, run := range runs {
		for name := range run {
			var n int
			if _, err := fmt.Sscanf(name, "at %d: ", &n); err == nil {
				found[n] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// number has three digits that count.
func number(v float64) string {
	switch {
	case v >= 100 || v <= -100 || v == 0:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 1 || v <= -1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}
