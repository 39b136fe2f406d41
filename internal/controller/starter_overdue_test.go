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
	"net/http"
	"slices"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	testingclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// outage is the cache of a process, and an API server that may be away, or refuse the start of some jobs.
type outage struct {
	client.Client
	store *store
	away  bool
	// unready says that the API server is back and has not read the roles yet.
	unready bool
	refuses map[string]bool
	// forbids are those whose start admission refuses.
	forbids map[string]bool
	tried   []string
}

func (o *outage) Get(ctx context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	job, isJob := object.(*batchv1.Job)
	if !isJob {
		return o.store.Get(ctx, key, object)
	}
	caj := &carbonv1alpha1.CarbonAwareJob{}
	if err := o.store.Get(ctx, key, caj); err != nil {
		return err
	}
	buildJob(caj, nil, "").DeepCopyInto(job)
	job.UID = caj.Status.Job.UID
	return nil
}

func (o *outage) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	return o.store.List(ctx, list, options...)
}

// Patch starts a Job.
func (o *outage) Patch(_ context.Context, object client.Object, _ client.Patch, _ ...client.PatchOption) error {
	name := object.GetName()
	o.tried = append(o.tried, name)
	switch {
	case o.away:
		return errors.New("connection refused")
	case o.unready:
		return apierrors.NewForbidden(batchv1.Resource("jobs"), name, errors.New(`User "x" cannot patch resource "jobs" in API group "batch"`))
	case o.forbids[name]:
		return apierrors.NewForbidden(batchv1.Resource("jobs"), name, errors.New("not yet ready to handle request"))
	case o.refuses[name]:
		return apierrors.NewGenericServerResponse(http.StatusInternalServerError, "patch", batchv1.Resource("jobs"), name, "a webhook failed", 0, true)
	}
	setCondition(&o.store.jobs[name].Status.Conditions, time.Now(), 1, carbonv1alpha1.ConditionStarted, metav1.ConditionTrue, "Started", "")
	return nil
}

// overdueJobs are a Starter and jobs a, b, c and so on, due in the order of their names.
func overdueJobs(n int) (*Starter, *outage, *testingclock.FakeClock) {
	o := &outage{store: newStore(), refuses: map[string]bool{}}
	clock := testingclock.NewFakeClock(time.Date(2026, 3, 25, 7, 0, 0, 0, time.UTC))
	for i := range n {
		caj := waitingJob(string(rune('a'+i)), clock.Now().Add(time.Duration(i)*time.Second))
		caj.Status.Job.UID = "job"
		o.store.jobs[caj.Name] = caj
	}
	return &Starter{Client: o, APIReader: o.store, Clock: clock, Ledger: NewLedger(o.store, o.store, nil), Recorder: &events.FakeRecorder{}}, o, clock
}

// pass lets the turns of jobs come one after the other, and says which were tried.
func pass(t *testing.T, r *Starter, o *outage, names ...string) string {
	t.Helper()
	o.tried = nil
	for _, name := range names {
		_, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Namespace: "ns", Name: name}})
		if fails := o.away || o.unready || o.refuses[name]; (err != nil) != fails {
			t.Errorf("%s: %v", name, err)
		}
	}
	return fmt.Sprint(o.tried)
}

// After an outage, what gets through first starts those before it that were due for longer.
func TestOverdueStartsGoInTheirOrder(t *testing.T) {
	r, o, clock := overdueJobs(5)
	o.away = true
	for _, name := range []string{"a", "b", "c", "d"} {
		if tried := pass(t, r, o, name); name == "a" && tried != "[a]" {
			t.Errorf("tried %s", tried)
		}
		clock.Step(time.Second)
	}
	if tried := pass(t, r, o, "d", "b", "c"); tried != "[a a a]" {
		t.Errorf("while the API server is away, %s are tried", tried)
	}
	o.away, o.unready = false, true
	if tried := pass(t, r, o, "d", "b", "c"); tried != "[a a a]" {
		t.Errorf("while it knows nobody's rights, %s are tried", tried)
	}
	o.unready = false
	if tried := pass(t, r, o, "c"); tried != "[a b c]" {
		t.Errorf("once it is back, %s are started", tried)
	}
	if tried := pass(t, r, o, "b", "e", "d", "a"); tried != "[d e]" {
		t.Errorf("then %s are started", tried)
	}
}

