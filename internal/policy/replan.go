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
	"math"
	"slices"
	"time"
)

// Freeze is the time before a start in which it is not moved any more: whoever starts the job may
// already be at it.
const Freeze = 5 * time.Second

// leastImprovement is what a new start must at least save against the old one, in percent, also for
// jobs that would wait for less.
const leastImprovement = 1.0

// Decision is the part of an earlier plan that Replan needs.
type Decision struct {
	Region string
	Start  time.Time
	// Improvements is how often the plan was moved to a greener start before.
	Improvements int
}

// Replan says whether a new plan, made for the request, takes the place of an earlier one whose job
// has not started. It does when the start moves by more than a slot, or to another region, and saves
// enough: the minimum saving (at least 1 %) against the old start as it is seen now, and twice as much
// with each improvement before. So a start moves at most seven times, however forecasts wander, and
// what changes little writes nothing. A plan whose region cannot be chosen any more is always replaced;
// none is once its start has come or is closer than Freeze, nor by one that knows nothing. The second
// result says whether the new plan is an improvement, and not just the only one left.
func Replan(old Decision, next Plan, r Request) (replace, improves bool) {
	if old.Start.Sub(r.Now) < Freeze {
		return false, false
	}
	regions := ofOneSignal(r.Regions)
	i := indexOfRegion(regions, old.Region)
	if i < 0 || regions[i].Excluded != "" {
		return next.Region != old.Region || !next.Start.Equal(old.Start), false
	}
	series := regions[i].Estimate.Series
	if math.IsNaN(next.Grams) || next.Region == old.Region && next.Start.Sub(old.Start).Abs() <= series.Step {
		return false, false
	}
	before, known := series.Mean(old.Start, old.Start.Add(r.Duration))
	if !known {
		return true, false
	}
	least := max(r.MinimumSavingPercent, leastImprovement) * math.Exp2(float64(old.Improvements))
	improves = next.Grams < before && (before-next.Grams)*100 >= least*before
	return improves, improves
}

func indexOfRegion(regions []Region, name string) int {
	return slices.IndexFunc(regions, func(r Region) bool { return r.Name == name })
}
