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
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	testingclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// An object that was deleted and created again while nobody watched is shown as a change of the former one, of the
// same generation; one whose status somebody has emptied has the same generation too.
func TestNewsOfTheSameGeneration(t *testing.T) {
	caj := func(uid types.UID, observed int64) client.Object {
		o := build.CarbonAwareJob("x", "ns").Obj()
		o.UID, o.Generation, o.Status.ObservedGeneration = uid, 1, observed
		return o
	}
	budget := func(uid types.UID, observed int64) client.Object {
		o := build.CarbonBudget("x", "ns", "1").Obj()
		o.UID, o.Generation, o.Status.ObservedGeneration = uid, 1, observed
		return o
	}
	region := func(uid types.UID, observed int64) client.Object {
		o := &carbonv1alpha1.GridRegion{}
		o.UID, o.Generation, o.Status.ObservedGeneration = uid, 1, observed
		return o
	}
	for name, of := range map[string]func(types.UID, int64) client.Object{"job": caj, "budget": budget, "region": region} {
		for what, test := range map[string]struct {
			is   client.Object
			news bool
		}{
			"another one":             {of("2", 0), true},
			"its status was emptied":  {of("1", 0), true},
			"its status is as it was": {of("1", 1), false},
			"it was looked at by us":  {of("1", 2), false},
			"another one, looked at":  {of("2", 1), true},
		} {
			if got := changesByOthers().Update(ctrlevent.UpdateEvent{ObjectOld: of("1", 1), ObjectNew: test.is}); got != test.news {
				t.Errorf("%s, %s: news %t, want %t", name, what, got, test.news)
			}
		}
	}
}

// lagging is a client whose cache shows a Job and no CarbonAwareJob.
type lagging struct {
	client.Client
	job     *batchv1.Job
	patched int
	failure error
}

func (c *lagging) Get(_ context.Context, key client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	job, ok := o.(*batchv1.Job)
	if !ok {
		return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
	}
	c.job.DeepCopyInto(job)
	return nil
}

func (c *lagging) Patch(context.Context, client.Object, client.Patch, ...client.PatchOption) error {
	c.patched++
	return c.failure
}

func (c *lagging) Create(context.Context, client.Object, ...client.CreateOption) error {
	return c.failure
}

// A Job whose CarbonAwareJob the cache is yet to show, planned by another process, keeps our finalizer.
func TestAJobOfWhichTheOtherHalfIsYetToBeSeen(t *testing.T) {
	l := teamOf(t)
	caj := l.due("x", 0)
	cache := &lagging{job: buildJob(caj, nil, "")}
	r := &CarbonAwareJobReconciler{Client: cache, Ledger: NewLedger(l.store, l.store, nil), APIReader: l.store}
	pass := func() ctrl.Result {
		result, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(caj)})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	if result := pass(); cache.patched > 0 || result.RequeueAfter == 0 {
		t.Errorf("released %d times, looks again after %s", cache.patched, result.RequeueAfter)
	}
	delete(l.jobs, "x")
	if pass(); cache.patched != 1 {
		t.Errorf("released %d times when it is gone", cache.patched)
	}
}

// A job that is gone takes no place in a slot any more.
func TestAJobThatIsGoneTakesNoPlace(t *testing.T) {
	l := teamOf(t)
	caj := l.due("x", 0)
	l.ledger.note(caj)
	r := &CarbonAwareJobReconciler{Client: &lagging{job: &batchv1.Job{}}, Ledger: l.ledger, APIReader: l.store}
	r.starts.plans = map[types.UID]plannedStart{caj.UID: {region: "gb", start: l.now}}
	delete(l.jobs, "x")
	if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(caj)}); err != nil {
		t.Fatal(err)
	}
	if len(r.starts.plans) > 0 {
		t.Errorf("%d places are kept", len(r.starts.plans))
	}
}

// A webhook may refuse a start by any code. One that says that something is not found refuses it no more for good
// than another.
func TestAStartThatIsNotFound(t *testing.T) {
	l := teamOf(t)
	delete(l.budgets, "team")
	caj := l.due("x", 0)
	caj.Status.Job = &carbonv1alpha1.JobStatus{Name: "x", UID: "job"}
	l.restart()
	cache := &refusing{sleepersCache{caj: caj.DeepCopy(), job: buildJob(caj, nil, "")}}
	cache.job.UID = "job"
	starter := &Starter{Client: cache, APIReader: l.store, Clock: testingclock.NewFakeClock(l.now), Ledger: l.ledger, Recorder: &events.FakeRecorder{}}
	result, err := starter.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(caj)})
	if err != nil || result.RequeueAfter < time.Second {
		t.Errorf("error %v, tried again after %s", err, result.RequeueAfter)
	}
}

type refusing struct{ sleepersCache }

func (c *refusing) Patch(context.Context, client.Object, client.Patch, ...client.PatchOption) error {
	return apierrors.NewNotFound(schema.GroupResource{Resource: "teams"}, "nlp")
}

// So may one refuse a Job: that is told, and tried again.
func TestAJobThatIsNotFound(t *testing.T) {
	caj := build.CarbonAwareJob("x", "ns").Obj()
	s := &scope{caj: caj, now: time.Date(2026, 3, 25, 7, 0, 0, 0, time.UTC)}
	r := &CarbonAwareJobReconciler{Client: &lagging{failure: apierrors.NewNotFound(schema.GroupResource{Resource: "teams"}, "nlp")}}
	if err := r.createJob(t.Context(), s, buildJob(caj, nil, "")); err != nil || s.blocked == nil || s.wake.IsZero() {
		t.Errorf("error %v, told %v, tried again at %s", err, s.blocked, s.wake)
	}
}

// What has gone need not be the object of the pass: that is looked at again.
func TestSomethingHasGone(t *testing.T) {
	if result, err := ignoreConflict(apierrors.NewNotFound(schema.GroupResource{Resource: "jobs"}, "x")); err != nil || result.RequeueAfter == 0 {
		t.Errorf("error %v, looked at again after %s", err, result.RequeueAfter)
	}
}
