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
	"math/rand/v2"
	"testing"
	"time"
)

var (
	midnight = time.Date(2026, 2, 14, 0, 0, 0, 0, time.UTC)
	nan      = math.NaN()
)

func halfHours(grams ...float64) Series {
	return Series{Start: midnight, Step: 30 * time.Minute, Grams: grams}
}

func minute(m int) time.Time { return midnight.Add(time.Duration(m) * time.Minute) }

// randomSeries has up to 12 slots, whole numbers so that ties occur, and gaps now and then.
func randomSeries(r *rand.Rand) Series {
	s := Series{Start: midnight, Step: time.Duration(1+r.IntN(20)) * time.Second, Grams: make([]float64, 1+r.IntN(12))}
	for i := range s.Grams {
		s.Grams[i] = float64(r.IntN(8) * 50)
		if r.IntN(12) == 0 {
			s.Grams[i] = nan
		}
	}
	return s
}

func TestSeriesAt(t *testing.T) {
	s := halfHours(100, nan, 300)
	for name, c := range map[string]struct {
		at    time.Time
		grams float64
		known bool
	}{
		"before the series":              {minute(-1), 0, false},
		"at the start of a slot":         {minute(0), 100, true},
		"in a slot":                      {minute(29), 100, true},
		"in a gap":                       {minute(30), 0, false},
		"the end of a slot is not in it": {minute(60), 300, true},
		"at the end of the series":       {minute(90), 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			if grams, known := s.At(c.at); grams != c.grams || known != c.known {
				t.Errorf("At = %v, %v; want %v, %v", grams, known, c.grams, c.known)
			}
		})
	}
}

func TestSeriesMean(t *testing.T) {
	s := halfHours(100, 200, nan, 400)
	for name, c := range map[string]struct {
		from, to int
		grams    float64
		known    bool
	}{
		"one slot":            {0, 30, 100, true},
		"weighted by time":    {20, 50, (10*100 + 20*200) / 30.0, true},
		"an instant":          {45, 45, 200, true},
		"touches a gap":       {45, 61, 0, false},
		"ends where a gap is": {45, 60, 200, true},
		"before the start":    {-1, 10, 0, false},
		"past the end":        {100, 121, 0, false},
		"backwards":           {30, 10, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			grams, known := s.Mean(minute(c.from), minute(c.to))
			if known != c.known || known && math.Abs(grams-c.grams) > 1e-9 {
				t.Errorf("Mean = %v, %v; want %v, %v", grams, known, c.grams, c.known)
			}
		})
	}
}

func TestSeriesClipKeepsEveryOverlappingSlotAndItsValue(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		s := randomSeries(r)
		from := s.Start.Add(time.Duration(r.IntN(300)-60) * time.Second)
		to := from.Add(time.Duration(r.IntN(120)) * time.Second)
		clipped := s.Clip(from, to)
		for i, want := range s.Grams {
			start := s.Start.Add(time.Duration(i) * s.Step)
			overlaps := start.Before(to) && from.Before(start.Add(s.Step)) && from.Before(to)
			got, known := clipped.At(start)
			if inside := overlaps && !math.IsNaN(want); known != inside || known && got != want {
				t.Fatalf("Clip(%s, %s) of %+v: slot %d is %v, %v", from, to, s, i, got, known)
			}
		}
	}
}

func TestSeriesValidate(t *testing.T) {
	for name, c := range map[string]struct {
		series Series
		valid  bool
	}{
		"good":           {halfHours(0, 100, nan), true},
		"no step":        {Series{Start: midnight, Grams: []float64{1}}, false},
		"half a second":  {Series{Start: midnight.Add(time.Second / 2), Step: time.Minute}, false},
		"negative value": {halfHours(-1), false},
		"infinite value": {halfHours(math.Inf(1)), false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.series.Validate(); (err == nil) != c.valid {
				t.Errorf("Validate = %v, want valid %v", err, c.valid)
			}
		})
	}
}
