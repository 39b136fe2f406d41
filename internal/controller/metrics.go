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
	"errors"
	"fmt"
	"math"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/metrics"
)

// statusNew is the status of a job that was not looked at yet.
const statusNew = "New"

// ObserveWithManager has the state of the cluster told at every scrape of the metrics, from the cache:
// the jobs by the leader, and by every process its own grams, priced by the intensity of the named
// GridRegion; of the default one for an empty name.
func ObserveWithManager(ctx context.Context, mgr ctrl.Manager, now clock.PassiveClock, ownRegion string) error {
	cache := mgr.GetClient()
	leads := func() bool {
		select {
		case <-mgr.Elected():
			return true
		default:
			return false
		}
	}
	err := errors.Join(
		metrics.ObserveJobs(func() (metrics.Jobs, bool) {
			if !leads() {
				return metrics.Jobs{}, false
			}
			return CountJobs(ctx, cache, now)
		}),
		metrics.ObserveBudgets(func() []metrics.Budget {
			if !leads() {
				return nil
			}
			return ListBudgets(ctx, cache)
		}),
		metrics.ObserveOperator(func() (float64, bool) { return ownIntensity(ctx, cache, now, ownRegion) }),
	)
	if err != nil {
		return fmt.Errorf("setting up the metrics: %w", err)
	}
	return nil
}

// ListBudgets is the state of every CarbonBudget that was counted; nothing when they cannot be listed.
func ListBudgets(ctx context.Context, c client.Reader) []metrics.Budget {
	var list carbonv1alpha1.CarbonBudgetList
	if c.List(ctx, &list, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency) != nil {
		return nil
	}
	var budgets []metrics.Budget
	for i := range list.Items {
		b := &list.Items[i]
		if b.Status.ConsumedGrams == "" || b.Spec.LimitGrams == nil {
			continue
		}
		budgets = append(budgets, metrics.Budget{
			Namespace: b.Namespace, Name: b.Name, Limit: b.Spec.LimitGrams.AsApproximateFloat64(),
			Consumed: parseDecimal(b.Status.ConsumedGrams), Reserved: parseDecimal(b.Status.ReservedGrams),
			NearLimit: isTrue(b.Status.Conditions, carbonv1alpha1.BudgetNearLimit),
		})
	}
	return budgets
}

// CountJobs counts the CarbonAwareJobs by their status; false when they cannot be listed.
func CountJobs(ctx context.Context, c client.Reader, now clock.PassiveClock) (metrics.Jobs, bool) {
	var list carbonv1alpha1.CarbonAwareJobList
	if c.List(ctx, &list, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency) != nil {
		return metrics.Jobs{}, false
	}
	jobs := metrics.Jobs{ByStatus: map[string]int{}}
	for i := range list.Items {
		caj := &list.Items[i]
		status := statusNew
		if ready := findCondition(caj.Status.Conditions, carbonv1alpha1.ConditionReady); ready != nil {
			status = ready.Reason
		}
		jobs.ByStatus[status]++
		if isOverdue(caj, status, now) {
			jobs.Overdue++
		}
	}
	return jobs, true
}

// isOverdue says whether the operator owes the job a start.
func isOverdue(caj *carbonv1alpha1.CarbonAwareJob, status string, now clock.PassiveClock) bool {
	waits := status == carbonv1alpha1.ReasonWaiting || status == carbonv1alpha1.ReasonStarting
	return waits && awaitsStart(caj) && now.Now().After(caj.Status.Plan.LatestStart.Time)
}

// ownIntensity is the carbon intensity of the operator's own region in gCO2e/kWh; false while unknown.
func ownIntensity(ctx context.Context, c client.Reader, now clock.PassiveClock, region string) (float64, bool) {
	var names []string
	if region != "" {
		names = []string{region}
	}
	regions, err := findRegions(ctx, c, names)
	if err != nil || len(regions) == 0 {
		return 0, false
	}
	grams := regions[0].intensityAt(now.Now())
	return grams, !math.IsNaN(grams)
}

// countStop counts a run that a write that succeeded calls stopped.
func countStop(before, after *carbonv1alpha1.CarbonAwareJob) {
	if c := becameTrue(before, after, carbonv1alpha1.ConditionFailed); c != nil && c.Reason == carbonv1alpha1.ReasonCarbonBudgetExceeded {
		metrics.RunStopped()
	}
}

// countRecord counts a record that became final by a write that succeeded.
func countRecord(before, after *carbonv1alpha1.CarbonAwareJob) {
	e := after.Status.Emissions
	if e == nil || e.FinalAt == nil || before.Status.Emissions != nil && before.Status.Emissions.FinalAt != nil {
		return
	}
	metrics.Recorded(metrics.Record{
		EnergyKWh: parseDecimal(e.EnergyKWh), Baseline: parseDecimal(e.BaselineGrams), Actual: parseDecimal(e.ActualGrams),
		ByTime: parseDecimal(e.AvoidedBy.Time), ByRegion: parseDecimal(e.AvoidedBy.Region), ByModel: parseDecimal(e.AvoidedBy.Model),
	})
}
