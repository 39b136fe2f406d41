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
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// teamOf has a budget "team" of 100 g in its store, and a ledger that has read it.
func teamOf(t *testing.T) *lives {
	t.Helper()
	l := &lives{t: t, now: time.Date(2026, 3, 25, 7, 0, 0, 0, time.UTC), store: newStore()}
	l.budgets["team"] = build.CarbonBudget("team", "ns", "100").Obj()
	l.touch(l.budgets["team"])
	l.restart()
	return l
}

// due is a job of that store whose start has come, after that of others with a smaller delay.
func (l *lives) due(name string, delay time.Duration) *carbonv1alpha1.CarbonAwareJob {
	caj := build.CarbonAwareJob(name, "ns").Obj()
	caj.UID = types.UID(name)
	caj.Status.Plan = &carbonv1alpha1.PlanStatus{Start: metav1.NewTime(l.now.Add(delay))}
	l.touch(caj)
	l.jobs[name] = caj
	return caj
}

// What stands in a job's status is not asked for again, whatever a cache that lags shows.
func TestReservationStands(t *testing.T) {
	l := teamOf(t)
	now := l.now
	caj := build.CarbonAwareJob("x", "ns").Obj()
	caj.UID, caj.ResourceVersion = "x", "1000"
	if v := l.ledger.reserve(caj, 60e9, now); v.held != nil {
		t.Fatalf("held: %+v", v.held)
	}
	old := caj.DeepCopy()
	caj.Status.ReservedGrams, caj.Status.ReservedIn, caj.ResourceVersion = "60", []string{"team"}, "1001"
	l.ledger.note(caj)
	l.ledger.withdraw(old)
	if v := l.ledger.reserve(old, 200e9, now); !v.stale {
		t.Errorf("granted %s, held %+v by a cache that lags", v.granted, v.held)
	}
	if v := l.ledger.reserve(caj, 200e9, now); v.held != nil || v.granted != 60e9 {
		t.Errorf("granted %s, held %+v; want the 60 g that stand", v.granted, v.held)
	}
}

// A write of a grant whose answer is lost has been made all the same: what it speaks of is not given to another.
func TestGrantWhoseAnswerIsLost(t *testing.T) {
	l := teamOf(t)
	first, second := l.due("first", 0), l.due("second", time.Minute)
	if v := l.ledger.reserve(second, 60e9, l.now); v.held != nil {
		t.Fatalf("held: %+v", v.held)
	}
	stored := l.budgets["team"]
	stored.Status.Granted = []carbonv1alpha1.GrantedJob{{UID: second.UID, Grams: "60", ResourceVersion: second.ResourceVersion}}
	l.touch(stored) // and nobody hears of it
	if v := l.ledger.reserve(first, 60e9, l.now); v.held == nil {
		t.Fatal("two were granted 60 of 100 g")
	}
	l.ledger.reserve(second, 60e9, l.now) // it tries again, behind the first one
	l.ledger.setBudget(stored.DeepCopy(), l.now)
	if used := l.ledger.spaces["ns"].budgets["team"].used(); used > 100e9 {
		t.Errorf("%s of 100 g are used", used)
	}
	if v := l.ledger.reserve(first, 60e9, l.now); v.held == nil {
		t.Error("the room of the one whose grant was written went to another")
	}
}

// A cache that lags shows a job that is gone and settled: it must not count again.
func TestJobThatIsGone(t *testing.T) {
	l := teamOf(t)
	gone := l.due("gone", 0).DeepCopy()
	gone.Finalizers = []string{carbonv1alpha1.FinalizerCarbonAwareJob}
	delete(l.jobs, "gone")
	l.touch(l.due("last", 0))
	l.restart()
	l.ledger.note(gone)
	if v := l.ledger.reserve(gone, 60e9, l.now); !v.stale {
		t.Errorf("%+v for a job that is gone", v)
	}
	if l.ledger.spaces["ns"].jobs[gone.UID] != nil {
		t.Error("it is back")
	}
}

