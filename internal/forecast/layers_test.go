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
	"testing"
)

func TestMeanLayersTakesTheBestLayerAtEveryInstant(t *testing.T) {
	actual := Layer{halfHours(100, nan, 300), Actual}
	expected := Layer{halfHours(150, 200, 350, 400), Forecast}
	yearly := Layer{Constant(250, minute(-600), minute(600)), AnnualMean}
	for name, c := range map[string]struct {
		from, to int
		layers   []Layer
		grams    float64
		quality  Quality
		known    bool
	}{
		"only actual":                 {0, 30, []Layer{actual, expected}, 100, Actual, true},
		"a gap is filled":             {0, 60, []Layer{actual, expected}, 150, Forecast, true},
		"the last resort":             {-30, 30, []Layer{actual, expected, yearly}, 175, AnnualMean, true},
		"an instant":                  {40, 40, []Layer{actual, expected}, 200, Forecast, true},
		"unknown to all":              {90, 121, []Layer{actual, expected}, 0, "", false},
		"no layer":                    {0, 30, nil, 0, "", false},
		"backwards":                   {30, 0, []Layer{actual}, 0, "", false},
		"a long slot does not shadow": {-30, 60, []Layer{actual, yearly}, (250 + 100 + 250) / 3.0, AnnualMean, true},
	} {
		t.Run(name, func(t *testing.T) {
			grams, quality, known := MeanLayers(minute(c.from), minute(c.to), c.layers...)
			if known != c.known || quality != c.quality || math.Abs(grams-c.grams) > 1e-9 {
				t.Errorf("MeanLayers = %v, %q, %v; want %v, %q, %v", grams, quality, known, c.grams, c.quality, c.known)
			}
		})
	}
}

func TestWorst(t *testing.T) {
	order := []Quality{"", Actual, Forecast, Stale, AnnualMean}
	for i, a := range order {
		for j, b := range order {
			if want := order[max(i, j)]; Worst(a, b) != want {
				t.Errorf("Worst(%q, %q) = %q, want %q", a, b, Worst(a, b), want)
			}
		}
	}
}
