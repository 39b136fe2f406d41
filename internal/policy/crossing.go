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

package policy

import (
	"slices"
	"sort"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// Load is a run as it emits.
type Load struct {
	// KW is its power in kW while it runs.
	KW float64
	// Past are the intervals in which it ran before; Since is the start of the present one, zero in a
	// pause.
	Past  []estimate.Interval
	Since time.Time
	// Longest is how long it can run, past intervals included, before all its energy is used; zero
	// means forever.
	Longest time.Duration
	// Layers are the intensities of its region, best first. Times that no layer knows emit nothing, so
	// the last one should know them all.
	Layers []forecast.Layer
}

// Emitted is what the load has emitted until t, in gCO2e.
func (l Load) Emitted(t time.Time) float64 {
	grams, left := 0.0, l.Longest
	for _, run := range append(slices.Clip(l.Past), estimate.Interval{Start: l.Since, End: t}) {
		length := run.End.Sub(run.Start)
		if l.Longest > 0 {
			length = min(length, left)
			left -= max(0, length)
		}
		if length <= 0 || run.Start.IsZero() {
			continue
		}
		mean, _, _ := forecast.MeanLayers(run.Start, run.Start.Add(length), l.Layers...)
		grams += l.KW * length.Hours() * mean
	}
	return grams
}

// Crossing is now, if the loads together have emitted so many grams already, else the first whole
// second at which they have; false when they do not within the horizon. What is emitted never shrinks,
// so there is one such time at most.
func Crossing(loads []Load, limit estimate.Nanograms, now time.Time, horizon time.Duration) (time.Time, bool) {
	reached := func(t time.Time) bool {
		sum := 0.0
		for _, l := range loads {
			sum += l.Emitted(t)
		}
		nano, err := estimate.GramsToNano(sum)
		return err != nil || nano >= limit
	}
	if reached(now) {
		return now, true
	}
	from, most := forecast.CeilSecond(now), int(horizon/time.Second)
	seconds := sort.Search(most+1, func(i int) bool { return reached(from.Add(time.Duration(i) * time.Second)) })
	return from.Add(time.Duration(seconds) * time.Second), seconds <= most
}
