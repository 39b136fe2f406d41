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
	"math/bits"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// bandWidth is how many priorities lie between two bands. It is more than what controller-runtime takes off
// for objects that were there before the manager started, 100.
const bandWidth = 200

// slowPass is what no pass takes unless the API server has much work with it, or with everything. A webhook
// that says nothing else may take as long (timeoutSeconds).
const slowPass = 10 * time.Second

// fairQueue lets no namespace keep another one waiting. The more objects of a namespace are in the queue, the
// lower the priority of the next one: 0 for the first, one band less for the second and third, one less again
// for the next four, and so on. A namespace with ten thousand objects goes behind one with a few, which goes
// on behind a handful at most. In bands, because the metrics of the queue have a label with the priority. Nor may
// one namespace have all workers at a time: what is handed out beyond its share is set aside until one is done. Its
// share may be small at first: it grows by one with each pass that is done soon, and is halved by each that takes long.
// Those that took long the last time have one worker to themselves, and keep nobody else waiting. So what costs the API
// server much is soon asked for one by one.
type fairQueue struct {
	priorityqueue.PriorityQueue[reconcile.Request]

	// first is how many workers one namespace may have to begin with, most how many ever.
	first, most int
	clock       clock.PassiveClock

	mu sync.Mutex
	// shares are how many workers the namespaces may have that have passes or wait for some; others may have first.
	shares map[string]int
	// slow are the objects of which the last pass took long.
	slow map[reconcile.Request]bool
	// out is what is handed out, working counts it; aside is what waits for its end. What comes back from there has a
	// worker promised, and counts as handed out.
	out      map[reconcile.Request]handout
	promised map[reconcile.Request]lane
	working  map[lane]int
	aside    aside
	// calls are the times by which those are ordered that were called and not handed out since.
	calls map[reconcile.Request]time.Time
	// queued are the objects in the queue, with the priority that they were added with; inNamespace counts them.
	queued      map[reconcile.Request]int
	inNamespace map[string]int
}

// lane is what shares workers: the objects of a namespace of which the last pass took long, or the others.
type lane struct {
	namespace string
	slow      bool
}

// handout is what is known of an object that is handed out.
type handout struct {
	lane  lane
	since time.Time
}

// newFairQueue is the queue of a controller of what users make, of whose workers one namespace may have first to begin
// with and most ever: fewer than there are, as passes may take long, such as one whose Job the API server takes half
// a minute to refuse.
func newFairQueue(name string, limiter workqueue.TypedRateLimiter[reconcile.Request], first, most int, passive clock.PassiveClock) *fairQueue {
	return &fairQueue{
		PriorityQueue: priorityqueue.New(name, func(o *priorityqueue.Opts[reconcile.Request]) { o.RateLimiter = limiter }),
		first:         first, most: most, clock: passive,
		queued: map[reconcile.Request]int{}, inNamespace: map[string]int{},
		shares: map[string]int{}, slow: map[reconcile.Request]bool{}, working: map[lane]int{}, out: map[reconcile.Request]handout{},
		promised: map[reconcile.Request]lane{}, aside: newAside(), calls: map[reconcile.Request]time.Time{},
	}
}

// AddWithOpts implements priorityqueue.PriorityQueue.
func (q *fairQueue) AddWithOpts(o priorityqueue.AddOpts, items ...reconcile.Request) {
	for _, item := range items {
		ranked := o
		ranked.Priority = new(q.rank(item, ptr.Deref(o.Priority, 0)))
		q.PriorityQueue.AddWithOpts(ranked, item)
	}
}

// Add implements workqueue.TypedInterface, as do the next two.
func (q *fairQueue) Add(item reconcile.Request) { q.AddWithOpts(priorityqueue.AddOpts{}, item) }

// AddAfter adds an item later.
func (q *fairQueue) AddAfter(item reconcile.Request, after time.Duration) {
	q.AddWithOpts(priorityqueue.AddOpts{After: after}, item)
}

// AddRateLimited adds an item after the pause that it has earned.
func (q *fairQueue) AddRateLimited(item reconcile.Request) {
	q.AddWithOpts(priorityqueue.AddOpts{RateLimited: true}, item)
}

// Get hands the next item out.
func (q *fairQueue) Get() (item reconcile.Request, shutdown bool) {
	item, _, shutdown = q.GetWithPriority()
	return item, shutdown
}

