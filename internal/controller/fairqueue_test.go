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
	"runtime"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func requestOf(namespace, name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}
}

func testQueue(t *testing.T) (*fairQueue, *clocktesting.FakePassiveClock) {
	t.Helper()
	c := clocktesting.NewFakePassiveClock(time.Now())
	q := newFairQueue("test", retries(), 4, 28, c)
	t.Cleanup(q.ShutDown)
	return q, c
}

// warm makes passes of a namespace that are done soon, until it may have as many workers as it ever may.
func warm(q *fairQueue, namespace string) {
	q.Add(requestOf(namespace, "last")) // keeps its share
	for range q.most {
		q.Add(requestOf(namespace, "first"))
		item, _ := q.Get()
		q.Add(item)
		q.Done(item)
	}
}

// After ten thousand objects of one namespace, ten of another are all handed out among the first.
func TestAFloodedQueueIsFair(t *testing.T) {
	q, _ := testQueue(t)
	for i := range 10000 {
		q.Add(requestOf("hostile", fmt.Sprint(i)))
	}
	for i := range 10 {
		q.AddWithOpts(priorityqueue.AddOpts{Priority: new(-100)}, requestOf("quiet", fmt.Sprint(i)))
	}
	last, quiet := 0, 0
	for i := range 10010 {
		item, priority, _ := q.GetWithPriority()
		if item.Namespace == "quiet" {
			last, quiet = i, quiet+1
			if priority != -100 {
				t.Errorf("%v comes back with the priority %d", item, priority)
			}
		}
		q.Done(item)
	}
	if quiet != 10 || last > 30 {
		t.Errorf("the last of %d came after %d others", quiet, last)
	}
	if len(q.queued) != 0 || len(q.inNamespace) != 0 {
		t.Errorf("still counted: %d, %v", len(q.queued), q.inNamespace)
	}
}

// A namespace whose passes take for ever leaves workers to the others, and what it has beyond its share is handed
// out one by one as its passes end: none is lost, and none twice.
func TestANamespaceDoesNotGetAllWorkers(t *testing.T) {
	q, _ := testQueue(t)
	warm(q, "hostile")
	for i := range 98 {
		q.Add(requestOf("hostile", fmt.Sprint(i)))
	}
	slow := map[reconcile.Request]bool{}
	for range q.most {
		item, _ := q.Get()
		slow[item] = true
	}
	q.Add(requestOf("quiet", "a"))
	if item, _ := q.Get(); item.Namespace != "quiet" {
		t.Fatalf("the last workers got %v", item)
	} else {
		q.Done(item)
	}
	again := requestOf("hostile", "97")
	q.Add(again) // news of one that was set aside
	q.Add(requestOf("quiet", "b"))
	if item, _ := q.Get(); item.Namespace != "quiet" {
		t.Fatalf("the last workers got %v", item)
	} else {
		q.Done(item)
	}
	if waits := q.Len(); waits != 100-q.most {
		t.Errorf("%d wait, want %d", waits, 100-q.most)
	}
	seen := map[reconcile.Request]int{}
	for item := range slow {
		seen[item]++
		q.Done(item)
	}
	for range 100 - q.most {
		item, _ := q.Get()
		seen[item]++
		q.Done(item)
	}
	if len(seen) != 100 || q.Len() != 0 || len(q.working)+len(q.aside.called)+len(q.aside.others)+q.aside.len()+len(q.promised) != 0 {
		t.Errorf("%d were handed out, %d wait, and %v, %v, %v are left", len(seen), q.Len(), q.working, q.aside, q.promised)
	}
	for item, times := range seen {
		if times != 1 {
			t.Errorf("%v was handed out %d times", item, times)
		}
	}
}

// A namespace of which the passes take long gets ever fewer workers, down to one, and more again once they do not.
func TestSlowPassesAreMadeOneByOne(t *testing.T) {
	q, c := testQueue(t)
	for i := range 100 {
		q.Add(requestOf("hostile", fmt.Sprint(i)))
	}
	seen := map[reconcile.Request]int{}
	handed := func(want int) (items []reconcile.Request) { // all that the namespace may have now
		t.Helper()
		q.AddWithOpts(priorityqueue.AddOpts{Priority: new(-1000 * bandWidth)}, requestOf("quiet", "after all others"))
		for {
			item, _ := q.Get()
			if item.Namespace == "quiet" {
				q.Done(item)
				break
			}
			items = append(items, item)
			seen[item]++
		}
		if len(items) != want {
			t.Errorf("%d are handed out, want %d", len(items), want)
		}
		return items
	}
	done := func(items []reconcile.Request) {
		for _, item := range items {
			q.Done(item)
		}
	}

	done(handed(4))
	c.SetTime(c.Now().Add(slowPass - 1))
	done(handed(8))
	slow := handed(16)
	c.SetTime(c.Now().Add(slowPass))
	done(slow[:2])
	handed(0)
	done(slow[2:])
	done(handed(1))
	done(handed(2))
	done(handed(4))
	for len(seen) < 100 {
		done(handed(min(q.share(lane{namespace: "hostile"}), 100-len(seen))))
	}
	for item, times := range seen {
		if times != 1 {
			t.Errorf("%v was handed out %d times", item, times)
		}
	}

	// Those that took long come again: one by one, and new ones go on beside them.
	again := 0
	for item := range q.slow {
		q.Add(item)
		again++
	}
	few := handed(1)
	for i := range 10 {
		q.Add(requestOf("hostile", fmt.Sprint("new", i)))
	}
	done(handed(q.first))
	done(handed(10 - q.first))
	for again -= len(few); again > 0; again -= len(few) {
		done(few)
		few = handed(1)
	}
	done(few)
	if len(q.shares)+len(q.slow)+len(q.out)+len(q.working)+len(q.aside.called)+len(q.aside.others) != 0 {
		t.Errorf("left: %v, %v, %v, %v, %v", q.shares, q.slow, q.out, q.working, q.aside)
	}
}

