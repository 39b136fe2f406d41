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
	"math/rand/v2"
	"strings"
	"testing"
)

func TestAccountByHand(t *testing.T) {
	tests := []struct {
		name string
		in   Input
		want Emissions
	}{
		{
			name: "all three causes",
			in:   Input{RequestedKWh: 2, EffectiveKWh: 0.5, HomeAtSubmission: 300, HomeAtRun: 250, ChosenAtRun: 100},
			// 2 x (300 - 250), 2 x (250 - 100), 1.5 x 100, 0.5 x 100.
			want: Emissions{ByTime: 100e9, ByRegion: 300e9, ByModel: 150e9, Actual: 50e9, Avoided: 550e9, Baseline: 600e9},
		},
		{
			name: "a run that turned out dirtier avoided less than nothing",
			in:   Input{RequestedKWh: 1, EffectiveKWh: 1, HomeAtSubmission: 100, HomeAtRun: 180, ChosenAtRun: 180},
			want: Emissions{ByTime: -80e9, Actual: 180e9, Avoided: -80e9, Baseline: 100e9},
		},
		{
			name: "a clean grid",
			in:   Input{RequestedKWh: 1, EffectiveKWh: 1},
			want: Emissions{},
		},
		{
			name: "eight significant digits: one third of a kWh",
			in:   Input{RequestedKWh: 1.0 / 3, EffectiveKWh: 1.0 / 3, HomeAtSubmission: 100, HomeAtRun: 100, ChosenAtRun: 100},
			want: Emissions{Actual: 33333333e3, Baseline: 33333333e3},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Account(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// Whatever the input: the parts add up exactly, and each is the formula's value but for its rounding.
func TestAccountPartsAddUp(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	magnitude := func() float64 { return random.Float64() * math.Pow10(random.IntN(12)-8) }
	for range 100_000 {
		in := Input{
			RequestedKWh: magnitude(), EffectiveKWh: magnitude(),
			HomeAtSubmission: random.Float64() * 1000, HomeAtRun: random.Float64() * 1000, ChosenAtRun: random.Float64() * 1000,
		}
		e, err := Account(in)
		if err != nil {
			t.Fatalf("%+v: %v", in, err)
		}
		if e.Avoided != e.ByTime+e.ByRegion+e.ByModel || e.Baseline != e.Actual+e.Avoided {
			t.Fatalf("the parts of %+v do not add up: %+v", in, e)
		}
		baseline := in.RequestedKWh * in.HomeAtSubmission
		largest := max(baseline, in.EffectiveKWh*in.ChosenAtRun, in.RequestedKWh*in.HomeAtRun, in.RequestedKWh*in.ChosenAtRun)
		tolerance := largest*2e-7 + 4e-9 // half a unit of each of four parts
		for name, pair := range map[string][2]float64{
			"baseline": {float64(e.Baseline) / 1e9, baseline},
			"actual":   {float64(e.Actual) / 1e9, in.EffectiveKWh * in.ChosenAtRun},
			"time":     {float64(e.ByTime) / 1e9, in.RequestedKWh * (in.HomeAtSubmission - in.HomeAtRun)},
			"region":   {float64(e.ByRegion) / 1e9, in.RequestedKWh * (in.HomeAtRun - in.ChosenAtRun)},
			"model":    {float64(e.ByModel) / 1e9, (in.RequestedKWh - in.EffectiveKWh) * in.ChosenAtRun},
		} {
			if math.Abs(pair[0]-pair[1]) > tolerance {
				t.Fatalf("%s of %+v is %v, by the formula %v", name, in, pair[0], pair[1])
			}
		}
	}
}

func TestAccountRefusesWhatIsUnknown(t *testing.T) {
	good := Input{RequestedKWh: 1, EffectiveKWh: 1, HomeAtSubmission: 1, HomeAtRun: 1, ChosenAtRun: 1}
	tests := map[string]func(*Input){
		"requested energy":                          func(in *Input) { in.RequestedKWh = math.NaN() },
		"effective energy":                          func(in *Input) { in.EffectiveKWh = -1 },
		"intensity at home at submission":           func(in *Input) { in.HomeAtSubmission = math.NaN() },
		"intensity at home at the run":              func(in *Input) { in.HomeAtRun = -0.1 },
		"intensity in the chosen region at the run": func(in *Input) { in.ChosenAtRun = math.NaN() },
	}
	for name, spoil := range tests {
		in := good
		spoil(&in)
		if _, err := Account(in); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: the error does not name it: %v", name, err)
		}
	}
	for _, huge := range []float64{math.Inf(1), 1e300} {
		in := good
		in.EffectiveKWh = huge
		if e, err := Account(in); err == nil {
			t.Errorf("%v kWh were recorded as %+v", huge, e)
		}
	}
}
