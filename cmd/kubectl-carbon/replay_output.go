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
	"encoding/csv"
	"fmt"
	"strconv"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
	"github.com/ecotracker-dev/ecotracker-operator/internal/replay"
	"github.com/ecotracker-dev/ecotracker-operator/internal/terminal"
)

// replayWidth is what the table keeps to, in columns.
const replayWidth = 80

// flatGrid is what the oracle must save, in percent, for waiting to be worth it.
const flatGrid = 3.0

// writeReplayTable keeps to replayWidth: the median of the delays is in the outputs for programs only.
func writeReplayTable(out *bytes.Buffer, result replay.Result, o replayOptions) error {
	what := fmt.Sprintf("%d jobs on %d days, %s to %s: each runs %s, may wait %s and uses %s kWh.",
		result.Scenarios, result.Days, result.FirstDay.Format(time.DateOnly), result.LastDay.Format(time.DateOnly),
		policy.ShortDuration(o.Duration), policy.ShortDuration(o.MaxDelay), strconv.FormatFloat(o.EnergyKWh, 'f', -1, 64))
	fmt.Fprintln(out, terminal.Wrap(what, replayWidth))
	if result.DaysWithGaps > 0 {
		fmt.Fprintf(out, "Left out are %d days with unknown actual intensities.\n", result.DaysWithGaps)
	}
	fmt.Fprintln(out)
	table := &terminal.Table{
		Header: []string{"POLICY", "GRAMS", "SAVED", "OF-ORACLE", "WAIT", "DIRTIER", "DAYS-WORSE", "PEAK/MIN"},
		Right:  []bool{false, true, true, true, true, true, true, true},
	}
	for _, name := range replay.Names() {
		p, shown := result.Policies[name]
		if !shown {
			continue
		}
		table.Rows = append(table.Rows, []string{
			name, fmt.Sprintf("%.4f", p.Grams), fmt.Sprintf("%.3f %%", p.ReductionPercent), ofOracle(p, "%.2f %%", "-"),
			fmt.Sprintf("%.2f h", p.MeanDelayHours), fmt.Sprintf("%.1f %%", p.WorseThanNowPercent), strconv.Itoa(p.DaysWorse), strconv.Itoa(p.PeakStartsPerMinute),
		})
	}
	if err := table.Write(out); err != nil {
		return err //nolint:wrapcheck // it says what it could not write
	}
	if oracle, shown := result.Policies[replay.Oracle]; shown && oracle.ReductionPercent < flatGrid {
		fmt.Fprintf(out, "\nNot worth waiting here: even the oracle saves %.1f %% only.\n", oracle.ReductionPercent)
	}
	return nil
}

func writeReplayJSON(out *bytes.Buffer, result replay.Result, _ replayOptions) error {
	return writeJSON(out, result)
}

// replayColumns of the CSV output.
var replayColumns = []string{
	"policy", "scenarios", "days", "grams", "reductionPercent", "oracleCapturePercent", "daysWorse",
	"meanDelayHours", "medianDelayHours", "worseThanNowPercent", "peakStartsPerMinute",
}

func replayRows(result replay.Result) [][]string {
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
	var rows [][]string
	for _, name := range replay.Names() {
		p, shown := result.Policies[name]
		if !shown {
			continue
		}
		capture := ""
		if p.OracleCapturePercent != nil {
			capture = number(*p.OracleCapturePercent)
		}
		rows = append(rows, []string{
			name, strconv.Itoa(result.Scenarios), strconv.Itoa(result.Days), number(p.Grams), number(p.ReductionPercent), capture,
			strconv.Itoa(p.DaysWorse), number(p.MeanDelayHours), number(p.MedianDelayHours), number(p.WorseThanNowPercent),
			strconv.Itoa(p.PeakStartsPerMinute),
		})
	}
	return rows
}

func writeReplayCSV(out *bytes.Buffer, result replay.Result, _ replayOptions) error {
	if err := csv.NewWriter(out).WriteAll(append([][]string{replayColumns}, replayRows(result)...)); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}
