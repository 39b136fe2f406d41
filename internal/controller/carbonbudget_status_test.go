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
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// viewWith is the view of a budget in which these jobs count.
func viewWith(b *carbonv1alpha1.CarbonBudget, now time.Time, jobs ...booking) view {
	s := newSpace(modelFacts{})
	for i := range jobs {
		s.put(jobs[i])
	}
	s.setBudget(b, now)
	return s.view(s.budgets[b.Name])
}

// When more jobs are deleted at once than the list can hold, they are settled bit by bit, and at no
// moment is one counted twice or not at all.
func TestMoreDeletedJobsThanTheListHolds(t *testing.T) {
	const jobs, gram = 600, estimate.Nanograms(1e9)
	now := time.Unix(1_800_000_000, 0)
	budget := build.CarbonBudget("team", "ns", "1000").Obj()
	left := map[types.UID]booking{}
	for i := range jobs {
		uid := types.UID(fmt.Sprintf("uid-%d", i))
		left[uid] = booking{uid: uid, state: ended, grams: gram, end: now, ran: true, leaving: true}
	}
	passes := 0
	for ; len(left) > 0 || len(budget.Status.Settling) > 0; passes++ {
		if passes > 10 {
			t.Fatalf("%d jobs are still not settled after %d passes", len(left), passes)
		}
		budget.Status = budgetStatus(budget, viewWith(budget, now, slices.Collect(maps.Values(left))...), now)
		if len(budget.Status.Settling) > maxSettling {
			t.Fatalf("%d jobs are on the list", len(budget.Status.Settling))
		}
		if got := budget.Status.ConsumedGrams; got != "600" {
			t.Fatalf("consumed %s g in pass %d, want 600", got, passes)
		}
		for _, s := range budget.Status.Settling {
			delete(left, s.UID) // it is on the list, so its finalizer goes
		}
	}
	if passes != 4 || budget.Status.Settled.Jobs != jobs {
		t.Errorf("%d jobs settled in %d passes", budget.Status.Settled.Jobs, passes)
	}
}

// An edit of the period takes nothing away that was consumed.
func TestPeriodThatIsCutOtherwise(t *testing.T) {
	now := time.Date(2026, 3, 11, 12, 0, 0, 0, time.UTC) // a Wednesday
	budget := build.CarbonBudget("team", "ns", "1000").Period(carbonv1alpha1.BudgetMonthly).Obj()
	old := booking{uid: "old", state: ended, grams: 7e9, end: now.Add(-72 * time.Hour), ran: true, leaving: true}
	budget.Status = budgetStatus(budget, viewWith(budget, now, old), now)
	for _, period := range []carbonv1alpha1.BudgetPeriod{carbonv1alpha1.BudgetDaily, carbonv1alpha1.BudgetTotal, carbonv1alpha1.BudgetWeekly} {
		budget.Spec.Period = period
		budget.Status = budgetStatus(budget, viewWith(budget, now), now)
		if budget.Status.ConsumedGrams != "7" {
			t.Errorf("%s: consumed %s g, want 7", period, budget.Status.ConsumedGrams)
		}
	}
	budget.Status = budgetStatus(budget, viewWith(budget, now.AddDate(0, 0, 7)), now.AddDate(0, 0, 7))
	if budget.Status.ConsumedGrams != "0" || budget.Status.History[0].ConsumedGrams != "7" {
		t.Errorf("a week later: consumed %s g, history %+v", budget.Status.ConsumedGrams, budget.Status.History)
	}
}

// The API server refuses unknown time zones; a table that is older than its own must not open the budget.
func TestUnknownTimeZone(t *testing.T) {
	budget := build.CarbonBudget("team", "ns", "1000").Period(carbonv1alpha1.BudgetDaily).TimeZone("Europe/Atlantis").Obj()
	now := time.Date(2026, 3, 11, 12, 0, 0, 0, time.UTC)
	status := budgetStatus(budget, viewWith(budget, now), now)
	ready := findCondition(status.Conditions, carbonv1alpha1.BudgetReady)
	if ready.Reason != carbonv1alpha1.ReasonInvalidTimeZone || ready.Status != "False" {
		t.Errorf("Ready is %s, %s", ready.Status, ready.Reason)
	}
	if start := status.Period.Start.UTC(); start.Hour() != 0 {
		t.Errorf("the period begins at %s, want midnight UTC", start)
	}
}

// A new leader whose clock lags a little behind that of the former one goes on with the period that it has begun,
// and grants what it has granted.
func TestPeriodThatAnotherClockHasBegun(t *testing.T) {
	l := teamOf(t)
	midnight := time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC)
	budget := l.stored(build.CarbonBudget("team", "ns", "100").Period(carbonv1alpha1.BudgetDaily))
	old := booking{uid: "old", state: ended, grams: 7e9, end: midnight.Add(-time.Hour), ran: true}
	for _, now := range []time.Time{midnight.Add(-time.Minute), midnight, midnight.Add(-time.Second)} {
		budget.Status = budgetStatus(budget, viewWith(budget, now, old), now)
	}
	if s := budget.Status; s.ConsumedGrams != "0" || len(s.History) != 1 || s.History[0].ConsumedGrams != "7" || !s.Period.Start.Time.Equal(midnight) {
		t.Errorf("the period of %s consumed %s g, after %+v", s.Period.Start, s.ConsumedGrams, s.History)
	}
	l.budgets["team"] = l.stored(build.CarbonBudget("team", "ns", "100").Period(carbonv1alpha1.BudgetDaily))
	l.budgets["team"].Status = budget.Status
	l.now = midnight.Add(-time.Second)
	l.restart()
	x, y := l.due("x", time.Minute), l.due("y", 0)
	l.ledger.reserve(x, 60e9, l.now)
	if v := l.ledger.reserve(y, 60e9, l.now); v.held == nil {
		t.Error("what was granted is taken back with every look at the clock")
	}
}
