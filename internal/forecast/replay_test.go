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
	"strings"
	"testing"
	"time"
)

func TestReplayMovesAndSpeedsUp(t *testing.T) {
	anchor := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	trace := Trace{Forecast: halfHours(1, 2, 3, 4), Actual: halfHours(11, 12, 13, 14)}
	played, err := trace.Replay(Replay{From: minute(30), Anchor: anchor, Speed: 360})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []Series{played.Forecast, played.Actual} {
		if s.Step != 5*time.Second || !s.Start.Equal(anchor.Add(-5*time.Second)) {
			t.Errorf("series = %+v", s)
		}
	}
	if g, _ := played.Forecast.At(anchor); g != 2 {
		t.Errorf("at the anchor %v, want the value of the slot at From", g)
	}
}

func TestReplayErrors(t *testing.T) {
	trace := Trace{Forecast: halfHours(1, 2, 3, 4)}
	for name, c := range map[string]struct {
		replay Replay
		want   string
	}{
		"too early":   {Replay{From: minute(-1), Speed: 1}, "replay.from (2026-02-13T23:59:00Z) is outside the trace (2026-02-14T00:00:00Z to 2026-02-14T02:00:00Z)"},
		"at the end":  {Replay{From: minute(120), Speed: 1}, "outside the trace"},
		"no speed":    {Replay{From: minute(0)}, "replay.speed must be at least 1"},
		"odd seconds": {Replay{From: minute(0), Speed: 7}, "must last a whole number of seconds"},
		"half second": {Replay{From: minute(0), Speed: 3600}, "a slot of 30m0s would last 500ms"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := trace.Replay(c.replay); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestKnownHidesTheFuture(t *testing.T) {
	trace := Trace{Forecast: halfHours(1, 2, 3, 4, 5), Actual: halfHours(11, 12, nan, 14, 15), Estimated: halfHours(nan, 32)}
	letters := map[Quality]string{Actual: "A", Estimated: "E", Forecast: "F"}
	for name, c := range map[string]struct {
		now              time.Time
		forecast, recent []float64
		until            time.Time
		qualities        string
	}{
		"before the trace":     {minute(-10), []float64{1, 2, 3, 4, 5}, nil, time.Time{}, ""},
		"a slot starts now":    {minute(30), []float64{2, 3, 4, 5}, []float64{11}, minute(30), "A"},
		"within a slot":        {minute(59), []float64{2, 3, 4, 5}, []float64{11}, minute(30), "A"},
		"no actual value":      {minute(90), []float64{4, 5}, []float64{11, 12, 3}, minute(60), "AAF"},
		"the last slot":        {minute(149), []float64{5}, []float64{11, 12, 3, 14}, minute(120), "AAFA"},
		"at the end":           {minute(150), nil, []float64{11, 12, 3, 14, 15}, minute(150), "AAFAA"},
		"long after the trace": {minute(10_000), nil, nil, time.Time{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			forecast, recent := trace.Known(c.now, 72*time.Hour, 48*time.Hour)
			until, qualities := recent.ActualUntil(), ""
			for _, q := range recent.Qualities {
				qualities += letters[q]
			}
			if qualities != c.qualities {
				t.Errorf("qualities = %s, want %s", qualities, c.qualities)
			}
			if !equal(forecast.Grams, c.forecast) || !equal(recent.Grams, c.recent) || !until.Equal(c.until) {
				t.Errorf("Known = %v, %v, %v; want %v, %v, %v", forecast.Grams, recent.Grams, until, c.forecast, c.recent, c.until)
			}
		})
	}
}

func TestKnownIsBounded(t *testing.T) {
	trace := Trace{Forecast: halfHours(1, 2, 3, 4, 5, 6, 7, 8)}
	forecast, recent := trace.Known(minute(125), time.Hour, time.Hour)
	if !equal(forecast.Grams, []float64{5, 6, 7}) || !equal(recent.Grams, []float64{3, 4}) {
		t.Errorf("Known = %v, %v", forecast.Grams, recent.Grams)
	}
}

func TestWhatTheSourceEstimatedIsBetterThanItsForecast(t *testing.T) {
	trace := Trace{Forecast: halfHours(1, 2, 3), Actual: halfHours(11, nan, nan), Estimated: halfHours(21, 22, nan)}
	_, recent := trace.Known(minute(90), time.Hour, 2*time.Hour)
	if !equal(recent.Grams, []float64{11, 22, 3}) || !equal(recent.Of(Estimated).Grams, []float64{nan, 22, nan}) ||
		!equal(recent.Of(Actual).Grams, []float64{11, nan, nan}) {
		t.Errorf("Known = %v", recent)
	}
}

func equal(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !(math.IsNaN(a[i]) && math.IsNaN(b[i])) {
			return false
		}
	}
	return true
}
