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
	"fmt"
	"math"
	"testing"
	"time"
)

func TestAnAnswerAfterAnotherOne(t *testing.T) {
	nan := math.NaN()
	at := func(first int, grams ...float64) Series {
		return Series{Start: minute(30 * first), Step: 30 * time.Minute, Grams: grams}
	}
	hours := Series{Start: minute(0), Step: time.Hour, Grams: []float64{1, 2}}
	for name, c := range map[string]struct {
		earlier, next Trace
		from          int
		want          string // forecast, actual, estimated
	}{
		"it begins with the next slot":  {Trace{Forecast: at(0, 1, 2, 3)}, Trace{Forecast: at(2, 30, 40)}, 0, "[1 2 30 40] [] []"},
		"its first slots are unknown":   {Trace{Forecast: at(0, 1, 2, 3)}, Trace{Forecast: at(0, nan, nan, 30)}, 0, "[1 2 30] [] []"},
		"the earlier one ends before":   {Trace{Forecast: at(0, 1)}, Trace{Forecast: at(2, 30)}, 0, "[1 NaN 30] [] []"},
		"a gap behind stays one":        {Trace{Forecast: at(0, 1, 2, 3, 4)}, Trace{Forecast: at(1, 20, nan, 40)}, 0, "[1 20 NaN 40] [] []"},
		"what is too old is dropped":    {Trace{Forecast: at(0, 1, 2, 3)}, Trace{Forecast: at(3, 40)}, 60, "[3 40] [] []"},
		"with actual values":            {Trace{Forecast: at(0, 1, 2), Actual: at(0, 9)}, Trace{Forecast: at(1, 20, 30), Estimated: at(1, 20)}, 0, "[1 20 30] [9 NaN NaN] [NaN 20 NaN]"},
		"it knows all the earlier does": {Trace{Forecast: at(1, 1, 2)}, Trace{Forecast: at(0, 10, 20, 30)}, 0, "[10 20 30] [] []"},
		"another grid":                  {Trace{Forecast: hours}, Trace{Forecast: at(1, 20)}, 0, "[20] [] []"},
		"nothing was said":              {Trace{}, Trace{Forecast: at(1, 20)}, 0, "[20] [] []"},
		"its past comes hours later":    {Trace{Forecast: at(0, 1, 2, 3, 4)}, Trace{Forecast: at(0, 10, nan, nan, 40), begins: minute(90)}, 0, "[10 2 3 40] [] []"},
		"its past is longer":            {Trace{Forecast: at(2, 3, 4)}, Trace{Forecast: at(0, 10, 20, nan, 40), begins: minute(90)}, 0, "[10 20 3 40] [] []"},
		"it knows nothing":              {Trace{Forecast: at(0, 1)}, Trace{Forecast: at(1, nan)}, 0, "[NaN] [] []"},
	} {
		got := c.next.After(c.earlier, minute(c.from))
		if is := fmt.Sprint(got.Forecast.Grams, got.Actual.Grams, got.Estimated.Grams); is != c.want {
			t.Errorf("%s: %s, want %s", name, is, c.want)
		}
	}
}

func TestKnowsFrom(t *testing.T) {
	s := halfHours(100, math.NaN())
	if !s.KnowsFrom(minute(-90)) || !s.KnowsFrom(minute(29)) || s.KnowsFrom(minute(30)) || s.KnowsFrom(minute(60)) || (Series{}).KnowsFrom(minute(0)) {
		t.Error("a value is known up to its slot's end")
	}
}

func TestSoonest(t *testing.T) {
	nan := math.NaN()
	s := halfHours(nan, 1, nan, 2, 4, 6)
	for name, c := range map[string]struct {
		series           Series
		earliest, latest int
		length           int
		want             string
	}{
		"the first known slot":     {s, 0, 180, 30, "30 1"},
		"a part of it":             {s, 0, 180, 10, "30 1"},
		"behind a gap":             {s, 0, 180, 60, "90 3"},
		"from a slot's start only": {s, 91, 180, 30, "120 4"},
		"too late":                 {s, 0, 89, 60, "none"},
		"too long":                 {s, 0, 180, 91, "none"},
		"exactly as long":          {s, 0, 180, 90, "90 4"},
		"nothing known":            {halfHours(nan), 0, 180, 30, "none"},
		"nothing":                  {Series{}, 0, 180, 30, "none"},
	} {
		got := "none"
		if w, ok := c.series.Soonest(minute(c.earliest), minute(c.latest), time.Duration(c.length)*time.Minute); ok {
			got = fmt.Sprint(w.Start.Sub(midnight).Minutes(), w.Grams)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestAnIssuedForecastThatBeginsLater holds that its first value is not taken for the slot before.
func TestAnIssuedForecastThatBeginsLater(t *testing.T) {
	kept := Issue(nil, Series{Start: minute(30), Step: 30 * time.Minute, Grams: []float64{300, 400}}, minute(10))
	if len(kept) != 1 || !kept[0].Forecast.Start.Equal(minute(30)) || fmt.Sprint(kept[0].Forecast.Grams) != "[300 400]" {
		t.Errorf("%+v", kept)
	}
}
