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
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// assemble puts the rows on one grid of at most MaxTraceSlots.
func assemble(rows []traceRow, hasActual bool) (Trace, error) {
	return assembleUpTo(MaxTraceSlots, rows, hasActual)
}

func assembleUpTo(limit int, rows []traceRow, hasActual bool) (Trace, error) {
	if len(rows) == 0 {
		return Trace{}, errors.New("there is not a single slot")
	}
	slices.SortStableFunc(rows, func(a, b traceRow) int { return a.from.Compare(b.from) })
	start, step := rows[0].from, rows[0].to.Sub(rows[0].from)
	slots := rows[len(rows)-1].from.Sub(start)/step + 1
	if slots > time.Duration(limit) {
		return Trace{}, fmt.Errorf("%s: the trace spans %d slots, at most %d are allowed", rows[len(rows)-1].where, slots, limit)
	}
	t := Trace{Forecast: unknown(start, step, int(slots))}
	if hasActual {
		t.Actual = unknown(start, step, int(slots))
	}
	previous := -1
	for _, row := range rows {
		if got := row.to.Sub(row.from); got != step {
			return Trace{}, fmt.Errorf("%s: the slot is %s long, others %s: all must be equal", row.where, got, step)
		}
		offset := row.from.Sub(start)
		if offset%step != 0 {
			return Trace{}, fmt.Errorf("%s: the slot at %s overlaps its neighbour: slots must begin a multiple of %s after %s",
				row.where, row.from.Format(time.RFC3339), step, start.Format(time.RFC3339))
		}
		i := int(offset / step)
		if i == previous {
			return Trace{}, fmt.Errorf("%s: the slot at %s is there twice", row.where, row.from.Format(time.RFC3339))
		}
		previous = i
		t.Forecast.Grams[i] = row.forecast
		if row.estimated {
			if t.Estimated.Empty() {
				t.Estimated = unknown(start, step, int(slots))
			}
			t.Estimated.Grams[i] = row.forecast
		}
		if hasActual {
			t.Actual.Grams[i] = row.actual
		}
	}
	return t, nil
}

func unknown(start time.Time, step time.Duration, slots int) Series {
	s := Series{Start: start, Step: step, Grams: make([]float64, slots)}
	for i := range s.Grams {
		s.Grams[i] = math.NaN()
	}
	return s
}

// leastStep is the shortest time between two starts of slots in Unix seconds, which may come in any order,
// twice, or with gaps between them; zero when there are no two, and when they are years apart.
func leastStep(starts []int64) time.Duration {
	starts = slices.Sorted(slices.Values(starts))
	least := int64(0)
	for i := 1; i < len(starts); i++ {
		if step := starts[i] - starts[i-1]; step > 0 && (least == 0 || step < least) {
			least = step
		}
	}
	if least > int64(day/time.Second) {
		return 0
	}
	return time.Duration(least) * time.Second
}
