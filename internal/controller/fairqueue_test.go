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
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
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
	q := newFairQueue("test", retries(), 32, 4, c)
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
	if q.most >= 32 || q.most < 24 {
		t.Fatalf("a namespace may have %d of 32 workers", q.most)
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
	q := newFairQueue("test", retries(), startWorkers, startWorkers, c)
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

func TestBands(t *testing.T) {
	for before, want := range map[int]int{0: 0, 1: 1, 2: 1, 3: 2, 6: 2, 7: 3, 9999: 13} {
		if got := band(before); got != want {
			t.Errorf("after %d: %d, want %d", before, got, want)
		}
	}
}

// What was called comes in its order, before all others of its namespace, whatever was set aside before it.
func TestWhatWasCalledAndSetAsideKeepsItsOrder(t *testing.T) {
	q, _ := testQueue(t)
	for i := range 40 { // they come before they are called, as what is due does at the start of a process
		q.Add(requestOf("ns", fmt.Sprint(i)))
	}
	var out []reconcile.Request
	handed := func() { // all that the namespace may have now
		q.AddWithOpts(priorityqueue.AddOpts{Priority: new(-callPriority)}, requestOf("quiet", "marker"))
		for item, _ := q.Get(); item.Namespace != "quiet"; item, _ = q.Get() {
			out = append(out, item)
		}
		q.Done(requestOf("quiet", "marker"))
	}
	handed()
	if len(out) != q.first || q.aside.len() != 40-q.first {
		t.Fatalf("%d are handed out, %d set aside", len(out), q.aside.len())
	}
	first, called := out, []reconcile.Request{}
	for i := range 20 {
		if item := requestOf("ns", fmt.Sprint(39-2*i)); !slices.Contains(first, item) {
			called = append(called, item)
		}
	}
	out = nil
	q.call(inOrder(called))
	handed()         // set aside as well: no worker is free
	q.Add(called[0]) // news of one changes nothing
	handed()
	if len(out) != 0 {
		t.Fatalf("handed out beyond the share: %v", out)
	}
	for _, item := range first {
		q.Done(item)
		handed()
	}
	for i := range 40 - q.first {
		if i == len(out) {
			t.Fatalf("%v come, and no more", out)
		}
		q.Done(out[i])
		handed()
	}
	if len(out) != 40-q.first || !slices.Equal(out[:len(called)], called) {
		t.Errorf("%d were called in the order %v, and came so: %v", len(called), called, out)
	}
	if q.Len() != 0 || len(q.aside.called)+len(q.aside.others) != 0 {
		t.Errorf("%d wait, %v", q.Len(), q.aside)
	}
}

// The same with thousands, of which as many are worked on as may be, and several are done at a time: none is overtaken by
// more than are worked on at a time.
func TestWhatWasCalledKeepsItsOrderHoweverPassesEnd(t *testing.T) {
	q, _ := testQueue(t)
	warm(q, "ns")
	const all = 2000
	for i := range all - 2 { // two are there
		q.Add(requestOf("ns", fmt.Sprint(i)))
	}
	handed := func() (out []reconcile.Request) {
		q.AddWithOpts(priorityqueue.AddOpts{Priority: new(-callPriority)}, requestOf("quiet", "marker"))
		for item, _ := q.Get(); item.Namespace != "quiet"; item, _ = q.Get() {
			out = append(out, item)
		}
		q.Done(requestOf("quiet", "marker"))
		return out
	}
	working := handed()
	var called []reconcile.Request
	place := map[reconcile.Request]int{}
	for i := range all - 2 {
		item := requestOf("ns", fmt.Sprint(all-3-i))
		place[item] = i
		called = append(called, item)
	}
	q.call(inOrder(called))
	var out []reconcile.Request
	for atOnce := len(working); len(working) > 0; atOnce = min(5, len(working)) {
		for range atOnce {
			q.Done(working[0])
			working = working[1:]
		}
		now := handed()
		out, working = append(out, now...), append(working, now...)
		if len(out) > 500 && len(called) > 500 { // those that have had their turn are called once more, for a failure
			called = called[:500]
			q.call(inOrder(called))
			for _, item := range called {
				out = slices.DeleteFunc(out, func(o reconcile.Request) bool { return o == item })
			}
		}
	}
	behind, worst := map[reconcile.Request]int{}, 0
	for i, item := range out {
		for _, before := range out[:i] {
			if place[before] > place[item] {
				behind[item]++
			}
		}
		worst = max(worst, behind[item])
	}
	if len(out) < all-2 || worst > q.most {
		t.Errorf("%d were handed out, one after %d that were called later", len(out), worst)
	}
}

// Workers that take what was called from the queue at the same time set it aside in any order.
func TestWhatIsSetAsideComesBackInTheOrderOfItsCalls(t *testing.T) {
	a, l := newAside(), lane{namespace: "ns"}
	for i, place := range []int{0, 3, 1, 2, 0, 2} {
		r := ranked{item: requestOf("ns", fmt.Sprint(i))}
		if place > 0 {
			r.due = time.Unix(int64(place), 0)
		}
		a.set(l, r)
	}
	var names []string
	for a.len() > 0 {
		for _, r := range a.take(l, 2) {
			names = append(names, r.item.Name)
		}
	}
	if !slices.Equal(names, []string{"2", "3", "5", "1", "0", "4"}) {
		t.Errorf("the order is %v", names)
	}
}

// What was set aside as slow and is not when it comes back takes no worker with it.
func TestALaneThatChangesKeepsItsWorkers(t *testing.T) {
	q, c := testQueue(t)
	x := requestOf("ns", "x")
	q.Add(x)
	item, _ := q.Get()
	c.SetTime(c.Now().Add(slowPass))
	q.Done(item)
	q.Add(x)
	item, _ = q.Get()
	if _, out := q.take(x, 0); out { // by a worker that is quicker than the end of the pass
		t.Fatal("the slow ones have more than one worker")
	}
	q.Done(item) // it was not slow this time
	item, _ = q.Get()
	q.Done(item)
	if len(q.working)+len(q.out)+len(q.promised)+q.aside.len() > 0 {
		t.Errorf("left: %v, %v, %v, %v", q.working, q.out, q.promised, q.aside)
	}
}

// What a worker has just taken from the queue when it is called comes in its order.
func TestWhatIsTakenBeforeItIsCalledWaitsForItsTurn(t *testing.T) {
	q, _ := testQueue(t)
	a, b := requestOf("ns", "a"), requestOf("ns", "b")
	q.Add(b)
	q.Add(a)
	item, rank, _ := q.PriorityQueue.GetWithPriority()
	q.call(inOrder([]reconcile.Request{a, b}))
	if _, out := q.take(item, rank); out || item != b {
		t.Fatalf("%v goes before its turn", item)
	}
	q.PriorityQueue.Done(item)
	for _, want := range []reconcile.Request{a, b} {
		if item, _ := q.Get(); item != want {
			t.Errorf("%v comes, want %v", item, want)
		}
		q.Done(want)
	}
	if left := q.Len() + len(q.queued) + len(q.inNamespace) + len(q.calls) + len(q.out); left > 0 {
		t.Errorf("%d are left", left)
	}
}

// inOrder are objects that were due in their order.
func inOrder(items []reconcile.Request) (due []dueRequest) {
	for i, item := range items {
		due = append(due, dueRequest{item, time.Unix(int64(i+1), 0)})
	}
	return due
}