// Where many are overdue, a turn starts some of them and comes again.
func TestOverdueStartsOfManyTakeTurns(t *testing.T) {
	r, o, clock := overdueJobs(2*mostBefore + 2)
	clock.Step(time.Minute)
	last := string(rune('a' + 2*mostBefore + 1))
	var all []string
	for _, want := range []int{mostBefore, mostBefore, 2} {
		pass(t, r, o, last)
		if len(o.tried) != want {
			t.Errorf("a turn starts %s, not %d", o.tried, want)
		}
		all = append(all, o.tried...)
	}
	if !slices.IsSorted(all) || all[len(all)-1] != last {
		t.Errorf("they start in the order %s", all)
	}
}

// The same for a process that comes to lead when jobs are due.
func TestOverdueStartsOfANewLeader(t *testing.T) {
	r, o, clock := overdueJobs(4)
	clock.Step(2 * time.Second)
	if tried := pass(t, r, o, "c", "d", "b"); tried != "[a b c]" {
		t.Errorf("started %s", tried)
	}
}

// One that the API server has something against is tried in its own turns only, and one that is gone in none.
func TestOverdueStartsThatAreRefused(t *testing.T) {
	r, o, clock := overdueJobs(3)
	o.refuses["a"] = true
	clock.Step(2 * time.Second)
	if tried := pass(t, r, o, "b", "c", "a"); tried != "[a b c a]" {
		t.Errorf("tried %s", tried)
	}
	r, o, clock = overdueJobs(3)
	o.away = true
	clock.Step(2 * time.Second)
	pass(t, r, o, "a", "b")
	o.away = false
	delete(o.store.jobs, "a")
	o.store.jobs["b"].Spec.Suspend = new(true)
	if tried := pass(t, r, o, "c"); tried != "[c]" {
		t.Errorf("tried %s", tried)
	}
}

// A start that was due during an outage is not put off for as long again by what is not ready when it is over.
func TestOverdueStartsThatAreRefusedForAMoment(t *testing.T) {
	r, o, clock := overdueJobs(1)
	o.forbids = map[string]bool{"a": true}
	clock.Step(time.Hour)
	for _, want := range []time.Duration{time.Second, time.Second, 2 * time.Second, 4 * time.Second} {
		result, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Namespace: "ns", Name: "a"}})
		if err != nil || result.RequeueAfter != want {
			t.Errorf("error %v, tried again after %s, want %s", err, result.RequeueAfter, want)
		}
		clock.Step(result.RequeueAfter)
	}
	o.forbids = nil
	if tried := pass(t, r, o, "a", "a"); tried != "[a]" || len(r.refused.first) > 0 {
		t.Errorf("tried %s, %d refusals are kept", tried, len(r.refused.first))
	}
}

// A plan that moves while a start is overdue is followed.
func TestOverdueStartsAreForgotten(t *testing.T) {
	var o overdue
	now := time.Date(2026, 3, 25, 7, 0, 0, 0, time.UTC)
	jobs := []*carbonv1alpha1.CarbonAwareJob{waitingJob("a", now), waitingJob("b", now.Add(time.Second)), waitingJob("c", now.Add(2*time.Second))}
	for _, caj := range slices.Concat(jobs, jobs) {
		o.put(caj)
	}
	jobs[0].Status.Plan.Start = metav1.NewTime(now.Add(3 * time.Second))
	o.put(jobs[0])
	o.drop(client.ObjectKeyFromObject(jobs[1]))
	var names []string
	for {
		key, found := o.next("ns", now.Add(time.Hour))
		if !found {
			break
		}
		names = append(names, key.Name)
	}
	if !slices.Equal(names, []string{"c", "a"}) || len(o.starts) > 0 || len(o.order) > 0 {
		t.Errorf("%v, and %d starts are left in %d namespaces", names, len(o.starts), len(o.order))
	}
}