// The ledger reads the API server, so it may know a job that the cache is yet to show: that one is not gone.
func TestJobThatIsYetToBeSeen(t *testing.T) {
	l := teamOf(t)
	caj := l.due("x", 0)
	caj.Finalizers = []string{carbonv1alpha1.FinalizerCarbonAwareJob}
	l.restart()
	r := &CarbonAwareJobReconciler{Ledger: l.ledger, APIReader: l.store}
	key := client.ObjectKeyFromObject(caj)
	if gone, err := r.isGone(t.Context(), key); gone || err != nil || l.ledger.known(key) != caj.UID {
		t.Errorf("gone %v, error %v, known %q", gone, err, l.ledger.known(key))
	}
	delete(l.jobs, "x")
	if gone, err := r.isGone(t.Context(), key); !gone || err != nil || l.ledger.known(key) != "" {
		t.Errorf("gone %v, error %v, known %q", gone, err, l.ledger.known(key))
	}
}

// A budget that was created a moment ago holds the next job that asks: nobody has counted it yet, and the ledger
// was read before.
func TestBudgetThatHasJustCome(t *testing.T) {
	l := teamOf(t)
	x := l.due("x", 0)
	l.budgets["new"] = l.stored(build.CarbonBudget("new", "ns", "0"))
	jobsOfBudget(l.ledger).Create(t.Context(), ctrlevent.CreateEvent{Object: l.budgets["new"].DeepCopy()}, &noQueue{})
	l.load(l.ledger)
	if v := l.ledger.reserve(x, 1, l.now); v.held == nil || v.held.budget != "new" {
		t.Errorf("held by %+v", v.held)
	}
}

// A job in more budgets than its status has room for is told so, and not that others come first.
func TestMoreBudgetsThanAJobCanHave(t *testing.T) {
	l := teamOf(t)
	for i := range maxReservedIn {
		name := fmt.Sprintf("budget-%d", i)
		l.budgets[name] = l.stored(build.CarbonBudget(name, "ns", "100"))
	}
	x := l.due("x", 0)
	l.restart()
	v := l.ledger.reserve(x, 60e9, l.now)
	if v.held == nil || !strings.Contains(v.held.message(), "counts in 257 CarbonBudgets, and no more than 256") {
		t.Fatalf("held by %+v", v.held)
	}
	l.ledger.dropBudget(types.NamespacedName{Namespace: "ns", Name: "budget-7"}, l.budgets["budget-7"].UID)
	if v := l.ledger.reserve(x, 60e9, l.now); v.held != nil {
		t.Errorf("held in 256 budgets: %s", v.held.message())
	}
}

// A budget that was counted just before the ledger heard that a job is being deleted is counted again: the job
// waits for a count that knows of it.
func TestBudgetsAreCountedWhenTheLedgerHears(t *testing.T) {
	l := teamOf(t)
	var counted []types.NamespacedName
	l.ledger.listen(func(key types.NamespacedName) { counted = append(counted, key) })
	since := func() int { defer func() { counted = nil }(); return len(counted) }
	caj := l.due("x", 0)
	caj.Finalizers = []string{carbonv1alpha1.FinalizerCarbonAwareJob}
	caj.Status.Emissions = &carbonv1alpha1.EmissionsStatus{ActualGrams: "60"}
	setCondition(&caj.Status.Conditions, l.now, 1, carbonv1alpha1.ConditionComplete, metav1.ConditionTrue, "Completed", "")
	l.ledger.note(caj)
	if since() == 0 {
		t.Error("not counted for a run that is over")
	}
	l.ledger.note(caj)
	if n := since(); n != 0 {
		t.Errorf("counted %d times though nothing is new", n)
	}
	caj.DeletionTimestamp = new(metav1.NewTime(l.now))
	l.touch(caj)
	l.ledger.note(caj)
	if since() == 0 {
		t.Error("not counted for a job that is being deleted")
	}
	l.ledger.forget("ns", caj.UID)
	if since() == 0 {
		t.Error("not counted for a job that is gone")
	}
	l.restart()
	l.ledger.listen(func(key types.NamespacedName) { counted = append(counted, key) })
	if err := l.ledger.takeOver(t.Context(), "ns", l.now); err != nil || since() == 0 {
		t.Errorf("not counted after the ledger was read anew (%v)", err)
	}
}
