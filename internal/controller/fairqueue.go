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
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// bandWidth is how many priorities lie between two bands. It is more than what controller-runtime takes off
// for objects that were there before the manager started, 100.
const bandWidth = 200

// fairQueue lets no namespace keep another one waiting. The more objects of a namespace are in the queue, the
// lower the priority of the next one: 0 for the first, one band less for the second and third, one less again
// for the next four, and so on. A namespace with ten thousand objects goes behind one with a few, which goes
// on behind a handful at most. In bands, because the metrics of the queue have a label with the priority.
type fairQueue struct {
	priorityqueue.PriorityQueue[reconcile.Request]

	mu sync.Mutex
	// queued are the objects in the queue, with the priority that they were added with; inNamespace counts them.
	queued      map[reconcile.Request]int
	inNamespace map[string]int
}

// newFairQueue is the NewQueue of the controllers of what users make.
func newFairQueue(name string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	return makeFairQueue(name, limiter)
}

func makeFairQueue(name string, limiter workqueue.TypedRateLimiter[reconcile.Request]) *fairQueue {
	return &fairQueue{
		PriorityQueue: priorityqueue.New(name, func(o *priorityqueue.Opts[reconcile.Request]) { o.RateLimiter = limiter }),
		queued:        map[reconcile.Request]int{}, inNamespace: map[string]int{},
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
// again with what it gets here.
func (q *fairQueue) GetWithPriority() (item reconcile.Request, priority int, shutdown bool) {
	item, _, shutdown = q.PriorityQueue.GetWithPriority()
	q.mu.Lock()
	defer q.mu.Unlock()
	priority, found := q.queued[item]
	if found {
		delete(q.queued, item)
		if q.inNamespace[item.Namespace]--; q.inNamespace[item.Namespace] == 0 {
			delete(q.inNamespace, item.Namespace)
		}
	}
	return item, priority, shutdown
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
