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
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	testingclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// outage is the cache of a process, and an API server that may be away, or refuse the start of some jobs.
type outage struct {
	client.Client
	store *store
	away  bool
	// unready says that the API server is back and has not read the roles yet.
	unready bool
	// mute are those whose start it never answers, refuses those whose start it cannot make.
	mute, refuses map[string]bool
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
	case o.away, o.mute[name]:
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

// overdueJobs are a Starter with a queue, and jobs a, b, c and so on, due in the order of their names.
func overdueJobs(t *testing.T, n int) (*Starter, *outage, *testingclock.FakeClock) {
	t.Helper()
	o := &outage{store: newStore(), refuses: map[string]bool{}}
	clock := testingclock.NewFakeClock(time.Date(2026, 3, 25, 7, 0, 0, 0, time.UTC))
	for i := range n {
		caj := waitingJob(string(rune('a'+i)), clock.Now().Add(time.Duration(i)*time.Second))
		caj.Status.Job.UID = "job"
		o.store.jobs[caj.Name] = caj
	}
	r := &Starter{Client: o, APIReader: o.store, Clock: clock, Ledger: NewLedger(o.store, o.store, nil), Recorder: &events.FakeRecorder{}}
	queue, _ := testQueue(t)
	r.queue.Store(queue)
	return r, o, clock
}

func named(name string) ctrl.Request {
	return ctrl.Request{NamespacedName: client.ObjectKey{Namespace: "ns", Name: name}}
}

// pass lets the turns of jobs come one after the other, and says which were tried.
func pass(t *testing.T, r *Starter, o *outage, names ...string) string {
	t.Helper()
	o.tried = nil
	for _, name := range names {
		before := len(o.tried)
		_, err := r.Reconcile(t.Context(), named(name))
		if fails := len(o.tried) > before && (o.away || o.unready || o.mute[name] || o.refuses[name]); (err != nil) != fails {
			t.Errorf("%s: %v", name, err)
		}
	}
	return fmt.Sprint(o.tried)
}

// turns takes n of the queue, and says which.
func turns(r *Starter, n int) (names []string) {
	queue := r.queue.Load()
	for range n {
		item, _ := queue.Get()
		names = append(names, item.Name)
		queue.Done(item)
	}
	return names
}

// After an outage, what gets through first calls the others, in the order in which they were due.
func TestOverdueStartsGoInTheirOrder(t *testing.T) {
	for name, begin := range map[string]func(*outage){
		"away":    func(o *outage) { o.away = true },
		"unready": func(o *outage) { o.unready = true },
	} {
		t.Run(name, func(t *testing.T) {
			r, o, clock := overdueJobs(t, 5)
			begin(o)
			clock.Step(3 * time.Second)
			if _, err := r.Reconcile(t.Context(), named("d")); err != nil || len(o.tried) > 0 {
				t.Fatalf("a process that has just begun tries %s: %v", o.tried, err)
			}
			if got := turns(r, 4); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
				t.Errorf("a process that has just begun calls %s", got)
			}
			clock.Step(-time.Second) // d is not due yet
			if tried := pass(t, r, o, "b", "d", "a", "c"); tried != "[b]" {
				t.Errorf("the first that gets no answer has company: %s", tried)
			}
			if got := turns(r, 1); !slices.Equal(got, []string{"b"}) { // the only one that is known by then
				t.Errorf("%s asks at once", got)
			}
			clock.Step(time.Second)
			for _, want := range []string{"b", "c", "d", "a", "b"} {
				if tried := pass(t, r, o, "d", "a", "c", "b", "d", "a", "c", "b"); tried != fmt.Sprintf("[%s]", want) {
					t.Errorf("when %s is to ask, %s do", want, tried)
				}
				clock.Step(scoutPause)
			}
			for _, waits := range []string{"c", "a", "b", "d"} { // for the end of their pauses
				r.queue.Load().AddAfter(named(waits), time.Hour)
			}
			o.away, o.unready = false, false
			if tried := pass(t, r, o, "b", "d", "a"); tried != "[]" {
				t.Errorf("%s do not wait for who is to ask", tried)
			}
			if tried := pass(t, r, o, "c"); tried != "[c]" {
				t.Errorf("once it is over, %s are started", tried)
			}
			if got := turns(r, 3); !slices.Equal(got, []string{"a", "b", "d"}) {
				t.Errorf("they are called in the order %s", got)
			}
			if tried := pass(t, r, o, "a", "b", "d"); tried != "[a b d]" || len(r.overdue.starts) > 0 {
				t.Errorf("started %s, left %v", tried, r.overdue.starts)
			}
		})
	}
}

// What gets no answer for ever is called once in a while, and what the API server has something against never; what is
// gone is forgotten.
func TestOverdueStartsThatFailForEver(t *testing.T) {
	r, o, clock := overdueJobs(t, 6)
	pass(t, r, o, "f") // not due; the first pass of the process
	clock.Step(5 * time.Second)
	o.mute, o.refuses = map[string]bool{"a": true}, map[string]bool{"b": true}
	for _, step := range []struct {
		turns, tried, called string
		pause                time.Duration
	}{
		{"a b a c b", "[a a]", "[a]", 0}, // no answer, and still none: that may be an outage
		{"c b", "[b]", "[a c]", scoutPause},
		{"a c b", "[a]", "[a]", 0}, // c may be kept waiting for a moment by what never gets an answer
		{"a c", "[a]", "[]", 0},
		{"b", "[b]", "[c]", scoutPause}, // but does not keep being called itself
		{"c d", "[c d]", "[]", 0},
		{"e", "[e]", "[a]", callPause}, // until it was left alone for a while
	} {
		clock.Step(step.pause)
		if tried := pass(t, r, o, strings.Fields(step.turns)...); tried != step.tried {
			t.Errorf("%s: %s were tried, want %s", step.turns, tried, step.tried)
		}
		r.queue.Load().AddWithOpts(priorityqueue.AddOpts{Priority: new(-callPriority)}, named("marker"))
		called := turns(r, 1)
		for called[len(called)-1] != "marker" {
			called = append(called, turns(r, 1)...)
		}
		if got := fmt.Sprint(called[:len(called)-1]); got != step.called {
			t.Errorf("%s: %s were called, want %s", step.turns, got, step.called)
		}
	}
	delete(o.store.jobs, "a")
	pass(t, r, o, "a", "c") // one is gone, one is started
	if len(r.overdue.starts)+len(r.overdue.called) > 0 {
		t.Errorf("left: %v, %v", r.overdue.starts, r.overdue.called)
	}
}

// A start that was due during an outage is not put off for as long again by what is not ready when it is over.
func TestOverdueStartsThatAreRefusedForAMoment(t *testing.T) {
	r, o, clock := overdueJobs(t, 1)
	o.forbids = map[string]bool{"a": true}
	clock.Step(time.Hour)
	pass(t, r, o, "a") // the first pass of the process
	for _, want := range []time.Duration{time.Second, time.Second, 2 * time.Second, 4 * time.Second} {
		result, err := r.Reconcile(t.Context(), named("a"))
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
