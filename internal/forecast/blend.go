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
	// Quality of the values from Begins to Horizon, and of those Outside.
	Quality, Outside Quality
	// Begins is where the provider's forecast begins, Horizon the end of what it covers without a gap. Zero
	// when there is no such bound.
	Begins, Horizon time.Time
}

// QualityOf is the quality of the window [from, to).
func (e Estimate) QualityOf(from, to time.Time) Quality {
	if from.Before(e.Begins) || !e.Horizon.IsZero() && to.After(e.Horizon) {
		return Worst(e.Quality, e.Outside)
	}
	return e.Quality
}

// Blend is the estimate from a provider's forecast, of the given quality, and the mean day of the
// same source: half of each where both are known, on the forecast's grid, which goes on to until.
// Where the forecast has not begun or has ended, the mean day stands alone. In a gap the forecast is taken to be as far
// from the mean day as it is on both sides: on a windy day the mean day alone would stand out as a peak there, on a calm
// one as the greenest time of all. Without a mean day all of that is unknown; without a forecast it is the mean day, on
// its own grid. The estimate begins with the
// slot that contains from, as far as something is known of it. Both must have the same signal: an average
// and a marginal intensity cannot be mixed.
func Blend(ahead Series, quality Quality, meanDay Profile, from, until time.Time) Estimate {
	ahead = ahead.Clip(from, until)
	switch {
	case ahead.Empty() && meanDay.known():
		return Estimate{Series: meanDay.Series(from, until), Quality: MeanDay}
	case ahead.Empty():
		return Estimate{Series: ahead, Quality: quality}
	}
	ahead = ahead.beginningAt(from)
	blend := Estimate{Series: ahead, Quality: quality}
	if begins, _ := ahead.Begins(); begins.After(from) {
		blend.Begins = begins
	}
	if meanDay.known() {
		blend.addMeanDay(meanDay, until)
	}
	return blend
}

// addMeanDay mixes the mean day into the forecast, and puts it where that knows nothing.
func (e *Estimate) addMeanDay(meanDay Profile, until time.Time) {
	ahead := e.Series
	e.Outside, e.Horizon = MeanDay, later(ahead.Start, e.Begins)
	e.Series.Grams = make([]float64, ceilTo(until.Sub(ahead.Start), ahead.Step)/ahead.Step)
	unbroken, last, apart := true, -1, 0.0 // the last slot with a forecast, and how far it took the estimate off the mean day
	for i := range e.Series.Grams {
		slot := ahead.Start.Add(time.Duration(i) * ahead.Step)
		e.Series.Grams[i] = meanDay.mean(slot, slot.Add(ahead.Step))
		provided, ok := ahead.At(slot)
		if ok {
			mean := e.Series.Grams[i]
			e.Series.Grams[i] = forecastWeight*provided + (1-forecastWeight)*mean
			before := apart
			apart = e.Series.Grams[i] - mean
			if last >= 0 {
				bridge(e.Series.Grams[last+1:i], before, apart)
			}
			last = i
		}
		if slot.Before(e.Begins) {
			continue
		}
		if unbroken = unbroken && ok; unbroken {
			e.Horizon = slot.Add(ahead.Step)
		}
	}
}

// bridge moves the values in a gap by what is between those before and after it.
func bridge(gap []float64, before, after float64) {
	for i := range gap {
		gap[i] += before + (after-before)*float64(i+1)/float64(len(gap)+1)
	}
}

// Until puts a constant intensity in gCO2e/kWh, of the given quality, where the estimate's forecast has not
// begun.
func (e Estimate) Until(grams float64, quality Quality) Estimate {
	e.Outside, e.Series.Grams = quality, slices.Clone(e.Series.Grams)
	for i := range e.Series.Grams {
		if slot := e.Series.Start.Add(time.Duration(i) * e.Series.Step); slot.Before(e.Begins) {
			e.Series.Grams[i] = grams
		}
	}
	return e
}

// beginningAt is the series with unknown slots before it, so that it begins with the one that contains t.
func (s Series) beginningAt(t time.Time) Series {
	missing := ceilTo(max(0, s.Start.Sub(t)), s.Step)
	if missing == 0 {
		return s
	}
	before := unknown(s.Start.Add(-missing), s.Step, int(missing/s.Step))
	before.Grams = append(before.Grams, s.Grams...)
	return before
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
