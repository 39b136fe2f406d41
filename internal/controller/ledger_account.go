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
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// account is a budget with its sums of the present period.
type account struct {
	name        string
	generation  int64
	version     string // resource version
	limit       estimate.Nanograms
	enforced    bool
	matchLabels map[string]string
	period      estimate.Period
	zone        *time.Location
	// start and end bound the present period; both zero for a total.
	start, end time.Time
	// settling are the jobs whose grams are part of settled.
	settling map[types.UID]bool
	settled  estimate.Nanograms
	// terminates says that runs are stopped when the limit is reached, exhausted that it is, by what
	// was consumed and what the runs have emitted so far.
	terminates, exhausted bool

	consumed, reserved estimate.Sum
}

// newAccount is the account of a budget, with nothing in it but what deleted jobs have left.
func newAccount(b *carbonv1alpha1.CarbonBudget, now time.Time) *account {
	zone, _ := zoneOf(b)
	a := &account{
		name: b.Name, generation: b.Generation, version: b.ResourceVersion,
		limit:      limitOf(b),
		enforced:   b.Spec.Enforcement != carbonv1alpha1.BudgetWarn,
		terminates: b.Spec.Enforcement == carbonv1alpha1.BudgetTerminate,
		period:     periodOf(b),
		zone:       zone,
		settling:   map[types.UID]bool{},
	}
	if b.Spec.Selector != nil {
		a.matchLabels = b.Spec.Selector.MatchLabels
	}
	a.start, a.end = a.period.Bounds(now, a.zone)
	for _, s := range b.Status.Settling {
		a.settling[s.UID] = true
	}
	if b.Status.Settled != nil && !hasRolled(b, now) {
		a.settled = parseGrams(b.Status.Settled.ConsumedGrams)
	}
	return a
}

// isAfter says whether the account was made of a later state of the budget than this one. A cache that
// lags would bring grams of deleted jobs back to nobody.
func (a *account) isAfter(b *carbonv1alpha1.CarbonBudget) bool {
	order, err := resourceversion.CompareResourceVersion(a.version, b.ResourceVersion)
	return err == nil && order > 0
}

// hasRolled says whether the period that the status counts is over.
func hasRolled(b *carbonv1alpha1.CarbonBudget, now time.Time) bool {
	counted := b.Status.Period
	return counted != nil && periodOf(b) != estimate.PeriodTotal && !now.Before(counted.End.Time)
}

func limitOf(b *carbonv1alpha1.CarbonBudget) estimate.Nanograms {
	if b.Spec.LimitGrams == nil {
		return 0
	}
	return estimate.Nanograms(b.Spec.LimitGrams.ScaledValue(resource.Nano))
}

func periodOf(b *carbonv1alpha1.CarbonBudget) estimate.Period {
	if b.Spec.Period == "" {
		return estimate.PeriodMonthly
	}
	return estimate.Period(b.Spec.Period)
}

// zoneOf is the budget's time zone. One that this program does not know, which the API server let
// through, is taken for UTC: the budget holds all the same.
func zoneOf(b *carbonv1alpha1.CarbonBudget) (*time.Location, bool) {
	zone, err := time.LoadLocation(b.Spec.TimeZone) // UTC for the empty one
	if err != nil {
		return time.UTC, false
	}
	return zone, true
}

func (a *account) matches(labels map[string]string) bool {
	for key, value := range a.matchLabels {
		if have, has := labels[key]; !has || have != value {
			return false
		}
	}
	return true
}

// contains says whether a run that ended then counts in the present period.
func (a *account) contains(end time.Time) bool {
	return a.end.IsZero() || !end.Before(a.start) && end.Before(a.end)
}

// apply adds a booking to the sums, or takes it away.
func (a *account) apply(b *booking, sign int) {
	if !a.matches(b.labels) {
		return
	}
	var sum *estimate.Sum
	switch {
	case b.state == reserved:
		sum = &a.reserved
	case b.state == ended && b.ran && !a.settling[b.uid] && a.contains(b.end):
		sum = &a.consumed
	default:
		return
	}
	if sign > 0 {
		sum.Add(b.grams)
	} else {
		sum.Subtract(b.grams)
	}
}

func (a *account) budget() policy.Budget {
	consumed := a.consumed
	consumed.Add(a.settled)
	b := policy.Budget{Limit: a.limit, Consumed: consumed.Total(), Reserved: a.reserved.Total(), Enforced: a.enforced}
	if left := b.Remaining(); a.exhausted && left > 0 { // the runs have used more than was reserved for them
		b.Limit -= left
	}
	return b
}

// recount adds the bookings up anew.
func (s *space) recount(a *account) {
	a.consumed, a.reserved = estimate.Sum{}, estimate.Sum{}
	for _, b := range s.jobs {
		a.apply(b, +1)
	}
}

// roll begins a new period where the old one is over.
func (s *space) roll(now time.Time) {
	for _, a := range s.budgets {
		if a.end.IsZero() || !now.Before(a.start) && now.Before(a.end) {
			continue
		}
		a.start, a.end = a.period.Bounds(now, a.zone)
		a.settled, a.exhausted = 0, false
		s.recount(a)
		s.freed = true
	}
}
