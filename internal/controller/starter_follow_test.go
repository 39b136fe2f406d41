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
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// afterOthers is a planner beside a Starter that has more to start than it can, and a job whose Job was started a second ago.
type afterOthers struct {
	planner *CarbonAwareJobReconciler
	ledger  *store
	cache   *sleepersCache
	starts  *fairQueue
	now     time.Time
}

func startedAmongOthers(t *testing.T, others int) *afterOthers {
	t.Helper()
	f := &afterOthers{ledger: newStore(), now: time.Date(2026, 3, 25, 7, 0, 0, 0, time.UTC)}
	caj := waitingJob("due", f.now.Add(-time.Second))
	caj.UID = "caj"
	f.cache = &sleepersCache{caj: caj, job: buildJob(caj, nil, "")}
	f.cache.job.Spec.Suspend = new(false)
	f.issued(f.now.Add(-time.Second))
	starter := &Starter{Client: f.cache, Clock: clocktesting.NewFakePassiveClock(f.now), Ledger: NewLedger(f.ledger, f.ledger, nil)}
	f.planner = &CarbonAwareJobReconciler{Client: f.cache, Clock: starter.Clock, Ledger: starter.Ledger, Starter: starter}
	starter.newQueue("starts", workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	f.starts = starter.queue.Load()
	t.Cleanup(f.starts.ShutDown)
	for i := range others {
		f.starts.Add(reconcile.Request{NamespacedName: client.ObjectKey{Namespace: "ns", Name: string(rune('a' + i))}})
	}
	return f
}

func (f *afterOthers) issued(at time.Time) {
	record, _ := startRecord{At: at}.encode()
	f.cache.job.Annotations = map[string]string{carbonv1alpha1.AnnotationStart: record}
}

func (f *afterOthers) wait(t *testing.T) time.Duration {
	t.Helper()
	return f.planner.afterStarts(t.Context(), f.cache.caj)
}

// What could only tell of a start waits for other starts, and for a minute at most. Nothing else waits.
func TestStartsGoFirst(t *testing.T) {
	condition := func(f *afterOthers, of string, is metav1.ConditionStatus) {
		setCondition(&f.cache.caj.Status.Conditions, f.now, 1, of, is, "Test", "")
	}
	for name, test := range map[string]struct {
		is   func(f *afterOthers)
		want time.Duration
	}{
		"was started a second ago":             {func(*afterOthers) {}, mostAfterStarts - time.Second},
		"was started a minute ago":             {func(f *afterOthers) { f.issued(f.now.Add(-mostAfterStarts - time.Second)) }, 0},
		"was started before the clock was set": {func(f *afterOthers) { f.issued(f.now.Add(time.Hour)) }, mostAfterStarts},
		"was overdue and started a second ago": {func(f *afterOthers) { f.cache.caj.Status.Plan.Start.Time = f.now.Add(-time.Hour) }, mostAfterStarts - time.Second},
		"is due, its Job not started":          {func(f *afterOthers) { f.unstarted() }, mostAfterStarts - time.Second},
		"has been due for a minute":            {func(f *afterOthers) { f.unstarted(); f.cache.caj.Status.Plan.Start.Time = f.now.Add(-mostAfterStarts) }, 0},
		"is not due":                           {func(f *afterOthers) { f.cache.caj.Status.Plan.Start.Time = f.now.Add(time.Second) }, 0},
		"is held by a budget":                  {func(f *afterOthers) { condition(f, carbonv1alpha1.ConditionWithinBudget, metav1.ConditionFalse) }, 0},
		"is in a budget that it never asked":   {func(f *afterOthers) { f.budget() }, 0},
		"is where budgets cannot be read":      {func(f *afterOthers) { f.planner.Ledger = NewLedger(unreadable{f.ledger}, f.ledger, nil) }, 0},
		"has a limit of its own":               {func(f *afterOthers) { f.cache.caj.Spec.MaxGrams = new(resource.MustParse("1")) }, 0},
		"is in a queue of Kueue": {func(f *afterOthers) {
			templateOf(f.cache.caj).Labels = map[string]string{carbonv1alpha1.LabelKueueQueue: "q"}
		}, 0},
		"is told of":                            {func(f *afterOthers) { condition(f, carbonv1alpha1.ConditionStarted, metav1.ConditionTrue) }, 0},
		"has completed":                         {func(f *afterOthers) { f.finished(batchv1.JobComplete) }, 0},
		"has failed":                            {func(f *afterOthers) { f.finished(batchv1.JobFailed) }, 0},
		"has lost its Job":                      {func(f *afterOthers) { f.cache.job.DeletionTimestamp = new(metav1.NewTime(f.now)) }, 0},
		"has a Job of another":                  {func(f *afterOthers) { f.cache.job.OwnerReferences = nil }, 0},
		"was suspended after its start":         {func(f *afterOthers) { f.cache.job.Spec.Suspend = new(true) }, 0},
		"was started by somebody else":          {func(f *afterOthers) { f.cache.job.Annotations = nil }, 0},
		"has fewer before it than there is for": {func(f *afterOthers) { _, _ = f.starts.Get() }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := startedAmongOthers(t, startWorkers+1)
			test.is(f)
			if wait := f.wait(t); wait != test.want {
				t.Errorf("it waits %s, want %s", wait, test.want)
			}
		})
	}
	f := startedAmongOthers(t, 0)
	f.planner.Starter = nil
	if wait := f.wait(t); wait != 0 {
		t.Errorf("without a Starter it waits %s", wait)
	}
}

