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

import "sigs.k8s.io/controller-runtime/pkg/reconcile"

// ranked is an object with the priority that it is to come back with: the one that it was added with or, if it was
// called, the one that it has in the queue.
type ranked struct {
	item     reconcile.Request
	priority int
}

// aside is what would be worked on if its namespace had not all workers that it may have. What was called comes back
// before all others, in the order in which it was called.
type aside struct {
	called, others map[lane][]reconcile.Request
	// priorities tell what is aside at all: what is called while it is leaves its old place behind.
	priorities map[reconcile.Request]int
}

func newAside() aside {
	return aside{called: map[lane][]reconcile.Request{}, others: map[lane][]reconcile.Request{}, priorities: map[reconcile.Request]int{}}
}

func (a *aside) len() int { return len(a.priorities) }

// set sets an object aside. One that is already keeps its place, unless it was called since.
func (a *aside) set(l lane, r ranked) {
	was, waits := a.priorities[r.item]
	if waits && (isCalled(was) || !isCalled(r.priority)) {
		a.priorities[r.item] = max(was, r.priority)
		return
	}
	list := a.others
	if isCalled(r.priority) {
		list = a.called
	}
	list[l] = append(list[l], r.item)
	a.priorities[r.item] = r.priority
}

// take takes as many as that, if there are.
func (a *aside) take(l lane, n int) (again []ranked) {
	for _, list := range []map[lane][]reconcile.Request{a.called, a.others} {
		for ; len(list[l]) > 0 && len(again) < n; list[l] = list[l][1:] {
			item := list[l][0]
			if priority, waits := a.priorities[item]; waits {
				again = append(again, ranked{item, priority})
				delete(a.priorities, item)
			}
		}
		if len(list[l]) == 0 {
			delete(list, l)
		}
	}
	return again
}
