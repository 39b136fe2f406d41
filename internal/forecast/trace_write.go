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

package forecast

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"
)

// Clip is the part of the trace whose slots overlap [from, to).
func (t Trace) Clip(from, to time.Time) Trace {
	return Trace{Forecast: t.Forecast.Clip(from, to), Actual: t.Actual.Clip(from, to)}
}

// Join puts a later trace behind this one; slots in between are unknown. An error says that the slots
// do not fit, or that it would be longer than MaxTraceSlots.
func (t Trace) Join(later Trace) (Trace, error) {
	if len(t.Forecast.Grams) == 0 {
		return later, nil
	}
	all := t.Forecast
	gap := later.Forecast.Start.Sub(all.End())
	if later.Forecast.Step != all.Step || gap < 0 || gap%all.Step != 0 {
		return t, fmt.Errorf("the slots from %s on do not follow those up to %s", later.Forecast.Start.Format(time.RFC3339), all.End().Format(time.RFC3339))
	}
	slots := int(later.Forecast.End().Sub(all.Start) / all.Step)
	if slots > MaxTraceSlots {
		return t, fmt.Errorf("a trace has at most %d slots, these are %d", MaxTraceSlots, slots)
	}
	joined := Trace{Forecast: unknown(all.Start, all.Step, slots), Actual: unknown(all.Start, all.Step, slots)}
	for i := range slots {
		start := all.Start.Add(time.Duration(i) * all.Step)
		for _, part := range []Trace{t, later} {
			if g, ok := part.Forecast.At(start); ok {
				joined.Forecast.Grams[i] = g
			}
			if g, ok := part.Actual.At(start); ok {
				joined.Actual.Grams[i] = g
			}
		}
	}
	return joined, nil
}

// WriteTrace writes a trace as the CSV table that ParseTrace reads. Slots without a forecast are left out:
// ParseTrace takes them for unknown.
func WriteTrace(w io.Writer, t Trace) error {
	table := csv.NewWriter(w)
	rows := [][]string{{"from", "to", "intensity_forecast", "intensity_actual"}}
	for i, g := range t.Forecast.Grams {
		if math.IsNaN(g) {
			continue
		}
		start, actual := t.Forecast.Start.Add(time.Duration(i)*t.Forecast.Step), ""
		if a, ok := t.Actual.At(start); ok {
			actual = strconv.FormatFloat(a, 'f', -1, 64)
		}
		rows = append(rows, []string{
			start.UTC().Format(time.RFC3339), start.Add(t.Forecast.Step).UTC().Format(time.RFC3339), strconv.FormatFloat(g, 'f', -1, 64), actual,
		})
	}
	if err := table.WriteAll(rows); err != nil {
		return fmt.Errorf("writing a trace: %w", err)
	}
	return nil
}
