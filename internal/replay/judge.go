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

package replay

import (
	"math"
	"slices"
	"time"
)

// judge compares the runs of a policy with those of starting at once and of the oracle.
func judge(runs, now, oracle []Run, energyKWh float64) Outcome {
	o := Outcome{Runs: runs, Grams: round(total(runs) * energyKWh)}
	baseline := total(now)
	if baseline > 0 {
		o.ReductionPercent = round(100 * (baseline - total(runs)) / baseline)
	}
	if most := baseline - total(oracle); most > tolerance {
		capture := round(100 * (baseline - total(runs)) / most)
		o.OracleCapturePercent = &capture
	}
	daily, dailyNow := Daily(runs), Daily(now)
	for day := range daily {
		if daily[day] > dailyNow[day]+tolerance {
			o.DaysWorse++
		}
	}
	delays, worse := make([]float64, len(runs)), 0
	for i, r := range runs {
		delays[i] = r.Start.Sub(r.Submitted).Hours()
		o.MeanDelayHours += delays[i] / float64(len(runs))
		if r.GramsPerKWh > now[i].GramsPerKWh+tolerance {
			worse++
		}
	}
	o.MeanDelayHours, o.MedianDelayHours = round(o.MeanDelayHours), round(median(delays))
	o.WorseThanNowPercent = round(100 * float64(worse) / float64(len(runs)))
	o.PeakStartsPerMinute = peak(runs)
	return o
}

// Daily is the sum of the runs' intensities for each day of submission, in gCO2e/kWh.
func Daily(runs []Run) []float64 {
	var sums []float64
	for _, r := range runs {
		for len(sums) <= r.Day {
			sums = append(sums, 0)
		}
		sums[r.Day] += r.GramsPerKWh
	}
	return sums
}

func total(runs []Run) float64 {
	sum := 0.0
	for _, r := range runs {
		sum += r.GramsPerKWh
	}
	return sum
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// peak is the number of starts in the busiest minute.
func peak(runs []Run) int {
	starts, most := map[time.Time]int{}, 0
	for _, r := range runs {
		minute := r.Start.Truncate(time.Minute)
		starts[minute]++
		most = max(most, starts[minute])
	}
	return most
}

// round cuts off what floating point adds behind the ninth digit.
func round(x float64) float64 { return math.Round(x*1e9) / 1e9 }
