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
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	testingclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// A budget that is created in the place of another one, of the same generation, has every job looked at again, and
// late news of the deletion of the former one do not take it away.
func TestABudgetInThePlaceOfAnother(t *testing.T) {
	l := teamOf(t)
	former := l.budgets["team"].DeepCopy()
	former.UID = "former"
	l.touch(former)
	l.ledger.setBudget(former, l.now)
	x := l.due("x", 0)
	if v := l.ledger.reserve(x, 200e9, l.now); v.held == nil {
		t.Fatal("granted 200 of 100 g")
	}
	l.ledger.stirred("ns")
	is := build.CarbonBudget("team", "ns", "300").Obj()
	is.UID, is.Generation = "is", former.Generation
	l.touch(is)
	l.ledger.setBudget(is, l.now)
	if keys := l.ledger.stirred("ns"); !slices.Contains(keys, client.ObjectKeyFromObject(x)) {
		t.Error("the job that the former one held is not looked at again")
	}
	jobsOfBudget(l.ledger).Delete(t.Context(), ctrlevent.DeleteEvent{Object: former}, &noQueue{})
	if !l.ledger.budgeted("ns", x.Labels) {
		t.Error("it went with the former one")
	}
}

// brokenList is an API server that does not list jobs.
type brokenList struct {
	*store
	broken bool
}

func (s *brokenList) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if _, ok := list.(*carbonv1alpha1.CarbonAwareJobList); ok && s.broken {
		return errors.New("the API server is down")
	}
	return s.store.List(ctx, list, opts...)
}

// A process that became the leader of budgets again, and could not read then what another one did meanwhile, reads
// it before it counts.
func TestATakeOverThatBreaksOff(t *testing.T) {
	l := teamOf(t)
	server := &brokenList{store: l.store}
	l.ledger = NewLedger(server, server, nil)
	l.load(l.ledger)
	other := NewLedger(l.store, l.store, nil)
	if err := other.takeOver(t.Context(), "ns", l.now); err != nil {
		t.Fatal(err)
	}
	theirs := l.due("theirs", 0)
	theirs.Status.ReservedGrams, theirs.Status.ReservedIn = "60", []string{"team"}
	l.touch(theirs)
	server.broken = true
	if err := l.ledger.takeOver(t.Context(), "ns", l.now); err == nil || !l.ledger.leads(l.budgets["team"]) {
		t.Fatalf("error %v, leads %t", err, l.ledger.leads(l.budgets["team"]))
	}
	server.broken = false
	l.load(l.ledger)
	if used := l.ledger.spaces["ns"].budgets["team"].used(); used != 60e9 {
		t.Errorf("%s g are used, want the 60 g that another leader granted", used)
	}
}

// What a cache does not show may be there all the same: the ledger forgets a budget when it is gone for sure.
func TestABudgetThatTheCacheMisses(t *testing.T) {
	l := teamOf(t)
	key := client.ObjectKeyFromObject(l.budgets["team"])
	if err := l.ledger.miss(t.Context(), key); !errors.Is(err, errStaleCache) || !l.ledger.budgeted("ns", nil) {
		t.Errorf("error %v, known %t", err, l.ledger.budgeted("ns", nil))
	}
	delete(l.budgets, "team")
	if err := l.ledger.miss(t.Context(), key); err != nil || l.ledger.budgeted("ns", nil) {
		t.Errorf("error %v, known %t", err, l.ledger.budgeted("ns", nil))
	}
}

