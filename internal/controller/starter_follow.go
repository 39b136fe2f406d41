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
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// mostAfterStarts is how long what follows a start waits for other starts, if nobody calls it before.
const mostAfterStarts = 30 * time.Second

// followers are the jobs of which only a start is to be told, while more starts are due than can be made at once: the
// API server's time is theirs. To look again and again whether they are made would cost some of it, so whoever makes the
// last of them calls. The zero value is ready for use.
type followers struct {
	mu   sync.Mutex
	jobs map[types.NamespacedName]bool
}

func (f *followers) add(key types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.jobs == nil {
		f.jobs = map[types.NamespacedName]bool{}
	}
	f.jobs[key] = true
}

func (f *followers) drop(key types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.jobs = without(f.jobs, key)
}

func (f *followers) take() []reconcile.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	requests := make([]reconcile.Request, 0, len(f.jobs))
	for key := range f.jobs {
		requests = append(requests, reconcile.Request{NamespacedName: key})
	}
	f.jobs = nil
	return requests
}

// putOff says whether what follows the start of a job must wait for other starts. The planner hears when it need not any
// more. A nil Starter has nothing to wait for.
func (r *Starter) putOff(key types.NamespacedName) bool {
	if r.Due() <= startWorkers {
		return false
	}
	r.followers.add(key)
	if r.Due() <= startWorkers { // and whoever made the last of them may not have seen this one
		r.followers.drop(key)
		return false
	}
	return true
}

// follow calls those that were put off, once no more starts are due than can be made at once.
func (r *Starter) follow() {
	planner := r.planner.Load()
	if planner == nil || r.Due() > startWorkers {
		return
	}
	if requests := r.followers.take(); len(requests) > 0 {
		planner.AddWithOpts(priorityqueue.AddOpts{}, requests...)
	}
}