// Starts, which have their full share from the beginning, keep it, however long they take.
func TestStartsDoNotWaitForOneAnother(t *testing.T) {
	c := clocktesting.NewFakePassiveClock(time.Now())
	q := newFairQueue("test", retries(), mostStartWorkers, mostStartWorkers, c)
	t.Cleanup(q.ShutDown)
	for range 3 {
		var items []reconcile.Request
		for i := range q.most {
			q.Add(requestOf("team", fmt.Sprint(i)))
			item, _ := q.Get()
			items = append(items, item)
		}
		c.SetTime(c.Now().Add(slowPass))
		for _, item := range items {
			q.Done(item)
		}
		if share := q.share(lane{namespace: "team"}); share != q.most || len(q.slow) > 0 {
			t.Fatalf("may have %d of %d, slow are %v", share, q.most, q.slow)
		}
	}
}

// What is added again while it waits is counted once, and wins by the higher priority.
func TestAFairQueueCountsOnce(t *testing.T) {
	q, _ := testQueue(t)
	q.AddWithOpts(priorityqueue.AddOpts{Priority: new(-100)}, requestOf("ns", "a"))
	q.Add(requestOf("ns", "a"))
	q.Add(requestOf("ns", "b"))
	if q.inNamespace["ns"] != 2 {
		t.Errorf("counted: %v", q.inNamespace)
	}
	item, priority, _ := q.GetWithPriority()
	if item != requestOf("ns", "a") || priority != 0 {
		t.Errorf("%v, %d", item, priority)
	}
	q.Done(item)
	q.AddWithOpts(priorityqueue.AddOpts{RateLimited: true, Priority: new(priority)}, item)
	if q.inNamespace["ns"] != 2 {
		t.Errorf("counted: %v", q.inNamespace)
	}
}

// No controller gives all its workers to one namespace, whose passes may take long.
func TestWorkersAreLeftToOthers(t *testing.T) {
	for name, c := range map[string]struct {
		workers int
		queue   workqueue.TypedRateLimitingInterface[reconcile.Request]
	}{
		"plan":  {planWorkers, (&CarbonAwareJobReconciler{}).newQueue("plan", retries())},
		"start": {startWorkers, (&Starter{}).newQueue("start", retries())},
		"count": {countWorkers, (&CarbonBudgetReconciler{Ledger: NewLedger(nil, nil, nil)}).newQueue("count", retries())},
	} {
		q := c.queue.(*fairQueue)
		t.Cleanup(q.ShutDown)
		if left := c.workers - q.most; q.first < 1 || q.first > q.most || left < 1 || left*8 < c.workers {
			t.Errorf("%s: of %d workers one namespace has %d, then %d", name, c.workers, q.first, q.most)
		}
	}
}

// A queue does not keep the room that a burst took: waiting jobs would have to answer for it for ever.
func TestAFairQueueKeepsNoRoomOfABurst(t *testing.T) {
	const n = 10000
	q, _ := testQueue(t)
	before := liveMemory()
	var called []dueRequest
	for i := range n {
		item := requestOf("ns", fmt.Sprint(i))
		if q.Add(item); i%2 == 0 {
			called = append(called, dueRequest{item, noon})
		}
	}
	q.AddWithOpts(priorityqueue.AddOpts{Priority: new(-bandWidth * 100)}, requestOf("other", "last"))
	var out []reconcile.Request
	for item := (reconcile.Request{}); item.Namespace != "other"; out = append(out, item) {
		item, _ = q.Get()
	}
	if aside := q.aside.len(); aside != n-q.first {
		t.Fatalf("%d are set aside", aside)
	}
	q.call(called)
	for ; len(out) > 0; out = out[1:] {
		q.Done(out[0])
		if q.Len() > 0 {
			item, _ := q.Get()
			out = append(out, item)
		}
	}
	if left := q.Len() + len(q.queued) + len(q.calls); left > 0 {
		t.Fatalf("%d are left", left)
	}
	kept := int64(liveMemory()) - int64(before)
	runtime.KeepAlive(q)
	t.Logf("%d bytes are kept", kept)
	if kept > 300*n { // the queue that it is made of keeps some
		t.Errorf("%d bytes are kept of a burst of %d", kept, n)
	}
}

func TestBands(t *testing.T) {
	for before, want := range map[int]int{0: 0, 1: 1, 2: 1, 3: 2, 6: 2, 7: 3, 9999: 13} {
		if got := band(before); got != want {
			t.Errorf("after %d: %d, want %d", before, got, want)
		}
	}
}
