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
	"testing"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// randomSeries is a day of half hours from noon on.
func randomSeries(random *rand.Rand) forecast.Series {
	s := forecast.Series{Start: noon, Step: 30 * time.Minute, Grams: make([]float64, 48)}
	for i := range s.Grams {
		s.Grams[i] = math.Round(random.Float64()*900*1000) / 1000
	}
	return s
}

// randomRuns are up to six intervals in order, with pauses, within the day.
func randomRuns(random *rand.Rand) []Interval {
	var runs []Interval
	second := random.IntN(3600)
	for range 1 + random.IntN(6) {
		length := random.IntN(2 * 3600)
		start := noon.Add(time.Duration(second) * time.Second)
		runs = append(runs, Interval{start, start.Add(time.Duration(length) * time.Second)})
		second += length + random.IntN(3600)
	}
	return runs
}

// bySeconds is the energy of so many watts times the intensity, added up second by second, in grams.
func bySeconds(watts float64, s forecast.Series, runs []Interval) float64 {
	grams := 0.0
	for _, r := range runs {
		for t := r.Start; t.Before(r.End); t = t.Add(time.Second) {
			intensity, _ := s.At(t)
			grams += watts / 1000 / 3600 * intensity
		}
	}
	return grams
}

// Whatever the grids, the runs, the attempts and the models: the parts add up to the last nanogram,
// and what a power emitted is what one gets by adding it up second by second.
func TestRandomRunsAddUp(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	models := BuiltIn().Models()
	for i := range 3000 {
		home, chosen, runs := randomSeries(random), randomSeries(random), randomRuns(random)
		total := Total(runs)
		asIfNow := []Interval{{noon, noon.Add(total)}}
		var in Input
		var known [3]bool
		in.HomeAtSubmission, _, known[0] = MeanOverRuns(asIfNow, forecast.Layer{Series: home, Quality: forecast.Actual})
		in.HomeAtRun, _, known[1] = MeanOverRuns(runs, forecast.Layer{Series: home, Quality: forecast.Actual})
		in.ChosenAtRun, _, known[2] = MeanOverRuns(runs, forecast.Layer{Series: chosen, Quality: forecast.Actual})
		if known != [3]bool{true, true, true} {
			t.Fatalf("an intensity within the day is unknown: %v", runs)
		}
		watts := random.Float64() * 5000
		in.RequestedKWh = KWhFromWatts(watts, runs)
		in.EffectiveKWh = in.RequestedKWh
		if i%2 == 0 {
			attempts := Attempts{Completed: random.IntN(2) == 0, Wanted: random.Int32N(5), Succeeded: random.Int32N(5), Lost: random.Int32N(5), Pauses: len(runs) - 1}
			share := attempts.Share(total, time.Duration(1+random.IntN(7200))*time.Second)
			calls := random.Int64N(1_000_000)
			in.RequestedKWh = share * models[random.IntN(len(models))].Inference(EcoLogits011, calls, calls*400).KWh.Mean()
			in.EffectiveKWh = share * models[random.IntN(len(models))].Inference(EcoLogits011, calls, calls*400).KWh.Mean()
		}
		if total > 0 && i%2 == 1 && in.RequestedKWh <= 0 {
			t.Fatalf("%v took nothing", runs)
		}
		e, err := Account(in)
		if err != nil {
			t.Fatalf("%+v: %v", in, err)
		}
		if e.Avoided != e.ByTime+e.ByRegion+e.ByModel || e.Baseline-e.Actual != e.Avoided {
			t.Fatalf("the parts of %+v do not add up: %+v", in, e)
		}
		if i%30 == 1 {
			if want := bySeconds(watts, chosen, runs); math.Abs(float64(e.Actual)/1e9-want) > 1e-6*want+1e-8 {
				t.Fatalf("%v W over %v emitted %s g, second by second %v g", watts, runs, e.Actual, want)
			}
		}
	}
}
