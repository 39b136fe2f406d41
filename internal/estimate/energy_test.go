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

package estimate

import (
	"math"
	"testing"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

var noon = time.Date(2026, 2, 14, 12, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

func TestKWhFromWatts(t *testing.T) {
	runs := []Interval{{at(0), at(30)}, {at(60), at(90)}}
	if got := KWhFromWatts(700, runs); got != 0.7 {
		t.Errorf("700 W over an hour in two parts are %v kWh", got)
	}
	if got := KWhFromWatts(700, nil); got != 0 {
		t.Errorf("no run took %v kWh", got)
	}
}

func TestTotalCountsNoTimeBackwards(t *testing.T) {
	if got := Total([]Interval{{at(0), at(10)}, {at(30), at(20)}}); got != 10*time.Minute {
		t.Errorf("got %s", got)
	}
}

func TestMeanOverRuns(t *testing.T) {
	series := forecast.Series{Start: noon, Step: 30 * time.Minute, Grams: []float64{100, 200, math.NaN(), 400}}
	published := forecast.Layer{Series: series.Clip(noon, at(30)), Quality: forecast.Actual}
	expected := forecast.Layer{Series: series, Quality: forecast.Forecast}
	tests := []struct {
		name    string
		runs    []Interval
		want    float64
		quality forecast.Quality
		known   bool
	}{
		{"no run", nil, 0, "", false},
		{"within what is published", []Interval{{at(0), at(30)}}, 100, forecast.Actual, true},
		{"two runs by their length, and the worse quality", []Interval{{at(0), at(10)}, {at(30), at(60)}}, 175, forecast.Forecast, true},
		{"a run of no length", []Interval{{at(30), at(30)}}, 200, forecast.Forecast, true},
		{"one of two runs without length", []Interval{{at(0), at(0)}, {at(30), at(40)}}, 200, forecast.Forecast, true},
		{"into a gap", []Interval{{at(50), at(70)}}, 0, "", false},
		{"one run known, one not", []Interval{{at(0), at(30)}, {at(60), at(70)}}, 0, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, quality, known := MeanOverRuns(tt.runs, published, expected)
			if got != tt.want || quality != tt.quality || known != tt.known {
				t.Errorf("got %v %q %t, want %v %q %t", got, quality, known, tt.want, tt.quality, tt.known)
			}
		})
	}
}