// unreadable is an API server that lists nothing.
type unreadable struct{ *store }

func (unreadable) List(context.Context, client.ObjectList, ...client.ListOption) error {
	return errors.New("away")
}

func (f *afterOthers) budget() {
	budget := build.CarbonBudget("team", "ns", "100").Obj()
	f.ledger.touch(budget)
	f.ledger.budgets["team"] = budget
}

func (f *afterOthers) unstarted() {
	f.cache.job.Annotations, f.cache.job.Spec.Suspend = nil, new(true)
}

func (f *afterOthers) finished(how batchv1.JobConditionType) {
	f.cache.job.Status.Conditions = []batchv1.JobCondition{{Type: how, Status: corev1.ConditionTrue}}
}

// What waits for other starts is called by whoever makes the last of them, and not before.
func TestWhatFollowsAStartIsCalled(t *testing.T) {
	f := startedAmongOthers(t, startWorkers+2)
	called := f.planner.newQueue("planner", workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	defer called.ShutDown()
	if f.wait(t) == 0 {
		t.Fatal("it does not wait")
	}
	setCondition(&f.cache.caj.Status.Conditions, f.now, 1, carbonv1alpha1.ConditionStarted, metav1.ConditionTrue, "Test", "") // to the Starter
	for _, want := range []int{0, 1} {
		item, _ := f.starts.Get()
		if _, err := f.planner.Starter.Reconcile(t.Context(), item); err != nil {
			t.Fatal(err)
		}
		if called.Len() != want {
			t.Fatalf("with %d starts due, %d are called, want %d", f.planner.Starter.Due(), called.Len(), want)
		}
	}
	if item, _ := called.Get(); item.Name != "due" {
		t.Errorf("called: %s", item)
	}
	f.cache.caj.Status.Conditions = nil
	if wait := f.wait(t); wait != 0 {
		t.Errorf("then it waits %s", wait)
	}
}

// Busy is told by what waits for a worker, not by what has one.
func TestBusyIsMoreThanThereAreWorkersFor(t *testing.T) {
	if (&Starter{}).Busy() {
		t.Error("before there are queues")
	}
	for _, test := range []struct {
		starts, plans int
		want          bool
	}{
		{0, 0, false}, {startWorkers, planWorkers, false}, {startWorkers + 1, 0, true}, {0, planWorkers + 1, true},
	} {
		f := startedAmongOthers(t, test.starts)
		plans := f.planner.newQueue("planner", workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
		t.Cleanup(plans.ShutDown)
		for i := range test.plans {
			plans.Add(reconcile.Request{NamespacedName: client.ObjectKey{Namespace: "ns", Name: string(rune('a' + i))}})
		}
		plans.AddAfter(reconcile.Request{NamespacedName: client.ObjectKey{Namespace: "ns", Name: "later"}}, time.Hour)
		if is := f.planner.Starter.Busy(); is != test.want {
			t.Errorf("%d starts and %d jobs to look at: %t", test.starts, test.plans, is)
		}
	}
}
