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

// Package goals holds measurements against goals: each is a bound of one result, and says why.
package goals

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Results are measured values by their names, which tell the units.
type Results map[string]float64

// Goal is the bound of one result. A goal that holds at some numbers only names them: the result of the
// same name must be what it says.
type Goal struct {
	AtLeast *float64 `json:"atLeast,omitempty"`
	AtMost  *float64 `json:"atMost,omitempty"`
	// Quiet goals are times, rates and shares of a processor: they are judged on a quiet machine only.
	Quiet bool     `json:"quiet,omitempty"`
	Jobs  *float64 `json:"jobs,omitempty"`
	Storm *float64 `json:"storm,omitempty"`
	// Optional goals are of results that not every run measures.
	Optional bool   `json:"optional,omitempty"`
	Why      string `json:"why"`
}

// Parse reads goals: of each kind of run, by the name of the result.
func Parse(text []byte) (map[string]map[string]Goal, error) {
	var all map[string]map[string]Goal
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("reading the goals: %w", err)
	}
	for kind, goals := range all {
		for name, goal := range goals {
			if (goal.AtLeast == nil) == (goal.AtMost == nil) || goal.Why == "" {
				return nil, fmt.Errorf("the goal of %q of a %s run needs one bound and a reason", name, kind)
			}
		}
	}
	return all, nil
}

// Holds says whether the goal is one for a run with these results.
func (g Goal) Holds(results Results, quiet bool) bool {
	return (!g.Quiet || quiet) && (g.Jobs == nil || *g.Jobs == results["jobs"]) && (g.Storm == nil || *g.Storm == results["storm"])
}

// Met says whether the value is within the bound.
func (g Goal) Met(value float64) bool {
	if g.AtLeast != nil {
		return value >= *g.AtLeast
	}
	return value <= *g.AtMost
}

// String is the bound in words.
func (g Goal) String() string {
	if g.AtLeast != nil {
		return fmt.Sprintf("at least %g", *g.AtLeast)
	}
	return fmt.Sprintf("at most %g", *g.AtMost)
}

// Missed lists the results that miss their goals or were not measured, sorted by name.
func Missed(all map[string]Goal, results Results, quiet bool) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		goal := all[name]
		value, measured := results[name]
		switch {
		case !goal.Holds(results, quiet):
		case !measured && goal.Optional:
		case !measured:
			lines = append(lines, name+" was not measured")
		case !goal.Met(value):
			lines = append(lines, fmt.Sprintf("%s is %.3f, it should be %s: %s", name, value, goal, goal.Why))
		}
	}
	return lines
}
