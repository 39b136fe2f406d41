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

// How issued forecasts are kept and compared.
const (
	// IssuedEvery is the time between two forecasts that are kept.
	IssuedEvery = time.Hour
	// MaxIssued is how many are kept: enough to compare the longest lead time when actual values are
	// published half a day late.
	MaxIssued = 36
	// issuedSpan is how far an issued forecast is kept: the longest lead time, and what may lie between a
	// forecast and the one before.
	issuedSpan = 26 * time.Hour
	// issuedStep is the shortest slot of an issued forecast.
	issuedStep = 30 * time.Minute
	// accuracySpan is the time over which errors are averaged.
	accuracySpan = 14 * day
)

// Leads are the lead times at which forecasts are compared with what came, shortest first.
func Leads() []time.Duration {
	return []time.Duration{time.Hour, 4 * time.Hour, 12 * time.Hour, 24 * time.Hour}
}

// Issued is a forecast as it was known at one time, in whole gCO2e/kWh and without gaps.
type Issued struct {
	// At is when the source gave it.
	At time.Time
	// Forecast begins with the slot that contains At, or with its own first one, in half hours or the source's
	// own longer slots.
	Forecast Series
}

// Issue keeps another forecast that the source gave at now, when the last one is from an earlier hour, and
// drops the oldest. What the forecast knows is averaged over slots of half an hour, up to its first gap.
func Issue(kept []Issued, s Series, now time.Time) []Issued {
	if n := len(kept); n > 0 && !now.Truncate(IssuedEvery).After(kept[n-1].At.Truncate(IssuedEvery)) {
		return kept
	}
	step := comparedStep(s)
	next := Issued{At: now, Forecast: Series{Step: step}}
	begins, _ := s.Begins()
	next.Forecast.Start = later(now, begins).UTC().Truncate(step)
	for t := next.Forecast.Start; t.Before(now.Truncate(step).Add(issuedSpan)); t = t.Add(step) {
		grams, ok := s.Mean(later(t, s.Start), t.Add(step))
		if !ok {
			break
		}
		next.Forecast.Grams = append(next.Forecast.Grams, math.Round(grams))
	}
	if len(next.Forecast.Grams) == 0 {
		return kept
	}
	kept = append(slices.Clone(kept), next)
	return kept[max(0, len(kept)-MaxIssued):]
}

// comparedStep is the step on which a series is compared with others of its source.
func comparedStep(s Series) time.Duration { return max(issuedStep, s.Step) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Accuracy is how far the forecasts of one lead time were from what was published later.
type Accuracy struct {
	// Lead is how long before a slot its forecast was issued, and up to two hours more.
	Lead time.Duration
	// MeanAbsoluteError in gCO2e/kWh, over the last two weeks: from then on a new error takes the place of
	// a mean one.
	MeanAbsoluteError float64
	// Slots that were compared, at most those of two weeks.
	Slots int
}

// Compare adds to the accuracies, one for each of Leads that was ever compared, the slots of the actual
// intensities from the given time on that have ended by to, and tells until when that was done. Slots that
// are not wholly known or were not forecast do not count.
func Compare(accuracies []Accuracy, kept []Issued, actual Series, from, to time.Time) ([]Accuracy, time.Time) {
	step := comparedStep(actual)
	if to = to.UTC().Truncate(step); to.Before(from) {
		return accuracies, from // the source has taken something back
	}
	if len(kept) == 0 || actual.Step <= 0 {
		return accuracies, to
	}
	var compared []Accuracy
	for _, lead := range Leads() {
		a := Accuracy{Lead: lead}
		if i := slices.IndexFunc(accuracies, func(a Accuracy) bool { return a.Lead == lead }); i >= 0 {
			a = accuracies[i]
		}
		for t := later(from, actual.Start).UTC().Truncate(step); t.Before(to); t = t.Add(step) {
			if t.Before(from) {
				continue
			}
			was, known := actual.Mean(t, t.Add(step))
			expected, forecast := issuedFor(kept, t, step, lead)
			if known && forecast {
				a.add(math.Abs(expected-was), int(accuracySpan/step))
			}
		}
		if a.Slots > 0 {
			compared = append(compared, a)
		}
	}
	return compared, to
}

func (a *Accuracy) add(err float64, atMost int) {
	a.Slots = min(a.Slots+1, atMost)
	a.MeanAbsoluteError += (err - a.MeanAbsoluteError) / float64(a.Slots)
}

// issuedFor is what was forecast for the slot that begins at t, the given time before it.
func issuedFor(kept []Issued, t time.Time, step, lead time.Duration) (float64, bool) {
	latest := t.Add(-lead)
	for _, issued := range slices.Backward(kept) {
		if issued.At.After(latest) {
			continue
		}
		if latest.Sub(issued.At) > 2*IssuedEvery {
			return 0, false
		}
		return issued.Forecast.Mean(t, t.Add(step))
	}
	return 0, false
}
