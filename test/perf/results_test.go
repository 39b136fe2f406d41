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

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/goals"
)

// thresholds are the goals, of each run (perf, scale) by the name of the result.
//
//go:embed thresholds.json
var thresholds []byte

// ratios compares with what was measured beside in the same run.
func (b *bench) ratios() {
	r := b.results
	r["requests rejected by priority and fairness"] = b.rejected()
	r["ratio: planned/s to the floor's"] = r["planned/s"] / r["floor planned/s"]
	r["ratio: re-plan to the floor's"] = r["re-plan s"] / r["floor re-plan s"]
	r["ratio: storm to the CronJob controller's"] = r["lateness storm max s"] / r["CronJob: all of the storm s"]
}

// keep writes the results so far to the file, so that a run that is cut short is not lost, and says so.
func (b *bench) keep(stage string) {
	b.t.Helper()
	b.t.Logf("%s: %d results", stage, len(b.results)-b.kept)
	b.kept = len(b.results)
	if *out != "" {
		data, err := json.MarshalIndent(b.results, "", "  ")
		check(b.t, err)
		check(b.t, os.WriteFile(*out, append(data, '\n'), 0o600))
	}
}

// report prints the results as a table, and fails for those that miss their goal.
func (b *bench) report(kind string) {
	b.t.Helper()
	for _, name := range slices.Sorted(maps.Keys(b.results)) {
		fmt.Printf("%-52s %12.3f\n", name, b.results[name])
	}
	all, err := goals.Parse(thresholds)
	check(b.t, err)
	for _, line := range goals.Missed(all[kind], b.results, *quiet) {
		b.t.Error(line)
	}
}