// A budget that terminates is counted again when a run emits otherwise than it did, and when it has room again for
// those whom it holds.
func TestABudgetThatTerminatesHearsOfRuns(t *testing.T) {
	l := teamOf(t)
	l.budgets["team"] = l.stored(build.CarbonBudget("team", "ns", "100").Enforcement(carbonv1alpha1.BudgetTerminate))
	x := l.due("x", 0)
	l.restart()
	counted := 0
	l.ledger.listen(func(types.NamespacedName) { counted++ })
	since := func() int { defer func() { counted = 0 }(); return counted }
	for _, longest := range []time.Duration{time.Hour, 2 * time.Hour} { // a pod has failed, and there is another one
		if l.ledger.burns(x, &burn{known: true, load: policy.Load{KW: 1, Longest: longest}}); since() == 0 {
			t.Errorf("not counted for a run of %s at most", longest)
		}
		if l.ledger.burns(x, &burn{known: true, load: policy.Load{KW: 1, Longest: longest}}); since() != 0 {
			t.Errorf("counted though nothing is new")
		}
	}
	key := client.ObjectKeyFromObject(l.budgets["team"])
	l.ledger.exhaust(key, true)
	since()
	if l.ledger.exhaust(key, false); since() == 0 {
		t.Error("not counted when it has room again")
	}
}

// A job that is due and was never asked what it needs is brought back to those who ask: their timer may have stood
// still with the machine, as may have the news of a budget been missed.
func TestAJobThatNobodyAskedFor(t *testing.T) {
	l := teamOf(t)
	caj := l.due("x", 0)
	caj.Status.Job = &carbonv1alpha1.JobStatus{Name: "x", UID: "job"}
	cache := &sleepersCache{caj: caj.DeepCopy(), job: buildJob(caj, nil, "")}
	starter := &Starter{Client: cache, APIReader: l.store, Clock: testingclock.NewFakeClock(l.now), Ledger: l.ledger, Recorder: &events.FakeRecorder{}}
	planner := &CarbonAwareJobReconciler{Starter: starter}
	queue := planner.newQueue("test", retries())
	defer queue.ShutDown()
	pass := func() int {
		if _, err := starter.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(caj)}); err != nil {
			t.Fatal(err)
		}
		return queue.Len()
	}
	setCondition(&cache.caj.Status.Conditions, l.now, 0, carbonv1alpha1.ConditionWithinBudget, metav1.ConditionFalse, carbonv1alpha1.ReasonBudgetHold, "")
	if n := pass(); n != 0 {
		t.Errorf("%d are brought back though they asked", n)
	}
	cache.caj.Status.Conditions = nil
	if n := pass(); n != 1 {
		t.Errorf("%d are brought back, want 1", n)
	}
}

// slowList is an API server that takes its time for lists of one namespace.
type slowList struct {
	*store
	of            client.InNamespace
	asked, answer chan struct{}
}

func (s *slowList) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	err := s.store.List(ctx, list, opts...)
	if slices.Contains(opts, client.ListOption(s.of)) {
		s.asked <- struct{}{}
		<-s.answer
	}
	return err
}

// A namespace without budgets, of which the API server is slow to say so, keeps no other one waiting; a budget that
// comes meanwhile is not missed.
func TestANamespaceThatIsReadSlowly(t *testing.T) {
	for name, comes := range map[string]bool{"no budget": false, "a budget that comes meanwhile": true} {
		t.Run(name, func(t *testing.T) {
			server := &slowList{store: newStore(), of: "ns", asked: make(chan struct{}), answer: make(chan struct{})}
			ledger := NewLedger(server, server, nil)
			now := time.Date(2026, 3, 25, 7, 0, 0, 0, time.UTC)
			loaded := make(chan error)
			go func() { loaded <- ledger.load(t.Context(), "ns", now) }()
			<-server.asked
			if !ledger.mu.TryLock() {
				t.Fatal("all others wait")
			}
			ledger.mu.Unlock()
			if comes {
				budget := build.CarbonBudget("team", "ns", "100").Obj()
				server.touch(budget)
				server.budgets["team"] = budget
				jobsOfBudget(ledger).Create(t.Context(), ctrlevent.CreateEvent{Object: budget.DeepCopy()}, &noQueue{})
			}
			close(server.answer)
			go func() {
				for range server.asked { // whatever else it asks
				}
			}()
			if err := <-loaded; err != nil {
				t.Fatal(err)
			}
			close(server.asked)
			if err := ledger.load(t.Context(), "other", now); err != nil || ledger.budgeted("ns", nil) != comes {
				t.Errorf("error %v, budgeted %t, want %t", err, ledger.budgeted("ns", nil), comes)
			}
		})
	}
}
