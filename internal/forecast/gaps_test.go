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
	"net/netip"
	"testing"
	"time"
)

const emHour = "2026-10-01T0"

func emPoint(hour, rest string) string {
	return `{"datetime":"` + emHour + hour + `:00:00.000Z",` + rest + `}`
}

// TestElectricityMapsInAnyOrder holds that a forecast may come unsorted, have a point twice, or a gap behind
// its first point.
func TestElectricityMapsInAnyOrder(t *testing.T) {
	a, b, c := emPoint("8", `"carbonIntensity":300`), emPoint("9", `"carbonIntensity":290`), emPoint("9", `"carbonIntensity":null`)
	e, f := `{"datetime":"2026-10-01T10:00:00.000Z","carbonIntensity":280}`, `{"datetime":"2026-10-01T11:00:00.000Z","carbonIntensity":270}`
	nan := math.NaN()
	for name, tt := range map[string]struct {
		points string
		want   []float64
	}{
		"unsorted":             {e + "," + a + "," + b, []float64{310, 300, 290, 280}},
		"twice the same":       {a + "," + a + "," + b, []float64{310, 300, 290}},
		"a gap at the second":  {a + "," + c + "," + e + "," + f, []float64{310, 300, nan, 280, 270}},
		"the second not there": {a + "," + e + "," + f, []float64{310, 300, nan, 280, 270}},
	} {
		trace, _, err := readElectricityMaps(t, map[string]string{
			"forecast": `{"zone":"DE","forecast":[` + tt.points + `]}`,
			"history":  `{"zone":"DE","history":[` + emPoint("7", `"carbonIntensity":310`) + `]}`,
		})
		if err != nil || len(trace.Forecast.Grams) != len(tt.want) || trace.Forecast.Step != time.Hour {
			t.Errorf("%s: %+v, %v", name, trace.Forecast, err)
			continue
		}
		for i, g := range trace.Forecast.Grams {
			if g != tt.want[i] && !(math.IsNaN(g) && math.IsNaN(tt.want[i])) {
				t.Errorf("%s: got %v, want %v", name, trace.Forecast.Grams, tt.want)
				break
			}
		}
	}
}

// TestAHistoryOfBothKinds holds that one actual value does not hide those that are only estimated.
func TestAHistoryOfBothKinds(t *testing.T) {
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	trace := Trace{
		Forecast:  Series{Start: start, Step: time.Hour, Grams: []float64{100, 200, 300, 400}},
		Actual:    Series{Start: start, Step: time.Hour, Grams: []float64{math.NaN(), 210, math.NaN(), math.NaN()}},
		Estimated: Series{Start: start, Step: time.Hour, Grams: []float64{math.NaN(), math.NaN(), 300, math.NaN()}},
	}
	got := trace.actualElseForecast().Grams
	for i, want := range []float64{100, 210, 300} {
		if got[i] != want {
			t.Fatalf("got %v", got)
		}
	}
	if !math.IsNaN(got[3]) {
		t.Errorf("what is yet to be published is forecast, and not the past: %v", got)
	}
	if !math.IsNaN(trace.Actual.Grams[0]) {
		t.Error("the trace itself was changed")
	}
}

// TestASlotIsComparedOnce holds that a source that takes back its last actual value does not have the slot
// before counted again.
func TestASlotIsComparedOnce(t *testing.T) {
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	kept := []Issued{{At: start, Forecast: Series{Start: start, Step: time.Hour, Grams: []float64{1, 2, 3, 4}}}}
	actual := Series{Start: start, Step: time.Hour, Grams: []float64{1, 2, 3, 4}}
	accuracies, until := Compare(nil, kept, actual, start, start.Add(3*time.Hour))
	slots := accuracies[0].Slots
	accuracies, until = Compare(accuracies, kept, actual, until, start.Add(2*time.Hour))
	accuracies, _ = Compare(accuracies, kept, actual, until, start.Add(3*time.Hour))
	if accuracies[0].Slots != slots {
		t.Errorf("%d slots were counted, there are %d", accuracies[0].Slots, slots)
	}
}

// TestOnlyGlobalUnicastIsPublic: 2000::/3 is all that is assigned of it (RFC 4291), and not all of that.
func TestOnlyGlobalUnicastIsPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"2606:4700::1111": true, "::127.0.0.1": false, "::ffff:0:7f00:1": false, "fec0::1": false, "100::1": false,
		"2001::7f00:1": false, "2001:db8::1": false, "5f00::1": false, "192.88.99.1": false, "198.51.100.1": false,
	} {
		if got := isPublic(netip.MustParseAddr(address)); got != want {
			t.Errorf("isPublic(%s) = %t", address, got)
		}
	}
}
