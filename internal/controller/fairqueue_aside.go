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
	"cmp"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// ranked is an object with the priority that it is to come back with: the one that it was added with or, if it was
// called, the one that it has in the queue, and the number of its call.
type ranked struct {
	item           reconcile.Request
	priority, call int
}

// aside is what would be worked on if its namespace had not all workers that it may have. What was called comes back
// before all others, in the order in which it was called.
type aside struct {
	called, others map[lane][]ranked
	// waits tells what is aside at all: what is called while it is leaves its old place behind.
	waits map[reconcile.Request]ranked
}

func newAside() aside {
	return aside{called: map[lane][]ranked{}, others: map[lane][]ranked{}, waits: map[reconcile.Request]ranked{}}
}

func (a *aside) len() int { return len(a.waits) }

// set sets an object aside. One that is already keeps its place, unless it was called since.
func (a *aside) set(l lane, r ranked) {
	if was, waits := a.waits[r.item]; waits && was.call == r.call {
		r.priority = max(was.priority, r.priority)
		a.waits[r.item] = r
		return
	}
	a.waits[r.item] = r
	if r.call == 0 {
		a.others[l] = append(a.others[l], r)
		return
	}
	// Nearly always the last place: the queue hands out what was called in its order, but for what was worked on.
	place, _ := slices.BinarySearchFunc(a.called[l], r, func(x, y ranked) int { return cmp.Compare(x.call, y.call) })
	a.called[l] = slices.Insert(a.called[l], place, r)
}

// take takes as many as that, if there are.
func (a *aside) take(l lane, n int) (again []ranked) {
	for _, list := range []map[lane][]ranked{a.called, a.others} {
		for ; len(list[l]) > 0 && len(again) < n; list[l] = list[l][1:] {
			place := list[l][0]
			if r, waits := a.waits[place.item]; waits && r.call == place.call {
				again = append(again, r)
				delete(a.waits, r.item)
			}
		}
		if len(list[l]) == 0 {
			delete(list, l)
		}
	}
	return again
}
