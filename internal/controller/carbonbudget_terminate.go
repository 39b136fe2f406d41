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

package controller

import (
	"context"
	"time"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// burnRecheck is how soon to look again for runs of which nothing is known yet, as after a restart.
const burnRecheck = 10 * time.Second

// terminate says whether the limit of a budget that terminates is reached, by what was consumed and
// what the present runs have emitted so far, and when to look again. At that moment nothing is left, so
// all runs are stopped, whichever started first.
func (r *CarbonBudgetReconciler) terminate(ctx context.Context, b *carbonv1alpha1.CarbonBudget, v view, now time.Time) (bool, time.Time, error) {
	if b.Spec.Enforcement != carbonv1alpha1.BudgetTerminate {
		return false, time.Time{}, nil
	}
	loads, again, err := r.burning(ctx, v, now)
	if err != nil {
		return false, time.Time{}, err
	}
	left := policy.Budget{Limit: limitOf(b), Consumed: v.consumed}.Remaining()
	at, ok := policy.Crossing(loads, left, now, breakerHorizon)
	if ok && !now.Before(at) || v.exhausted && !again.IsZero() { // what it was, while nobody knows better
		return true, again, nil
	}
	if next := lookAgain(at, ok, now); len(loads) > 0 && (again.IsZero() || next.Before(again)) {
		again = next
	}
	return false, again, nil
}

// burning are the runs of which it is known how they emit, and when to look again for the others.
func (r *CarbonBudgetReconciler) burning(ctx context.Context, v view, now time.Time) ([]policy.Load, time.Time, error) {
	var loads []policy.Load
	var again time.Time
	for i := range v.runs {
		run := v.runs[i].burn
		if run == nil && v.runs[i].state == reserved {
			again = now.Add(burnRecheck) // its next pass tells how it emits
		}
		if run == nil || !run.known {
			continue
		}
		load, err := r.priced(ctx, run, now)
		if err != nil {
			return nil, time.Time{}, err
		}
		loads = append(loads, load)
	}
	return loads, again, nil
}

// priced is a run as it emits, with the intensities of its region.
func (r *CarbonBudgetReconciler) priced(ctx context.Context, as *burn, now time.Time) (policy.Load, error) {
	region := regionFacts{}
	if as.region != "" {
		found, err := findRegions(ctx, r.Client, []string{as.region})
		if err != nil {
			return policy.Load{}, err
		}
		region = found[0]
	}
	load := as.load
	load.Layers = region.priced(as.first, now)
	return load, nil
}
