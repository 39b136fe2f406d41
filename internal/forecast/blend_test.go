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
	"testing"
	"time"
)

// meanDay is 0, 10, 20 and so on from midnight, in half hours.
func meanDay() Profile {
	p := Profile{Days: 14, Step: 30 * time.Minute}
	for i := range 48 {
		p.Grams = append(p.Grams, float64(10*i))
	}
	return p
}

func TestBlend(t *testing.T) {
	nan := math.NaN()
	hourly := Series{Start: midnight, Step: time.Hour, Grams: []float64{100, 200}}
	quarters := Series{Start: midnight, Step: 15 * time.Minute, Grams: []float64{100, 100, 200}}
	tests := map[string]struct {
		ahead       Series
		profile     Profile
		from, until int
		start       int
		want        []float64
		horizon     int // -1: none
		early, late Quality
	}{
		"half of each":                 {halfHours(100, 100, 100), meanDay(), 0, 90, 0, []float64{50, 55, 60}, 90, Forecast, MeanDay},
		"the forecast ends first":      {halfHours(100), meanDay(), 10, 100, 0, []float64{50, 10, 20, 30}, 30, Forecast, MeanDay},
		"a gap in the forecast":        {halfHours(100, nan, 100), meanDay(), 0, 90, 0, []float64{50, 55, 60}, 30, Forecast, MeanDay},
		"two gaps":                     {halfHours(nan, 90, nan, nan, 150, nan), meanDay(), 0, 180, 0, []float64{0, 50, 65, 80, 95, 50}, 60, MeanDay, MeanDay},
		"the forecast begins later":    {Series{Start: minute(60), Step: 30 * time.Minute, Grams: []float64{100}}, meanDay(), 35, 90, 30, []float64{10, 60}, 90, MeanDay, MeanDay},
		"slots that ended are left":    {halfHours(100, 100, 100), meanDay(), 65, 90, 60, []float64{60}, 90, Forecast, MeanDay},
		"no forecast":                  {halfHours(nan, nan), meanDay(), 70, 100, 60, []float64{20, 30}, -1, MeanDay, MeanDay},
		"the forecast is over":         {halfHours(100), meanDay(), 70, 100, 60, []float64{20, 30}, -1, MeanDay, MeanDay},
		"no mean day":                  {halfHours(100, nan), Profile{}, 0, 300, 0, []float64{100, nan}, -1, Forecast, Forecast},
		"a mean day with a hole":       {halfHours(100), Profile{Step: 12 * time.Hour, Grams: []float64{1, nan}}, 0, 300, 0, []float64{100}, -1, Forecast, Forecast},
		"nothing at all":               {Series{}, Profile{}, 0, 300, 0, nil, -1, Forecast, Forecast},
		"hours and a mean half hour":   {hourly, meanDay(), 0, 150, 0, []float64{52.5, 112.5, 45}, 120, Forecast, MeanDay},
		"quarters and a mean half our": {quarters, meanDay(), 15, 60, 15, []float64{50, 105, 10}, 45, Forecast, MeanDay},
		"over midnight":                {Series{Start: minute(23 * 60), Step: time.Hour, Grams: []float64{100}}, meanDay(), 23 * 60, 25 * 60, 23 * 60, []float64{282.5, 5}, 24 * 60, Forecast, MeanDay},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			e := Blend(c.ahead, Forecast, c.profile, minute(c.from), minute(c.until))
			same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
			if !slices.EqualFunc(e.Series.Grams, c.want, same) || len(c.want) > 0 && !e.Series.Start.Equal(minute(c.start)) {
				t.Errorf("blend = %v from %s, want %v", e.Series.Grams, e.Series.Start, c.want)
			}
			if c.horizon < 0 != e.Horizon.IsZero() || c.horizon >= 0 && !e.Horizon.Equal(minute(c.horizon)) {
				t.Errorf("horizon = %s, want minute %d", e.Horizon, c.horizon)
			}
			early, late := e.QualityOf(e.Series.Start, e.Series.Start.Add(e.Series.Step)), e.QualityOf(e.Series.Start, minute(10_000))
			if early != c.early || late != c.late {
				t.Errorf("quality = %s, later %s; want %s, later %s", early, late, c.early, c.late)
			}
		})
	}
}

func TestAStaleForecastStaysStaleInABlend(t *testing.T) {
	e := Blend(halfHours(100, 100), Stale, meanDay(), minute(0), minute(90))
	if e.QualityOf(minute(0), minute(60)) != Stale || e.QualityOf(minute(0), minute(61)) != MeanDay {
		t.Errorf("%+v", e)
	}
	if year := (Estimate{Quality: AnnualMean, Outside: MeanDay, Horizon: minute(1)}); year.QualityOf(minute(0), minute(2)) != AnnualMean {
		t.Error("a mean day does not make an annual mean better")
	}
}

// TestAForecastThatHasNotBegun holds that the time before its first slot is unknown, that of the mean day or a
// constant, and never the value of a later slot.
func TestAForecastThatHasNotBegun(t *testing.T) {
	nan := math.NaN()
	later := Series{Start: minute(60), Step: 30 * time.Minute, Grams: []float64{100, 200}}
	same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
	for name, c := range map[string]struct {
		of          Estimate
		want        []float64
		early, late Quality
	}{
		"unknown":            {Blend(later, Forecast, Profile{}, minute(10), minute(120)), []float64{nan, nan, 100, 200}, Forecast, Forecast},
		"unknown, by a gap":  {Blend(halfHours(nan, nan, 100, 200), Forecast, Profile{}, minute(10), minute(120)), []float64{nan, nan, 100, 200}, Forecast, Forecast},
		"of the mean day":    {Blend(later, Forecast, meanDay(), minute(10), minute(120)), []float64{0, 10, 60, 115}, MeanDay, Forecast},
		"the mean of a year": {Blend(later, Stale, Profile{}, minute(10), minute(120)).Until(50, AnnualMean), []float64{50, 50, 100, 200}, AnnualMean, Stale},
	} {
		if !slices.EqualFunc(c.of.Series.Grams, c.want, same) || !c.of.Series.Start.Equal(minute(0)) {
			t.Errorf("%s: %v from %s, want %v", name, c.of.Series.Grams, c.of.Series.Start, c.want)
		}
		if early, late := c.of.QualityOf(minute(59), minute(89)), c.of.QualityOf(minute(60), minute(120)); early != c.early || late != c.late {
			t.Errorf("%s: quality %s, then %s; want %s, then %s", name, early, late, c.early, c.late)
		}
	}
	if later.Grams[0] != 100 || len(later.Grams) != 2 {
		t.Error("the forecast itself was changed")
	}
}
