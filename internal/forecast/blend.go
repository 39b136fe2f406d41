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

// forecastWeight is the share of the provider's forecast in an estimate; the mean day has the rest.
// Equal weights are the usual choice where nothing says which of two forecasts is better, and need no
// training (Clemen, Combining forecasts, International Journal of Forecasting 5, 1989). docs/replay.md
// tells what the mean day adds.
const forecastWeight = 0.5

// Estimate is what is expected of a region's carbon intensity at some time, and how far that can be
// trusted.
type Estimate struct {
	// Series in gCO2e/kWh.
	Series Series
	// Quality of the values that end by Horizon.
	Quality Quality
	// Horizon is the end of what the provider's forecast covers without a gap: from there on the mean
	// day may stand alone. Zero when all values are of one quality.
	Horizon time.Time
}

// QualityUntil is the quality of a window that ends at end.
func (e Estimate) QualityUntil(end time.Time) Quality {
	if !e.Horizon.IsZero() && end.After(e.Horizon) {
		return Worst(e.Quality, MeanDay)
	}
	return e.Quality
}

// Blend is the estimate from a provider's forecast, of the given quality, and the mean day of the
// same source: half of each where both are known, on the forecast's grid, which goes on to until.
// Where the forecast has a gap or has ended, the mean day stands alone; without a mean day it is the
// forecast; without a forecast the mean day, on its own grid. The estimate begins with the slot that
// contains from, as far as something is known of it. Both must have the same signal: an average and a
// marginal intensity cannot be mixed.
func Blend(ahead Series, quality Quality, meanDay Profile, from, until time.Time) Estimate {
	ahead = ahead.Clip(from, until)
	switch {
	case !meanDay.known():
		return Estimate{Series: ahead, Quality: quality}
	case ahead.Empty():
		return Estimate{Series: meanDay.Series(from, until), Quality: MeanDay}
	}
	missing := ceilTo(max(0, ahead.Start.Sub(from)), ahead.Step)
	blend := Series{Start: ahead.Start.Add(-missing), Step: ahead.Step}
	blend.Grams = make([]float64, ceilTo(until.Sub(blend.Start), blend.Step)/blend.Step)
	horizon, unbroken := blend.Start, true
	for i := range blend.Grams {
		slot := blend.Start.Add(time.Duration(i) * blend.Step)
		blend.Grams[i] = meanDay.mean(slot, slot.Add(blend.Step))
		provided, ok := ahead.At(slot)
		if ok {
			blend.Grams[i] = forecastWeight*provided + (1-forecastWeight)*blend.Grams[i]
		}
		if unbroken = unbroken && ok; unbroken {
			horizon = slot.Add(blend.Step)
		}
	}
	return Estimate{Series: blend, Quality: quality, Horizon: horizon}
}

// known says whether the profile knows every time of the day.
func (p Profile) known() bool {
	return p.Step > 0 && time.Duration(len(p.Grams))*p.Step == day && !slices.ContainsFunc(p.Grams, math.IsNaN)
}

// mean is the profile's time-weighted mean over [from, to) in gCO2e/kWh.
func (p Profile) mean(from, to time.Time) float64 {
	sum := 0.0
	for t := from; t.Before(to); {
		end := t.Truncate(p.Step).Add(p.Step)
		sum += p.at(t) * overlap(t, end, from, to).Seconds()
		t = end
	}
	return sum / to.Sub(from).Seconds()
}

func (p Profile) at(t time.Time) float64 {
	return p.Grams[t.Sub(t.Truncate(day))/p.Step]
}
