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
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// ranked is an object with the priority that it is to come back with: the one that it was added with or, if it was
// called, the one that it has in the queue, and the time by which calls are ordered.
type ranked struct {
	item     reconcile.Request
	priority int
	due      time.Time
}

// isCalled says whether it was called.
func (r ranked) isCalled() bool { return !r.due.IsZero() }

// aside is what would be worked on if its namespace had not all workers that it may have. What was called comes back
// before all others, what was due first first.
type aside struct {
	called, others map[lane][]ranked
	// waits tells what is aside at all: what is called while it is leaves its old place behind.
	waits map[reconcile.Request]ranked
}

func newAside() aside {
	return aside{called: map[lane][]ranked{}, others: map[lane][]ranked{}, waits: map[reconcile.Request]ranked{}}
}

func (a *aside) len() int { return len(a.waits) }

func (a *aside) has(item reconcile.Request) bool {
	_, waits := a.waits[item]
	return waits
}

// set sets an object aside. One that is already keeps its place, unless it was called since.
func (a *aside) set(l lane, r ranked) {
	if was, waits := a.waits[r.item]; waits && was.due.Equal(r.due) {
		r.priority = max(was.priority, r.priority)
		a.waits[r.item] = r
		return
	}
	a.waits[r.item] = r
	if !r.isCalled() {
		a.others[l] = append(a.others[l], r)
		return
	}
	// Nearly always the last place: what is called is called in its order.
	place, _ := slices.BinarySearchFunc(a.called[l], r.due, func(x ranked, due time.Time) int {
		if x.due.After(due) {
			return 1
		}
		return -1 // behind what was due at the same time
	})
	a.called[l] = slices.Insert(a.called[l], place, r)
}

// take takes as many as that, if there are.
func (a *aside) take(l lane, n int) (again []ranked) {
	for _, list := range []map[lane][]ranked{a.called, a.others} {
		for ; len(list[l]) > 0 && len(again) < n; list[l] = list[l][1:] {
			place := list[l][0]
			if r, waits := a.waits[place.item]; waits && r.due.Equal(place.due) {
				again = append(again, r)
				a.waits = without(a.waits, r.item)
			}
		}
		if len(list[l]) == 0 {
			delete(list, l)
		}
	}
	return again
}

// without takes an element out of a map. The last one takes the map with it, which never gets smaller by itself and may
// have had room for very many.
func without[K comparable, V any](all map[K]V, one K) map[K]V {
	if _, has := all[one]; !has {
		return all
	}
	delete(all, one)
	if len(all) == 0 {
		return map[K]V{}
	}
	return all
}
