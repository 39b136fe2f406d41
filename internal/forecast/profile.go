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
	"context"
	"math"
	"net/http"
	"time"
)

// HistoryDays is how many days a profile is made of.
const HistoryDays = 14

const day = 24 * time.Hour

// Historian is a Source that also tells the past.
type Historian interface {
	Source
	// History asks once for the last HistoryDays days, or as many as the source gives at once: actual
	// intensities in gCO2e/kWh, or what was forecast where the source has no actual ones. A failure is
	// a *SourceError.
	History(ctx context.Context, client *http.Client, now time.Time) (Series, error)
}

// Profile is a region's mean day: value i is the mean carbon intensity in gCO2e/kWh of the time that
// begins i steps after midnight UTC. It knows the hour, but neither wind nor weather.
type Profile struct {
	// Days that it is made of, begun ones included.
	Days int
	// Step is half an hour or an hour.
	Step  time.Duration
	Grams []float64
}

// ProfileOf is the mean day of a series, in half hours, or hours where the series has no shorter slots.
// False when the series does not know every time of the day at least once.
func ProfileOf(s Series) (Profile, bool) {
	step := 30 * time.Minute
	if s.Step > step {
		step = time.Hour
	}
	slots := int(day / step)
	sums, counts := make([]float64, slots), make([]int, slots)
	for i, g := range s.Grams {
		if math.IsNaN(g) {
			continue
		}
		start := s.Start.Add(time.Duration(i) * s.Step).UTC()
		of := int(start.Sub(start.Truncate(day)) / step)
		sums[of] += g
		counts[of]++
	}
	for i := range sums {
		if counts[i] == 0 {
			return Profile{}, false
		}
		sums[i] /= float64(counts[i])
	}
	days := int((s.End().Sub(s.Start) + day - 1) / day)
	return Profile{Days: days, Step: step, Grams: sums}, true
}

// Series repeats the profile over [from, to), on its own grid; empty for a profile that does not know
// every time of the day.
func (p Profile) Series(from, to time.Time) Series {
	if !p.known() {
		return Series{}
	}
	start := from.UTC().Truncate(p.Step)
	s := Series{Start: start, Step: p.Step}
	for t := start; t.Before(to); t = t.Add(p.Step) {
		s.Grams = append(s.Grams, p.at(t))
	}
	return s
}
