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
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
)

const (
	// maxHistory and maxSettling are how much of each status keeps; see the CRD.
	maxHistory  = 12
	maxSettling = 256
	// clockSlack is how far apart the clocks of two leaders may be.
	clockSlack = time.Minute
)

// tally is what runs that ended in a period come to, and what deleted ones have left in it.
type tally struct {
	start, end        time.Time
	consumed, avoided estimate.Sum
	jobs              int32
	settled           *carbonv1alpha1.SettledTotal
}

func (t *tally) contains(at time.Time) bool {
	return t.end.IsZero() || !at.Before(t.start) && at.Before(t.end)
}

// settle moves a job that is being deleted into what deleted ones have left.
func (t *tally) settle(b *booking) {
	t.consumed.Subtract(b.grams)
	t.avoided.Subtract(b.avoided)
	t.jobs--
	var consumed, avoided estimate.Sum
	total := carbonv1alpha1.SettledTotal{}
	if t.settled != nil {
		total = *t.settled
	}
	consumed.Add(parseGrams(total.ConsumedGrams))
	consumed.Add(b.grams)
	avoided.Add(parseGrams(total.AvoidedGrams))
	avoided.Add(b.avoided)
	t.settled = &carbonv1alpha1.SettledTotal{
		ConsumedGrams: gramsOf(&consumed), AvoidedGrams: gramsOf(&avoided), Jobs: total.Jobs + 1,
	}
}

// close adds what deleted jobs have left.
func (t *tally) close() {
	if t.settled != nil {
		t.consumed.Add(parseGrams(t.settled.ConsumedGrams))
		t.avoided.Add(parseGrams(t.settled.AvoidedGrams))
		t.jobs += t.settled.Jobs
	}
}

func gramsOf(s *estimate.Sum) carbonv1alpha1.Decimal {
	return carbonv1alpha1.Decimal(s.Total().String())
}

// budgetStatus counts a budget: the jobs that there are, and what deleted ones have left. A job
// that is being deleted moves from the one to the other in the same write.
func budgetStatus(b *carbonv1alpha1.CarbonBudget, v view, now time.Time) carbonv1alpha1.CarbonBudgetStatus {
	status := *b.Status.DeepCopy()
	status.ObservedGeneration = b.Generation
	tallies := v.tallies
	status.Settling = settle(b, v)
	status.Granted = v.granted
	status.RunningJobs, status.HeldJobs = v.running, v.held
	for i := range tallies {
		tallies[i].close()
	}
	current := &tallies[0]
	status.Period = nil
	if !current.end.IsZero() {
		status.Period = &carbonv1alpha1.BudgetPeriodStatus{Start: metav1.NewTime(current.start), End: metav1.NewTime(current.end)}
	}
	var left estimate.Sum
	left.Add(limitOf(b))
	left.Subtract(current.consumed.Total())
	left.Subtract(v.reserved)
	status.ConsumedGrams, status.AvoidedGrams = gramsOf(&current.consumed), gramsOf(&current.avoided)
	status.ReservedGrams, status.RemainingGrams = carbonv1alpha1.Decimal(v.reserved.String()), gramsOf(&left)
	status.CompletedJobs, status.Settled = current.jobs, current.settled
	status.History = historyOf(tallies[1:])
	setBudgetConditions(b, &status, v, current, now)
	return status
}

// settle takes over the jobs that are being deleted, as many as the list has room for, and drops
// those from the list that are gone.
func settle(b *carbonv1alpha1.CarbonBudget, v view) []carbonv1alpha1.SettlingJob {
	var list []carbonv1alpha1.SettlingJob
	has := map[types.UID]bool{}
	for _, s := range b.Status.Settling {
		if v.alive[s.UID] {
			list = append(list, s)
		}
		has[s.UID] = true
	}
	for i := range v.leaving {
		job := &v.leaving[i]
		if !job.ran || has[job.uid] || len(list) >= maxSettling {
			continue
		}
		list = append(list, carbonv1alpha1.SettlingJob{UID: job.uid, Grams: carbonv1alpha1.Decimal(job.grams.String())})
		if i := tallyAt(v.tallies, job.end); i >= 0 { // else it is older than all that is kept
			v.tallies[i].settle(job)
		}
	}
	return list
}

// tallyAt is the index of the period in which a run counts: the one in which it ended. It is negative for a
// run that is older than all of them.
func tallyAt(tallies []tally, end time.Time) int {
	return slices.IndexFunc(tallies, func(t tally) bool { return t.contains(end) })
}

// periods are the present period and those before it, the latest first, with what deleted jobs have
// left in them.
func periods(b *carbonv1alpha1.CarbonBudget, now time.Time) []tally {
	now = begun(b, now)
	period := periodOf(b)
	zone, _ := zoneOf(b)
	start, end := period.Bounds(now, zone)
	tallies := []tally{{start: start, end: end}}
	if !hasRolled(b, now) {
		// A period that was only cut otherwise, by an edit, goes on with what it has.
		tallies[0].settled = b.Status.Settled.DeepCopy()
	} else {
		last := b.Status.Period
		for at := start; len(tallies) <= maxHistory && at.After(last.End.Time); {
			from, to := period.Bounds(at.Add(-time.Second), zone)
			if from.Before(last.End.Time) {
				from = last.End.Time
			}
			tallies = append(tallies, tally{start: from, end: to})
			at = from
		}
		tallies = append(tallies, tally{start: last.Start.Time, end: last.End.Time, settled: b.Status.Settled.DeepCopy()})
	}
	for _, p := range b.Status.History {
		tallies = append(tallies, tally{start: p.Start.Time, end: p.End.Time, settled: p.Settled.DeepCopy()})
	}
	return tallies[:min(len(tallies), maxHistory+1)]
}

// begun is now, or the beginning of the period that the status counts where this clock lags a little behind the
// one that began it: what is over does not come again.
func begun(b *carbonv1alpha1.CarbonBudget, now time.Time) time.Time {
	if p := b.Status.Period; p != nil && now.Before(p.Start.Time) && p.Start.Sub(now) <= clockSlack {
		return p.Start.Time
	}
	return now
}

func historyOf(tallies []tally) []carbonv1alpha1.PeriodTotal {
	var history []carbonv1alpha1.PeriodTotal
	for i := range tallies {
		t := &tallies[i]
		history = append(history, carbonv1alpha1.PeriodTotal{
			Start: metav1.NewTime(t.start), End: metav1.NewTime(t.end),
			ConsumedGrams: gramsOf(&t.consumed), AvoidedGrams: gramsOf(&t.avoided), Jobs: t.jobs, Settled: t.settled,
		})
	}
	return history
}
