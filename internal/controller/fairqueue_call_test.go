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

	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// What was called comes in its order, before all others of its namespace, whatever was set aside before it.
func TestWhatWasCalledAndSetAsideKeepsItsOrder(t *testing.T) {
	q, _ := testQueue(t)
	for i := range 40 { // they come before they are called, as what is due does at the start of a process
		q.Add(requestOf("ns", fmt.Sprint(i)))
	}
	out := handed(q)
	if len(out) != q.first || q.aside.len() != 40-q.first {
		t.Fatalf("%d are handed out, %d set aside", len(out), q.aside.len())
	}
	first, called := out, []reconcile.Request{}
	for i := range 20 {
		if item := requestOf("ns", fmt.Sprint(39-2*i)); !slices.Contains(first, item) {
			called = append(called, item)
		}
	}
	q.call(inOrder(called))
	out = handed(q)  // set aside as well: no worker is free
	q.Add(called[0]) // news of one changes nothing
	out = append(out, handed(q)...)
	if len(out) != 0 {
		t.Fatalf("handed out beyond the share: %v", out)
	}
	for _, item := range first {
		q.Done(item)
		out = append(out, handed(q)...)
	}
	for i := range 40 - q.first {
		if i == len(out) {
			t.Fatalf("%v come, and no more", out)
		}
		q.Done(out[i])
		out = append(out, handed(q)...)
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
	working := handed(q)
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
		now := handed(q)
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

// handed takes all that the queue hands out now.
func handed(q *fairQueue) (out []reconcile.Request) {
	marker := requestOf("quiet", "marker")
	q.AddWithOpts(priorityqueue.AddOpts{Priority: new(-callPriority)}, marker)
	for item, _ := q.Get(); item != marker; item, _ = q.Get() {
		out = append(out, item)
	}
	q.Done(marker)
	return out
}
