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
	"time"

	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	// callPriority is that of the first that is called, above that of all others.
	callPriority = 64 * bandWidth
	// probePriority is above that: what is called may depend on it.
	probePriority = callPriority + bandWidth
)

// dueRequest is an object to call, and when it was due.
type dueRequest struct {
	reconcile.Request

	due time.Time
}

// call puts objects before all others, in the order of when they were due, and still lets no namespace keep another one
// waiting.
func (q *fairQueue) call(items []dueRequest) {
	called := map[string]int{}
	for _, item := range items {
		next := ranked{item.Request, callPriority - bandWidth*band(called[item.Namespace]), item.due}
		called[item.Namespace]++
		if !q.callAside(next) {
			q.addCalled(next)
		}
	}
}

// callAside notes a call, and says whether the object is aside: it comes back from there.
func (q *fairQueue) callAside(r ranked) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.calls[r.item] = r.due
	if !q.aside.has(r.item) {
		return false
	}
	q.aside.set(q.laneOf(r.item), r)
	return true
}

func (q *fairQueue) addCalled(r ranked) {
	q.rank(r.item, 0) // counts it
	q.PriorityQueue.AddWithOpts(priorityqueue.AddOpts{Priority: &r.priority}, r.item)
}

// isCalled says whether an object was called and not handed out since.
func (q *fairQueue) isCalled(item reconcile.Request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, called := q.calls[item]
	return called
}

// wasCalled says whether what has this priority in the queue is there because it was called.
func wasCalled(rank int) bool { return rank > callPriority/2 }
