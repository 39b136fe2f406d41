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
	"math"
	"slices"
	"time"
)

// Begins is the start of the first slot of which the forecast knows a value; false when it knows none.
func (s Series) Begins() (time.Time, bool) {
	first := slices.IndexFunc(s.Grams, func(g float64) bool { return !math.IsNaN(g) })
	if first < 0 {
		return time.Time{}, false
	}
	return s.Start.Add(time.Duration(first) * s.Step), true
}

// KnowsFrom says whether the series knows a value of the slot that contains t, or of a later one.
func (s Series) KnowsFrom(t time.Time) bool {
	return !s.Clip(t, s.End()).Empty()
}

// Soonest is the first window of the given length that the series covers without a gap, among those that begin
// with a slot in [earliest, latest]. False when there is none.
func (s Series) Soonest(earliest, latest time.Time, d time.Duration) (Window, bool) {
	start := s.Start
	for i, g := range s.Grams {
		slot := s.Start.Add(time.Duration(i) * s.Step)
		if math.IsNaN(g) || slot.Before(earliest) {
			start = slot.Add(s.Step)
		}
		if start.After(latest) {
			break
		}
		if end := start.Add(d); !slot.Add(s.Step).Before(end) {
			grams, ok := s.Mean(start, end)
			return Window{Start: start, End: end, Grams: grams}, ok
		}
	}
	return Window{}, false
}

// Begins is the start of the first slot that the trace forecasts, or knows where its past was not asked for apart from
// the forecast. False when it knows nothing.
func (t Trace) Begins() (time.Time, bool) {
	if !t.begins.IsZero() {
		return t.begins, true
	}
	return t.Forecast.Begins()
}

// After adds to an answer what an earlier one of the same source says of the time before its forecast begins, as far
// as it does not tell of that itself, from the given time on: some sources tell nothing of the past, some only
// hours later, and some not even of the present slot. The answer stays as it is when the two are on different grids.
func (t Trace) After(earlier Trace, from time.Time) Trace {
	begins, ok := t.Begins()
	before, step := earlier.Forecast.Clip(from, begins), t.Forecast.Step
	if !ok || before.Empty() || before.Step != step || begins.Sub(before.Start)%step != 0 {
		return t
	}
	start := before.Start
	if told, _ := t.Forecast.Begins(); told.Before(start) {
		start = told
	}
	slots := int(t.Forecast.End().Sub(start) / step)
	join := func(was, is Series) Series {
		if was.Empty() && is.Empty() {
			return Series{}
		}
		joined := unknown(start, step, slots)
		for i := range joined.Grams {
			at := start.Add(time.Duration(i) * step)
			of := is
			if t.lacks(at, before.Start, begins) {
				of = was
			}
			if grams, ok := of.At(at); ok {
				joined.Grams[i] = grams
			}
		}
		return joined
	}
	return Trace{
		Forecast: join(earlier.Forecast, t.Forecast), Actual: join(earlier.Actual, t.Actual), Estimated: join(earlier.Estimated, t.Estimated),
	}
}

// lacks says whether the trace itself does not tell of the slot at a time in [from, to).
func (t Trace) lacks(at, from, to time.Time) bool {
	_, told := t.Forecast.At(at)
	return !told && !at.Before(from) && at.Before(to)
}
