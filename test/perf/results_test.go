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

package perf

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
)

// thresholds are the goals, of each run (perf, scale) by the name of the result.
//
//go:embed thresholds.json
var thresholds []byte

// bound is one goal. Those that hold at some numbers only name them: the result of the same name must
// be what they say.
type bound struct {
	AtLeast *float64 `json:"atLeast,omitempty"`
	AtMost  *float64 `json:"atMost,omitempty"`
	// Quiet goals are times, rates and shares of a processor, which are judged on a quiet machine only.
	Quiet bool     `json:"quiet,omitempty"`
	Jobs  *float64 `json:"jobs,omitempty"`
	Storm *float64 `json:"storm,omitempty"`
	Why   string   `json:"why"`
}

// ratios compares with what was measured beside in the same run.
func (b *bench) ratios() {
	r := b.results
	r["ratio: planned/s to the floor's"] = r["planned/s"] / r["floor planned/s"]
	r["ratio: storm to the CronJob controller's"] = r["lateness storm max s"] / r["CronJob: all of the storm s"]
	r["storm starts/s"] = float64(*storm) / r["lateness storm max s"]
	r["ratio: storm starts/s to the floor's"] = r["storm starts/s"] / r["floor starts/s"]
}

// report prints the results, writes them to the file, and fails for those that miss their goal.
func (b *bench) report(what string) {
	b.t.Helper()
	for _, name := range slices.Sorted(maps.Keys(b.results)) {
		fmt.Printf("%-52s %12.3f\n", name, b.results[name])
	}
	if *out != "" {
		data, err := json.MarshalIndent(b.results, "", "  ")
		check(b.t, err)
		check(b.t, os.WriteFile(*out, append(data, '\n'), 0o600))
	}
	all, err := bounds()
	check(b.t, err)
	for _, line := range exceeded(all[what], b.results, *quiet) {
		b.t.Error(line)
	}
}

func bounds() (map[string]map[string]bound, error) {
	var all map[string]map[string]bound
	err := json.Unmarshal(thresholds, &all)
	return all, err
}

// holds says whether the goal is one of a run with these results.
func (l bound) holds(results map[string]float64, quiet bool) bool {
	return (!l.Quiet || quiet) && (l.Jobs == nil || *l.Jobs == results["jobs"]) && (l.Storm == nil || *l.Storm == results["storm"])
}

// exceeded lists the results that miss their goals.
func exceeded(all map[string]bound, results map[string]float64, quiet bool) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		limit := all[name]
		if !limit.holds(results, quiet) {
			continue
		}
		value, ok := results[name]
		switch {
		case !ok:
			lines = append(lines, name+" was not measured")
		case limit.AtLeast != nil && value < *limit.AtLeast:
			lines = append(lines, fmt.Sprintf("%s is %.3f, it should be at least %.3f: %s", name, value, *limit.AtLeast, limit.Why))
		case limit.AtMost != nil && value > *limit.AtMost:
			lines = append(lines, fmt.Sprintf("%s is %.3f, it should be at most %.3f: %s", name, value, *limit.AtMost, limit.Why))
		}
	}
	return lines
}

func TestThresholds(t *testing.T) {
	all, err := bounds()
	if err != nil {
		t.Fatal(err)
	}
	for what, goals := range all {
		good := map[string]float64{"jobs": 10000, "storm": 10000}
		for name, limit := range goals {
			if (limit.AtLeast == nil) == (limit.AtMost == nil) || limit.Why == "" {
				t.Fatalf("%s: %s needs one bound and a reason", what, name)
			}
			good[name] = value(limit, 0)
		}
		if lines := exceeded(goals, good, true); len(lines) != 0 {
			t.Errorf("%s: on the bound is within: %v", what, lines)
		}
		judged := 0
		for name, limit := range goals {
			good[name] = value(limit, 0.001)
			if limit.holds(good, true) {
				judged++
			}
		}
		if lines := exceeded(goals, good, true); len(lines) != judged || judged == 0 {
			t.Errorf("%s: of %d goals only %v are missed", what, judged, lines)
		}
	}
}

// value misses the goal by so much.
func value(limit bound, by float64) float64 {
	if limit.AtLeast != nil {
		return *limit.AtLeast - by
	}
	return *limit.AtMost + by
}
