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
	// unready says that the API server is back and has not read the roles yet, deaf that it answers no probe.
	unready, deaf bool
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
	if _, regions := list.(*carbonv1alpha1.GridRegionList); regions {
		return o.probed()
	}
	return o.store.List(ctx, list, options...)
}

// probed is what comes of a probe.
func (o *outage) probed() error {
	switch {
	case o.away:
		return errors.New("connection refused")
	case o.deaf:
		return fmt.Errorf("listing: %w", context.DeadlineExceeded)
	case o.unready:
		return apierrors.NewForbidden(carbonv1alpha1.GroupVersion.WithResource("gridregions").GroupResource(), "", errors.New("no RBAC policy matched"))
	}
	return nil
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
	r := &Starter{Client: o, APIReader: o, Clock: clock, Ledger: NewLedger(o.store, o.store, nil), Recorder: &events.FakeRecorder{}}
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

// handsOut takes all that the queue hands out now, and says what.
func handsOut(r *Starter) string {
	r.queue.Load().AddWithOpts(priorityqueue.AddOpts{Priority: new(-callPriority)}, named("marker"))
	names := turns(r, 1)
	for names[len(names)-1] != "marker" {
		names = append(names, turns(r, 1)...)
	}
	return fmt.Sprint(names[:len(names)-1])
}

// probes lets the turn of the probe come, and says whether it is to come again.
func probes(t *testing.T, r *Starter) bool {
	t.Helper()
	result, err := r.Reconcile(t.Context(), probe)
	if err != nil || result.RequeueAfter != 0 && result.RequeueAfter != probePause {
		t.Errorf("a probe ends in %v, %v", result, err)
	}
	return result.RequeueAfter > 0
}

// While the API server is away nobody asks for a start, and when it is back all are called in the order in which they
// were due.
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
			if tried := pass(t, r, o, "c"); tried != "[]" {
				t.Errorf("%s, whose pass began before it was called, are tried before their turn", tried)
			}
			if got := handsOut(r); got != "[a b c d]" {
				t.Errorf("a process that has just begun calls %s", got)
			}
			clock.Step(-time.Second) // d is not due yet
			if tried := pass(t, r, o, "b", "d", "c"); tried != "[b c]" {
				t.Errorf("before it is known to be away, it is asked for %s", tried)
			}
			if got := handsOut(r); got != "[probe]" || !probes(t, r) {
				t.Errorf("%s asks whether it is away, and not again", got)
			}
			clock.Step(time.Second)
			if tried := pass(t, r, o, "d", "a", "c", "b"); tried != "[]" || !probes(t, r) {
				t.Errorf("it is asked for %s while it is away", tried)
			}
			for _, waits := range []string{"c", "a", "b", "d"} { // for the end of their pauses
				r.queue.Load().AddAfter(named(waits), time.Hour)
			}
			o.away, o.unready = false, false
			if tried := pass(t, r, o, "d"); tried != "[]" {
				t.Errorf("%s does not wait for those that were due for longer", tried)
			}
			if probes(t, r) {
				t.Error("it is asked again although it is back")
			}
			if got := handsOut(r); got != "[a b c d]" {
				t.Errorf("they are called in the order %s", got)
			}
			if tried := pass(t, r, o, "a", "b", "c", "d"); tried != "[a b c d]" || len(r.overdue.starts) > 0 {
				t.Errorf("started %s, left %v", tried, r.overdue.starts)
			}
		})
	}
}

