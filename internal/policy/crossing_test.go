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
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

func TestCrossing(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := start.Add
	constant := []forecast.Layer{{Series: forecast.Constant(100, start.Add(-48*time.Hour), start.Add(48*time.Hour)), Quality: forecast.Forecast}}
	steps := []forecast.Layer{{Series: forecast.Series{Start: start, Step: time.Hour, Grams: []float64{100, 300, 100}}, Quality: forecast.Forecast}, constant[0]}
	const gram = estimate.Nanograms(1e9)
	for _, row := range []struct {
		name  string
		loads []Load
		limit estimate.Nanograms
		now   time.Duration
		want  time.Duration // 0: never
	}{
		{"1 kW at 100 g/kWh", []Load{{KW: 1, Since: start, Layers: constant}}, 50 * gram, 0, 30 * time.Minute},
		{"in the second hour, which is dirtier", []Load{{KW: 1, Since: start, Layers: steps}}, 250 * gram, 0, 90 * time.Minute},
		{"two together", []Load{{KW: 1, Since: start, Layers: constant}, {KW: 3, Since: start, Layers: constant}}, 50 * gram, 0, 450 * time.Second},
		{"seen late", []Load{{KW: 1, Since: start, Layers: constant}}, 50 * gram, time.Hour, time.Hour},
		{"with what it emitted before a pause", []Load{{KW: 1, Past: []estimate.Interval{{Start: at(-2 * time.Hour), End: at(-105 * time.Minute)}}, Since: start, Layers: constant}}, 50 * gram, 0, 15 * time.Minute},
		{"its energy is used up before", []Load{{KW: 1, Since: start, Longest: 29 * time.Minute, Layers: constant}}, 50 * gram, 0, 0},
		{"its energy is just enough", []Load{{KW: 1, Since: start, Longest: 30 * time.Minute, Layers: constant}}, 50 * gram, 0, 30 * time.Minute},
		{"its energy is used up, with the past", []Load{{KW: 1, Past: []estimate.Interval{{Start: at(-2 * time.Hour), End: at(-time.Hour)}}, Since: start, Longest: 80 * time.Minute, Layers: constant}}, 150 * gram, 0, 0},
		{"beyond the horizon", []Load{{KW: 1, Since: start, Layers: constant}}, 2500 * gram, 0, 0},
		{"nothing is allowed", []Load{{KW: 1, Since: start, Layers: constant}}, 0, 10 * time.Minute, 10 * time.Minute},
		{"in a pause", []Load{{KW: 1, Past: []estimate.Interval{{Start: at(-2 * time.Hour), End: at(-105 * time.Minute)}}, Layers: constant}}, 50 * gram, 0, 0},
		{"nothing runs", nil, gram, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, ok := Crossing(row.loads, row.limit, at(row.now), 24*time.Hour)
			if ok != (row.want > 0) || ok && !got.Equal(at(row.want)) {
				t.Errorf("got %s %t, want %s", got.Sub(start), ok, row.want)
			}
		})
	}
}

// At the crossing the limit is reached, and a second earlier it was not.
func TestCrossingIsTheFirstSecond(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for range 300 {
		series := forecast.Series{Start: start.Add(-time.Hour), Step: 30 * time.Minute}
		for range 60 {
			series.Grams = append(series.Grams, float64(random.IntN(600)))
		}
		load := Load{
			KW: random.Float64() * 10, Since: start.Add(time.Duration(random.IntN(3600)) * time.Second),
			Longest: time.Duration(random.IntN(24*3600)) * time.Second, Layers: []forecast.Layer{{Series: series, Quality: forecast.Forecast}},
		}
		limit := estimate.Nanograms(random.Int64N(5e12))
		at, ok := Crossing([]Load{load}, limit, start, 24*time.Hour)
		emitted := func(t time.Time) estimate.Nanograms {
			nano, _ := estimate.GramsToNano(load.Emitted(t))
			return nano
		}
		switch {
		case !ok && emitted(start.Add(24*time.Hour)) >= limit:
			t.Fatalf("no crossing, but %s g are emitted in the end, and the limit is %s g", emitted(start.Add(24*time.Hour)), limit)
		case ok && emitted(at) < limit:
			t.Fatalf("only %s of %s g are emitted at the crossing", emitted(at), limit)
		case ok && at.After(start) && emitted(at.Add(-time.Second)) >= limit:
			t.Fatalf("%s of %s g were emitted a second before the crossing", emitted(at.Add(-time.Second)), limit)
		}
	}
}
