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
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// account is a budget with its sums.
type account struct {
	name        string
	object      carbonv1alpha1.CarbonBudget // as it was last seen; never changed
	generation  int64
	limit       estimate.Nanograms
	enforced    bool
	matchLabels map[string]string
	// start and end bound the present period; both zero for a total.
	start, end time.Time
	// tallies are the present period and those before it, each with what its jobs that are not settled
	// come to.
	tallies []tally
	// settling are the jobs whose grams are part of what is settled.
	settling map[types.UID]bool
	// granted are the jobs that were granted room, as the budget's status says.
	granted map[types.UID]grant
	// terminates says that runs are stopped when the limit is reached, exhausted that it is, by what
	// was consumed and what the runs have emitted so far.
	terminates, exhausted bool

	reserved      estimate.Sum
	running, held int32
}

// grant is an entry of the status of a budget.
type grant struct {
	grams   estimate.Nanograms
	version string
}

// binds says whether the reservation of a job may still be written by this grant, by whichever process: as
// long as the job is not known in a later version.
func (g grant) binds(b *booking) bool {
	if g.version == "" || b.standing || b.state == ended {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(b.version, g.version)
	return err != nil || order <= 0
}

// newAccount is the account of a budget, with nothing in it but what deleted jobs have left.
func newAccount(b *carbonv1alpha1.CarbonBudget, now time.Time) *account {
	a := &account{
		name: b.Name, object: *b, generation: b.Generation,
		limit:      limitOf(b),
		enforced:   b.Spec.Enforcement != carbonv1alpha1.BudgetWarn,
		terminates: b.Spec.Enforcement == carbonv1alpha1.BudgetTerminate,
		tallies:    periods(b, now),
		settling:   map[types.UID]bool{},
		granted:    map[types.UID]grant{},
	}
	if b.Spec.Selector != nil {
		a.matchLabels = b.Spec.Selector.MatchLabels
	}
	a.start, a.end = a.tallies[0].start, a.tallies[0].end
	for _, s := range b.Status.Settling {
		a.settling[s.UID] = true
	}
	for _, g := range b.Status.Granted {
		a.granted[g.UID] = grant{grams: parseGrams(g.Grams), version: g.ResourceVersion}
	}
	a.exhausted = a.terminates && wasReached(b) && !hasRolled(b, now)
	return a
}

// wasReached says whether the status tells that the limit of this spec is reached.
func wasReached(b *carbonv1alpha1.CarbonBudget) bool {
	c := findCondition(b.Status.Conditions, carbonv1alpha1.BudgetWithinBudget)
	return c != nil && c.Status == metav1.ConditionFalse && c.ObservedGeneration == b.Generation
}

// isAfter says whether the account was made of a later state of the budget than this one. A cache that
// lags would bring grams of deleted jobs back to nobody.
func (a *account) isAfter(b *carbonv1alpha1.CarbonBudget) bool {
	order, err := resourceversion.CompareResourceVersion(a.object.ResourceVersion, b.ResourceVersion)
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

// part is what a job adds to the sums of a budget.
type part struct {
	reserved, consumed, avoided estimate.Nanograms
	running, held               int32
	// tally is the index of the period in which it was consumed; negative for none.
	tally int
}

func (a *account) part(b *booking) part {
	is := part{tally: -1}
	switch {
	case !a.matches(b.labels):
	case b.state == reserved && b.holdsIn(a):
		is.reserved, is.running = b.grams, 1
	case b.state == ended && b.ran && !a.settling[b.uid]:
		if is.tally = tallyAt(a.tallies, b.end); is.tally >= 0 {
			is.consumed, is.avoided = b.grams, b.avoided
		}
	case b.state < ended:
		if g := a.granted[b.uid]; g.binds(b) {
			is.reserved = g.grams
		}
		if b.state == waiting {
			is.held = 1
		}
	}
	return is
}

// used is how much of the present period's limit it takes.
func (s part) used() estimate.Nanograms {
	if s.tally == 0 {
		return s.consumed
	}
	return s.reserved
}

func (a *account) add(s part) {
	a.reserved.Add(s.reserved)
	a.running += s.running
	a.held += s.held
	if s.tally >= 0 {
		t := &a.tallies[s.tally]
		t.consumed.Add(s.consumed)
		t.avoided.Add(s.avoided)
		t.jobs++
	}
}

func (a *account) subtract(s part) {
	a.reserved.Subtract(s.reserved)
	a.running -= s.running
	a.held -= s.held
	if s.tally >= 0 {
		t := &a.tallies[s.tally]
		t.consumed.Subtract(s.consumed)
		t.avoided.Subtract(s.avoided)
		t.jobs--
	}
}

// consumed in the present period, by all jobs.
func (a *account) consumed() estimate.Nanograms {
	t := a.tallies[0]
	t.close()
	return t.consumed.Total()
}

// used is what is consumed and reserved.
func (a *account) used() estimate.Nanograms { return saturating(a.consumed(), a.reserved.Total()) }

func saturating(a, b estimate.Nanograms) estimate.Nanograms {
	var sum estimate.Sum
	sum.Add(a)
	sum.Add(b)
	return sum.Total()
}

func (a *account) budget() policy.Budget {
	b := policy.Budget{Limit: a.limit, Consumed: a.consumed(), Reserved: a.reserved.Total(), Enforced: a.enforced}
	if left := b.Remaining(); a.exhausted && left > 0 { // the runs have used more than was reserved for them
		b.Limit -= left
	}
	return b
}

// continues says whether the same jobs count in the same periods as before.
func (a *account) continues(was *account) bool {
	return a.enforced == was.enforced && maps.Equal(a.matchLabels, was.matchLabels) &&
		slices.EqualFunc(a.tallies, was.tallies, func(t, u tally) bool { return t.start.Equal(u.start) && t.end.Equal(u.end) })
}

// inherit takes over the sums of the account that this one continues: only jobs that came on or off a list
// of the status count otherwise now.
func (a *account) inherit(was *account, jobs map[types.UID]*booking) {
	a.reserved, a.running, a.held = was.reserved, was.running, was.held
	for i := range a.tallies {
		from := &was.tallies[i]
		a.tallies[i].consumed, a.tallies[i].avoided, a.tallies[i].jobs = from.consumed, from.avoided, from.jobs
	}
	moved := map[types.UID]bool{}
	for uid := range a.settling {
		moved[uid] = !was.settling[uid]
	}
	for uid := range was.settling {
		moved[uid] = moved[uid] || !a.settling[uid]
	}
	for uid, g := range a.granted {
		moved[uid] = moved[uid] || was.granted[uid] != g
	}
	for uid, g := range was.granted {
		moved[uid] = moved[uid] || a.granted[uid] != g
	}
	for uid, does := range moved {
		if b := jobs[uid]; b != nil && does {
			a.subtract(was.part(b))
			a.add(a.part(b))
		}
	}
}

// recount adds the bookings up anew.
func (s *space) recount(a *account) {
	a.reserved, a.running, a.held = estimate.Sum{}, 0, 0
	for _, b := range s.jobs {
		a.add(a.part(b))
	}
}

// roll begins a new period where the old one is over.
func (s *space) roll(now time.Time) {
	for name, a := range s.budgets {
		if at := begun(&a.object, now); a.end.IsZero() || !at.Before(a.start) && at.Before(a.end) {
			continue
		}
		is := newAccount(&a.object, now)
		is.exhausted = false
		s.budgets[name] = is
		s.recount(is)
		s.revoke(is)
	}
}