// What gets no answer for ever, or has a webhook against it, keeps nobody waiting and asks no more than once a second
// what is wrong. It is called once, in case the API server was away for a moment.
func TestOverdueStartsThatFailForEver(t *testing.T) {
	r, o, clock := overdueJobs(t, 4)
	pass(t, r, o, "d") // not due; the first pass of the process
	handsOut(r)
	clock.Step(3 * time.Second)
	o.mute, o.refuses = map[string]bool{"a": true}, map[string]bool{"b": true}
	for _, want := range []bool{true, false} {
		clock.Step(probePause)
		if tried := pass(t, r, o, "b", "a"); tried != "[b a]" {
			t.Errorf("%s are tried", tried)
		}
		r.queue.Load().AddRateLimited(named("a")) // as the controller does
		r.queue.Load().AddRateLimited(named("b"))
		if got := handsOut(r); !strings.Contains(got, "probe") || probes(t, r) {
			t.Errorf("%s ask what is wrong, and again", got)
		}
		if a, b := r.called(named("a")), r.called(named("b")); a != want || b != want || len(r.overdue.starts) > 0 {
			t.Errorf("called: %v, %v, want %v, left %v", a, b, want, r.overdue.starts)
		}
		handsOut(r)
	}
	clock.Step(300 * time.Millisecond)
	for _, want := range []struct {
		ask   bool
		pause time.Duration
	}{{true, 700 * time.Millisecond}, {false, 0}} {
		if ask, pause := r.overdue.fail(o.store.jobs["a"], true, clock.Now()); ask != want.ask || pause != want.pause {
			t.Errorf("the next question is asked %v after %s, want %v", ask, pause, want)
		}
	}
	delete(o.store.jobs, "a")
	pass(t, r, o, "a")
	if len(r.overdue.starts) > 0 {
		t.Errorf("left: %v", r.overdue.starts)
	}
}

// Probes that end in errors do not keep starts from being made that might be.
func TestOverdueStartsDoNotWaitForEverForAProbe(t *testing.T) {
	r, o, clock := overdueJobs(t, 4)
	pass(t, r, o, "d") // not due; the first pass of the process
	handsOut(r)
	clock.Step(3 * time.Second)
	o.mute, o.deaf = map[string]bool{"a": true}, true
	pass(t, r, o, "a")
	handsOut(r)
	for began := clock.Now(); clock.Since(began) < patience; clock.Step(probePause) {
		if !probes(t, r) {
			t.Fatalf("nobody asks any more after %s", clock.Since(began))
		}
		if tried := pass(t, r, o, "c", "b"); tried != "[]" {
			t.Fatalf("%s are tried after %s", tried, clock.Since(began))
		}
	}
	if !probes(t, r) {
		t.Error("nobody asks any more")
	}
	if got := handsOut(r); got != "[a b c]" {
		t.Errorf("%s are called", got)
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		if tried := pass(t, r, o, name); tried != "["+name+"]" || !probes(t, r) {
			t.Errorf("%s are tried after that, instead of %s, or nobody asks", tried, name)
		}
	}
	o.deaf = false
	if probes(t, r) {
		t.Error("it is asked again although it is back")
	}
	if got := handsOut(r); got != "[a]" {
		t.Errorf("%s are called in the end", got)
	}
}

// Who gives no answer at all is not tried, however long it takes.
func TestOverdueStartsWaitForWhoDoesNotAnswer(t *testing.T) {
	o, now := &overdue{}, time.Now()
	caj := waitingJob("a", now)
	o.fail(caj, false, now)
	for range 3 {
		if called, again, _ := o.judge(silent, now); len(called) > 0 || !again || !o.park(caj) {
			t.Errorf("called %v, asked again: %v", called, again)
		}
		now = now.Add(patience)
	}
	if called, again, news := o.judge(well, now); len(called) != 1 || again || !news {
		t.Errorf("called %v, asked again: %v, news: %v", called, again, news)
	}
}

// A start that was due during an outage is not put off for as long again by what is not ready when it is over.
func TestOverdueStartsThatAreRefusedForAMoment(t *testing.T) {
	r, o, clock := overdueJobs(t, 1)
	o.forbids = map[string]bool{"a": true}
	clock.Step(time.Hour)
	pass(t, r, o, "a") // the first pass of the process
	handsOut(r)
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
