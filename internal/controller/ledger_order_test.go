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
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// A cache that lags behind the budget's own write must not make room of what deleted jobs have used.
func TestBudgetFromACacheThatLags(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	ledger := NewLedger(nil, nil, nil)
	old := build.CarbonBudget("team", "ns", "100").Obj()
	old.ResourceVersion = "99"
	ledger.setBudget(old, now)
	caj := build.CarbonAwareJob("x", "ns").Obj()
	caj.UID = "uid"
	caj.Status.Emissions = &carbonv1alpha1.EmissionsStatus{ActualGrams: "60"}
	setCondition(&caj.Status.Conditions, now, 1, carbonv1alpha1.ConditionComplete, metav1.ConditionTrue, "Completed", "")
	ledger.note(caj)

	written := old.DeepCopy()
	written.ResourceVersion = "100"
	written.Status.Settled = &carbonv1alpha1.SettledTotal{ConsumedGrams: "60", Jobs: 1}
	written.Status.Settling = []carbonv1alpha1.SettlingJob{{UID: "uid", Grams: "60"}}
	ledger.setBudget(written, now)
	ledger.forget("ns", "uid")
	ledger.setBudget(old, now)
	next := build.CarbonAwareJob("y", "ns").Obj()
	next.UID = "next"
	if v := ledger.reserve(next, 50e9, now); v.held == nil {
		t.Error("50 g were granted where 40 are left")
	}
}

// No start begins by a reservation that was given back, nor by one that lacks a budget, and the room is there
// again.
func TestReservationIsGivenBackOrUsed(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	ledger := NewLedger(nil, nil, nil)
	ledger.setBudget(build.CarbonBudget("team", "ns", "100").Obj(), now)
	caj := build.CarbonAwareJob("x", "ns").Obj()
	caj.UID, caj.ResourceVersion = "uid", "1"
	ledger.reserve(caj, 60e9, now)
	caj.Status.ReservedGrams, caj.Status.ReservedIn, caj.ResourceVersion = "60", []string{"team"}, "2"
	ledger.note(caj)
	if !ledger.mayStart(caj) {
		t.Error("not started though its grams are set aside")
	}
	ledger.setBudget(build.CarbonBudget("late", "ns", "100").Obj(), now)
	if ledger.mayStart(caj) || ledger.covered(caj) {
		t.Error("started though another budget holds it by now")
	}
	ledger.dropBudget(types.NamespacedName{Namespace: "ns", Name: "late"}, ledger.spaces["ns"].budgets["late"].object.UID)
	stale := caj.DeepCopy()
	caj.Status.ReservedGrams, caj.Status.ReservedIn, caj.ResourceVersion = "", nil, "3"
	ledger.note(caj)
	ledger.note(stale)
	if ledger.mayStart(stale) {
		t.Error("started by a reservation that was given back")
	}
	next := build.CarbonAwareJob("y", "ns").Obj()
	next.UID = "next"
	if v := ledger.reserve(next, 100e9, now); v.held != nil {
		t.Errorf("the room is not there again: %s", v.held.message())
	}
}

// A leader that was stopped in the middle of its grants, and goes on after another has given the room away,
// neither grants any of it nor writes a sum in which its own grants are counted as well.
func TestLeaderThatWasReplaced(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := &lives{t: t, now: now, store: newStore()}
	l.budgets["team"] = build.CarbonBudget("team", "ns", "100").Obj()
	l.touch(l.budgets["team"])
	for _, name := range []string{"x", "y"} {
		caj := build.CarbonAwareJob(name, "ns").Obj()
		caj.UID = types.UID(name)
		l.touch(caj)
		l.jobs[name] = caj
	}
	l.restart()
	former := l.ledger
	before := former.reserve(l.jobs["x"], 60e9, now)
	l.restart()
	y := l.jobs["y"]
	v := l.ledger.reserve(y, 60e9, now)
	l.countBy(l.ledger, "team", l.store)
	if v.held != nil || !l.ledger.isGranted(y, v) {
		t.Fatalf("the new leader does not give the room away: %+v", v)
	}
	y.Status.ReservedGrams, y.Status.ReservedIn = "60", v.budgets
	l.touch(y)

	former.note(y) // as its cache catches up
	l.countBy(former, "team", l.store)
	if former.isGranted(l.jobs["x"], before) {
		t.Error("a former leader grants what its successor has given away")
	}
	if s := l.budgets["team"].Status; s.ReservedGrams != "60" || s.RemainingGrams != "40" {
		t.Errorf("a former leader writes that %s g are reserved and %s left, want 60 and 40", s.ReservedGrams, s.RemainingGrams)
	}
}

