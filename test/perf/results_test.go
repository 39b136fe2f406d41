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
	"slices"
	"testing"
)

// thresholds are the bounds of the ratios and counts that do not depend on the machine.
//
//go:embed thresholds.json
var thresholds []byte

type bound struct {
	AtLeast *float64 `json:"atLeast,omitempty"`
	AtMost  *float64 `json:"atMost,omitempty"`
	Why     string   `json:"why"`
}

// ratios compares with what was measured beside in the same run.
func (b *bench) ratios() {
	r := b.results
	r["ratio: planned/s to the floor's"] = r["planned/s"] / r["floor planned/s"]
	r["ratio: 1k starts to the CronJob controller's"] = r["lateness 1k max s"] / r["CronJob: all of 1k s"]
	storm := float64(*storm) / r["lateness storm max s"]
	r["storm starts/s"] = storm
	r["ratio: storm starts/s to the floor's"] = storm / r["floor starts/s"]
}

func table(results map[string]float64) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(results)) {
		lines = append(lines, fmt.Sprintf("%-48s %12.3f", name, results[name]))
	}
	return lines
}

func bounds() (map[string]bound, error) {
	var all map[string]bound
	err := json.Unmarshal(thresholds, &all)
	return all, err
}

// exceeded lists the results that are out of bounds.
func exceeded(results map[string]float64) []string {
	all, err := bounds()
	if err != nil {
		return []string{err.Error()}
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		value, ok := results[name]
		switch limit := all[name]; {
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
	good := map[string]float64{}
	for name, limit := range all {
		if (limit.AtLeast == nil) == (limit.AtMost == nil) || limit.Why == "" {
			t.Errorf("%s needs one bound and a reason", name)
			continue
		}
		if limit.AtLeast != nil {
			good[name] = *limit.AtLeast
		} else {
			good[name] = *limit.AtMost
		}
	}
	if lines := exceeded(good); len(lines) != 0 {
		t.Errorf("on the bound is within: %v", lines)
	}
	for name := range good {
		if all[name].AtLeast != nil {
			good[name] -= 0.01
		} else {
			good[name] += 0.01
		}
	}
	if lines := exceeded(good); len(lines) != len(all) {
		t.Errorf("only %v is out of bounds", lines)
	}
}
