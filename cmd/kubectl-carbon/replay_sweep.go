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
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
	"github.com/ecotracker-dev/ecotracker-operator/internal/replay"
	"github.com/ecotracker-dev/ecotracker-operator/internal/terminal"
)

// What a sweep replays: every delay with every duration.
var (
	sweepDelays    = []time.Duration{4 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour}
	sweepDurations = []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour}
)

// sweptResult is the result for one delay and duration.
type sweptResult struct {
	MaxDelay string `json:"maxDelay"`
	Duration string `json:"duration"`
	replay.Result
}

// validateSweep refuses flags that a sweep sets itself, or has no room for.
func validateSweep(flags *pflag.FlagSet) error {
	for _, name := range []string{"max-delay", "duration", "policy", "plot"} {
		if flags.Changed(name) {
			return fmt.Errorf("--sweep has delays, durations and policies of its own and draws nothing: leave out --%s", name)
		}
	}
	return nil
}

// runSweep replays the regions with every delay and duration.
func runSweep(cmd *cobra.Command, regions []replay.Region, o replayOptions) error {
	bar := newProgress(cmd.ErrOrStderr(), "replaying")
	results, err := sweep(cmd.Context(), regions, o.Options, bar.set)
	bar.finish()
	if err != nil {
		return err
	}
	var out bytes.Buffer
	switch o.output {
	case "json":
		err = writeJSON(&out, results)
	case "csv":
		err = writeSweepCSV(&out, results)
	default:
		err = writeSweepTable(&out, results, o)
	}
	if err != nil {
		return err
	}
	return printOut(cmd, &out)
}

func sweep(ctx context.Context, regions []replay.Region, o replay.Options, progress func(done, total int)) ([]sweptResult, error) {
	parts := len(sweepDelays) * len(sweepDurations)
	var results []sweptResult
	for _, delay := range sweepDelays {
		for _, duration := range sweepDurations {
			n := len(results)
			o.MaxDelay, o.Duration = delay, duration
			o.Progress = func(done, total int) { progress(n*total+done, parts*total) }
			result, err := replay.Replay(ctx, regions, o, replay.Names())
			if err != nil && !errors.Is(err, replay.ErrNoDay) {
				return nil, inFlags(err)
			}
			results = append(results, sweptResult{policy.ShortDuration(delay), policy.ShortDuration(duration), result})
		}
	}
	return results, nil
}

// writeSweepTable shows what each policy saves, and its share of what can be saved.
func writeSweepTable(out *bytes.Buffer, results []sweptResult, o replayOptions) error {
	jobs := "one job in every slot"
	if o.JobsPerDay > 0 {
		jobs = fmt.Sprintf("%d jobs a day", o.JobsPerDay)
	}
	fmt.Fprintf(out, "What is saved against starting at once, %s.\n\n", jobs)
	table := &terminal.Table{
		Header: []string{"MAX-DELAY", "RUNS", "DAYS", "ORACLE", "ARGMIN", "OF-ORACLE", "DEFAULT", "OF-ORACLE", "WORSE"},
		Right:  []bool{false, false, true, true, true, true, true, true, true},
	}
	for _, r := range results {
		row := []string{r.MaxDelay, r.Duration, strconv.Itoa(r.Days), savedBy(r, replay.Oracle)}
		for _, name := range []string{replay.Argmin, replay.Default} {
			row = append(row, savedBy(r, name), ofOracle(r.Policies[name], "%.1f %%", "-"))
		}
		table.Rows = append(table.Rows, append(row, fmt.Sprintf("%d/%d", r.Policies[replay.Argmin].DaysWorse, r.Policies[replay.Default].DaysWorse)))
	}
	if err := table.Write(out); err != nil {
		return err //nolint:wrapcheck // it says what it could not write
	}
	fmt.Fprintln(out, "\nWORSE: days on which more was emitted than by starting at once, argmin/default.")
	return nil
}

// savedBy is what a policy saves in percent; "-" where no day could be replayed.
func savedBy(r sweptResult, name string) string {
	if r.Days == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f %%", r.Policies[name].ReductionPercent)
}

// ofOracle is the share of the oracle's saving, and the other text where that saves nothing.
func ofOracle(p replay.Outcome, format, none string) string {
	if p.OracleCapturePercent == nil {
		return none
	}
	return fmt.Sprintf(format, *p.OracleCapturePercent)
}

func writeSweepCSV(out *bytes.Buffer, results []sweptResult) error {
	rows := [][]string{append([]string{"maxDelay", "duration"}, replayColumns...)}
	for _, r := range results {
		for _, row := range replayRows(r.Result) {
			rows = append(rows, append([]string{r.MaxDelay, r.Duration}, row...))
		}
	}
	if err := csv.NewWriter(out).WriteAll(rows); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

func writeJSON(out *bytes.Buffer, result any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(result); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}
