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
	"slices"
	"time"
)

// Quality says how far a carbon intensity can be trusted, best first.
type Quality string

// The qualities, best first.
const (
	// Actual is a published, measured value.
	Actual Quality = "Actual"
	// Estimated is a value of the past that its source estimated, for want of measurements.
	Estimated Quality = "Estimated"
	// Forecast is a forecast that is up to date.
	Forecast Quality = "Forecast"
	// Stale is the last good forecast of a source that does not answer any more.
	Stale Quality = "Stale"
	// MeanDay is the mean of the same time of day over the last days.
	MeanDay Quality = "Profile"
	// AnnualMean is a fixed or yearly figure: it knows no time of day.
	AnnualMean Quality = "AnnualMean"
)

var qualityOrder = []Quality{Actual, Estimated, Forecast, Stale, MeanDay, AnnualMean}

// Worst is the less trustworthy of two qualities; the empty quality is better than any.
func Worst(a, b Quality) Quality {
	if slices.Index(qualityOrder, a) >= slices.Index(qualityOrder, b) {
		return a
	}
	return b
}

// Layer is a series together with the quality of its values.
type Layer struct {
	Series  Series
	Quality Quality
}

// MeanLayers is the time-weighted mean over [from, to] in gCO2e/kWh, where at every instant the
// first layer that knows a value counts, and the worst quality among those used. False when some
// instant is known to no layer. For to equal to from it is the value at from.
func MeanLayers(from, to time.Time, layers ...Layer) (float64, Quality, bool) {
	if to.Before(from) {
		return 0, "", false
	}
	var worst Quality
	if to.Equal(from) {
		grams, quality, _, ok := firstKnown(from, layers)
		return grams, quality, ok
	}
	sum := 0.0
	for t := from; t.Before(to); {
		grams, quality, until, ok := firstKnown(t, layers)
		if !ok {
			return 0, "", false
		}
		if until.After(to) {
			until = to
		}
		sum += grams * until.Sub(t).Seconds()
		worst = Worst(worst, quality)
		t = until
	}
	return sum / to.Sub(from).Seconds(), worst, true
}

// ValueAt is the value at t in gCO2e/kWh of the first layer that knows one, its quality, and until when
// it holds; false when no layer knows one.
func ValueAt(t time.Time, layers ...Layer) (grams float64, quality Quality, until time.Time, ok bool) {
	return firstKnown(t, layers)
}

// firstKnown is the value at t of the first layer that knows one, and until when that holds: a
// better layer may begin before the slot of a worse one ends.
func firstKnown(t time.Time, layers []Layer) (grams float64, quality Quality, until time.Time, ok bool) {
	var betterBegins time.Time
	for _, l := range layers {
		g, known := l.Series.At(t)
		if !known {
			if next, has := l.Series.nextBoundary(t); has && (betterBegins.IsZero() || next.Before(betterBegins)) {
				betterBegins = next
			}
			continue
		}
		until, _ = l.Series.SlotEnd(t)
		if !betterBegins.IsZero() && betterBegins.Before(until) {
			until = betterBegins
		}
		return g, l.Quality, until, true
	}
	return 0, "", time.Time{}, false
}

// nextBoundary is the first slot boundary after t at which the series might know a value.
func (s Series) nextBoundary(t time.Time) (time.Time, bool) {
	if t.Before(s.Start) {
		return s.Start, len(s.Grams) > 0
	}
	return s.SlotEnd(t)
}