// What a former leader was granted may still be written into the job, so it counts until it cannot be.
func TestGrantOfAFormerLeaderCounts(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := &lives{t: t, now: now, store: newStore()}
	l.budgets["team"] = build.CarbonBudget("team", "ns", "100").Obj()
	l.touch(l.budgets["team"])
	for _, name := range []string{"x", "y"} {
		caj := build.CarbonAwareJob(name, "ns").Obj()
		caj.UID = types.UID(name)
		l.touch(caj)
		l.jobs[name] = caj
	}
	l.restart()
	x, y := l.jobs["x"], l.jobs["y"]
	v := l.ledger.reserve(x, 60e9, now)
	l.countBy(l.ledger, "team", l.store)
	l.restart() // before x hears of it
	if v := l.ledger.reserve(y, 60e9, now); v.held == nil {
		t.Error("the room was given away twice")
	}
	if !l.ledger.isGranted(x, v) {
		t.Error("the new process does not know of the grant")
	}
	l.ledger.withdraw(x)
	if v := l.ledger.reserve(y, 60e9, now); v.held == nil || !l.ledger.bound(x) {
		t.Error("the room was given away though x may still be told that it has it")
	}
	l.touch(x) // now nobody can tell it any more
	l.ledger.note(x)
	if v := l.ledger.reserve(y, 60e9, now); v.held != nil || l.ledger.bound(x) {
		t.Error("the room is lost")
	}
}

// After a restart the jobs that were held keep their place in the queue, before they have asked anew: one that
// asks first does not take the room of one that has waited longer. What those need is told by the table of models
// that is in force.
func TestHeldJobsKeepTheirPlaceAfterARestart(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := &lives{t: t, now: now, store: newStore()}
	l.budgets["team"] = build.CarbonBudget("team", "ns", "100").Obj()
	l.touch(l.budgets["team"])
	held := func(name string, start time.Time) *carbonv1alpha1.CarbonAwareJob {
		caj := build.CarbonAwareJob(name, "ns").Model("MODEL", "ours", "", 0).Workload(1000, 1000).Obj()
		caj.UID = types.UID(name)
		caj.Status.Plan = &carbonv1alpha1.PlanStatus{Start: metav1.NewTime(start)}
		setCondition(&caj.Status.Conditions, now, 1, carbonv1alpha1.ConditionWithinBudget, metav1.ConditionFalse, carbonv1alpha1.ReasonBudgetHold, "")
		l.touch(caj)
		l.jobs[name] = caj
		return caj
	}
	older, younger := held("older", now.Add(-time.Hour)), held("younger", now)
	table := &ModelTable{Reader: modelsMap{"models.csv": "provider,model,total_b\nopenai,ours,7\n"}, ConfigMap: types.NamespacedName{Name: "models"}}
	l.ledger = NewLedger(l.store, l.store, table)
	if err := l.ledger.load(t.Context(), "ns", now); err != nil {
		t.Fatal(err)
	}
	if rough := l.ledger.spaces["ns"].jobs["older"].grams; rough <= 0 || rough > 100e9 {
		t.Fatalf("a job of a model that only the ConfigMap knows is taken to need %s g", rough)
	}
	if v := l.ledger.reserve(younger, 100e9, now); v.held == nil {
		t.Error("the room of a job that has waited longer was given away")
	}
	if v := l.ledger.reserve(older, 100e9, now); v.held != nil {
		t.Errorf("the job that has waited longest is held: %s", v.held.message())
	}
}

// modelsMap reads as the ConfigMap of models.
type modelsMap map[string]string

func (m modelsMap) Get(_ context.Context, _ client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	o.(*corev1.ConfigMap).Data = m
	return nil
}

func (m modelsMap) List(context.Context, client.ObjectList, ...client.ListOption) error { return nil }

// A pass over a budget costs the same however many of its jobs have finished.
func BenchmarkBudgetPass(b *testing.B) {
	for _, finished := range []int{100, 10_000} {
		b.Run(fmt.Sprint(finished), func(b *testing.B) {
			now := time.Unix(1_800_000_000, 0)
			ledger := NewLedger(nil, nil, nil)
			budget := build.CarbonBudget("team", "ns", "1000000").Obj()
			ledger.setBudget(budget, now)
			s := ledger.space("ns")
			for i := range finished {
				s.put(booking{uid: types.UID(fmt.Sprint(i)), state: ended, ran: true, grams: 1e9, end: now})
			}
			for b.Loop() {
				ledger.setBudget(budget, now)
				v, _ := ledger.viewOf(budget, now)
				_ = budgetStatus(budget, v, now)
			}
		})
	}
}

// After a restart every held job asks again. That must not cost each of them a look at all the others, while
// nobody else may ask.
func TestHeldJobsAskAgainOneByOne(t *testing.T) {
	const held = 1000
	now := time.Unix(1_800_000_000, 0)
	ledger := NewLedger(nil, nil, nil)
	ledger.setBudget(build.CarbonBudget("team", "ns", "100").Obj(), now)
	jobs := make([]*carbonv1alpha1.CarbonAwareJob, held)
	for i := range jobs {
		jobs[i] = build.CarbonAwareJob(fmt.Sprint(i), "ns").KWh("1").Obj()
		jobs[i].UID = types.UID(fmt.Sprint(i))
		setCondition(&jobs[i].Status.Conditions, now, 1, carbonv1alpha1.ConditionWithinBudget, metav1.ConditionFalse, carbonv1alpha1.ReasonBudgetHold, "")
		ledger.note(jobs[i])
	}
	i := 0
	allocations := testing.AllocsPerRun(held-1, func() {
		ledger.reserve(jobs[i], 200e9, now)
		i++
	})
	if allocations > held/10 {
		t.Errorf("%v allocations for each of %d jobs", allocations, held)
	}
}
