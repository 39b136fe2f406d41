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
	"time"
)

// Series is the carbon intensity on a regular grid in gCO2e/kWh: value i holds on
// [Start+i*Step, Start+(i+1)*Step). NaN means unknown.
type Series struct {
	Start time.Time
	Step  time.Duration
	Grams []float64
}

// End is the end of the last slot; Start for a series without slots.
func (s Series) End() time.Time {
	return s.Start.Add(time.Duration(len(s.Grams)) * s.Step)
}

// Empty says whether the series knows no value at all.
func (s Series) Empty() bool {
	for _, g := range s.Grams {
		if !math.IsNaN(g) {
			return false
		}
	}
	return true
}

// At is the intensity at t in gCO2e/kWh; false when t is outside the series or its slot unknown.
func (s Series) At(t time.Time) (float64, bool) {
	i, ok := s.slot(t)
	if !ok || math.IsNaN(s.Grams[i]) {
		return 0, false
	}
	return s.Grams[i], true
}

// Mean is the time-weighted mean over [from, to] in gCO2e/kWh. It is known only if the series
// covers all of it without a gap. For to equal to from it is the value at from.
func (s Series) Mean(from, to time.Time) (float64, bool) {
	if to.Equal(from) {
		return s.At(from)
	}
	if to.Before(from) || from.Before(s.Start) || to.After(s.End()) || s.Step <= 0 {
		return 0, false
	}
	first := int(from.Sub(s.Start) / s.Step)
	sum := 0.0
	for i := first; i < len(s.Grams); i++ {
		slotStart := s.Start.Add(time.Duration(i) * s.Step)
		if !slotStart.Before(to) {
			break
		}
		sum += s.Grams[i] * overlap(slotStart, slotStart.Add(s.Step), from, to).Seconds()
	}
	mean := sum / to.Sub(from).Seconds()
	return mean, !math.IsNaN(mean)
}

// Clip is the part of the series whose slots overlap [from, to); it stays on the grid and shares
// its values with s.
func (s Series) Clip(from, to time.Time) Series {
	empty := Series{Start: s.Start, Step: s.Step}
	if s.Step <= 0 || !from.Before(to) || !from.Before(s.End()) || !s.Start.Before(to) {
		return empty
	}
	first, last := 0, len(s.Grams)
	if from.After(s.Start) {
		first = int(from.Sub(s.Start) / s.Step)
	}
	if to.Before(s.End()) {
		last = int((to.Sub(s.Start) + s.Step - 1) / s.Step)
	}
	return Series{Start: s.Start.Add(time.Duration(first) * s.Step), Step: s.Step, Grams: s.Grams[first:last]}
}

// SlotEnd is the end of the slot that contains t; false when t is outside the series.
func (s Series) SlotEnd(t time.Time) (time.Time, bool) {
	i, ok := s.slot(t)
	if !ok {
		return time.Time{}, false
	}
	return s.Start.Add(time.Duration(i+1) * s.Step), true
}

// Validate says what is wrong with a series: a step that is not positive, a start that is not a
// whole second, a value that is infinite or negative.
func (s Series) Validate() error {
	if s.Step <= 0 {
		return errors.New("the step of a series must be positive")
	}
	if s.Start.Nanosecond() != 0 {
		return fmt.Errorf("the start of a series must be a whole second, got %s", s.Start.Format(time.RFC3339Nano))
	}
	for i, g := range s.Grams {
		if math.IsInf(g, 0) || g < 0 {
			return fmt.Errorf("slot %d: an intensity must be finite and not negative, got %v gCO2e/kWh", i, g)
		}
	}
	return nil
}

// Constant is a series of one slot over [from, to) with the given intensity in gCO2e/kWh.
func Constant(grams float64, from, to time.Time) Series {
	return Series{Start: from, Step: to.Sub(from), Grams: []float64{grams}}
}

func (s Series) slot(t time.Time) (int, bool) {
	if s.Step <= 0 || t.Before(s.Start) || !t.Before(s.End()) {
		return 0, false
	}
	return int(t.Sub(s.Start) / s.Step), true
}

func overlap(aFrom, aTo, bFrom, bTo time.Time) time.Duration {
	if bFrom.After(aFrom) {
		aFrom = bFrom
	}
	if bTo.Before(aTo) {
		aTo = bTo
	}
	return max(0, aTo.Sub(aFrom))
}