// GetWithPriority hands the next item out with the priority that it was added with: the controller adds it
// again with what it gets here. Items of a namespace that has as many workers as it may are set aside.
func (q *fairQueue) GetWithPriority() (item reconcile.Request, priority int, shutdown bool) {
	for {
		var rank int
		item, rank, shutdown = q.PriorityQueue.GetWithPriority()
		if shutdown {
			return item, 0, true
		}
		var out bool
		if priority, out = q.take(item, rank); out {
			return item, priority, false
		}
		q.PriorityQueue.Done(item)
	}
}

// take notes that an item leaves the queue, and says whether it may be handed out now.
func (q *fairQueue) take(item reconcile.Request, rank int) (priority int, out bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l, promised := q.promised[item]
	due, called := q.calls[item]
	if called && !wasCalled(rank) && !promised && !q.aside.has(item) {
		return 0, false // it left the queue before it was called, and is there again
	}
	priority, found := q.queued[item]
	if found {
		q.queued = without(q.queued, item)
		if q.inNamespace[item.Namespace]--; q.inNamespace[item.Namespace] == 0 {
			delete(q.inNamespace, item.Namespace)
		}
	}
	if !promised {
		l = q.laneOf(item)
	}
	if promised || q.working[l] < q.share(l) {
		if !promised {
			q.working[l]++
		}
		delete(q.promised, item)
		q.calls = without(q.calls, item)
		q.out[item] = handout{l, q.clock.Now()}
		return priority, true
	}
	if called {
		priority = rank
	}
	q.aside.set(l, ranked{item, priority, due})
	return 0, false
}

// Len is how many items wait, those that were set aside among them.
func (q *fairQueue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.PriorityQueue.Len() + q.aside.len()
}

// Done takes an item back that was handed out, and puts those of its namespace that were set aside and may be handed
// out now into the queue again.
func (q *fairQueue) Done(item reconcile.Request) {
	q.mu.Lock()
	q.judge(item)
	quick, slow := lane{namespace: item.Namespace}, lane{namespace: item.Namespace, slow: true}
	again := append(q.promise(quick), q.promise(slow)...)
	if q.working[quick]+q.working[slow]+q.inNamespace[item.Namespace] == 0 {
		delete(q.shares, item.Namespace) // nothing of it is left
	}
	q.mu.Unlock()
	q.PriorityQueue.Done(item) // only now may it be handed out again
	for _, next := range again {
		if next.isCalled() {
			q.addCalled(next)
			continue
		}
		q.AddWithOpts(priorityqueue.AddOpts{Priority: &next.priority}, next.item)
	}
}

// promise takes what was set aside and may be handed out now: others that come meanwhile do not get its worker.
func (q *fairQueue) promise(l lane) []ranked {
	again := q.aside.take(l, q.share(l)-q.working[l])
	for _, next := range again {
		q.working[l]++
		q.promised[next.item] = l
	}
	return again
}

func (q *fairQueue) laneOf(item reconcile.Request) lane {
	return lane{namespace: item.Namespace, slow: q.slow[item]}
}

// share is how many workers a lane may have now.
func (q *fairQueue) share(l lane) int {
	if l.slow {
		return 1
	}
	if share, found := q.shares[l.namespace]; found {
		return share
	}
	return q.first
}

// judge notes that a pass is over, and what its time tells: of the object, and of the share of its namespace.
func (q *fairQueue) judge(item reconcile.Request) {
	was := q.out[item]
	delete(q.out, item)
	if q.working[was.lane]--; q.working[was.lane] == 0 {
		delete(q.working, was.lane)
	}
	long := q.clock.Since(was.since) >= slowPass
	if q.first == q.most { // passes that must not wait for one another
		return
	}
	delete(q.slow, item)
	if long {
		q.slow[item] = true
	}
	switch share := q.share(lane{namespace: item.Namespace}); {
	case !long:
		q.shares[item.Namespace] = min(share+1, q.most)
	case !was.lane.slow:
		q.shares[item.Namespace] = max(1, share/2)
	}
}

// rank notes an item and returns the priority that it has in the queue.
func (q *fairQueue) rank(item reconcile.Request, priority int) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if was, found := q.queued[item]; found {
		q.queued[item] = max(was, priority)
		return priority - bandWidth*band(q.inNamespace[item.Namespace]-1)
	}
	before := q.inNamespace[item.Namespace]
	q.queued[item], q.inNamespace[item.Namespace] = priority, before+1
	return priority - bandWidth*band(before)
}

// band is 0 for the first of a namespace's objects, 1 for the next two, 2 for the next four and so on.
func band(before int) int { return bits.Len(uint(before+1)) - 1 }
