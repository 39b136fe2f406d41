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
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// Interval is a time in which a job ran.
type Interval struct{ Start, End time.Time }

// KWhFromWatts is the energy in kWh of a load of so many watts over all the intervals.
func KWhFromWatts(watts float64, runs []Interval) float64 {
	const wattHoursPerKWh = 1000
	return watts * Total(runs).Hours() / wattHoursPerKWh
}

// Total is the length of all intervals together.
func Total(runs []Interval) time.Duration {
	var total time.Duration
	for _, r := range runs {
		total += max(0, r.End.Sub(r.Start))
	}
	return total
}

// MeanOverRuns is the mean carbon intensity (gCO2e/kWh) over several run intervals, weighted by
// their length, and the worst quality used. It is false when some instant of a run is known to no
// layer, or there is no run.
func MeanOverRuns(runs []Interval, layers ...forecast.Layer) (float64, forecast.Quality, bool) {
	total := Total(runs)
	if len(runs) == 0 {
		return 0, "", false
	}
	if total == 0 {
		return forecast.MeanLayers(runs[0].Start, runs[0].Start, layers...)
	}
	sum, worst := 0.0, forecast.Quality("")
	for _, r := range runs {
		if !r.Start.Before(r.End) {
			continue
		}
		mean, quality, ok := forecast.MeanLayers(r.Start, r.End, layers...)
		if !ok {
			return 0, "", false
		}
		sum += mean * r.End.Sub(r.Start).Seconds()
		worst = forecast.Worst(worst, quality)
	}
	return sum / total.Seconds(), worst, true
}
