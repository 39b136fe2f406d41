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
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// overdue are the jobs whose start was due while nobody could make it: the API server did not answer, or no
// process led. Their turns in the queue come by pauses and by names; once somebody gets through, they are called
// in the order in which they were due. The zero value is ready for use.
type overdue struct {
	mu     sync.Mutex
	filled atomic.Bool
	// starts are their planned starts.
	starts map[types.NamespacedName]time.Time
}

// fill notes, the first time, what was due when this process began to start jobs. It says whether that was still to be
// done when the pass began.
func (o *overdue) fill(ctx context.Context, reader client.Reader, now time.Time) (bool, error) {
	if o.filled.Load() {
		return false, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.filled.Load() {
		return true, nil
	}
	var jobs carbonv1alpha1.CarbonAwareJobList
	if err := reader.List(ctx, &jobs, client.UnsafeDisableDeepCopy); err != nil {
		return false, fmt.Errorf("listing CarbonAwareJobs that are overdue: %w", err)
	}
	for i := range jobs.Items {
		if caj := &jobs.Items[i]; awaitsStart(caj) && !caj.Status.Plan.Start.After(now) {
			o.add(caj)
		}
	}
	o.filled.Store(true)
	return true, nil
}

// put notes a job whose start could not be made.
func (o *overdue) put(caj *carbonv1alpha1.CarbonAwareJob) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.add(caj)
}

func (o *overdue) add(caj *carbonv1alpha1.CarbonAwareJob) {
	if o.starts == nil {
		o.starts = map[types.NamespacedName]time.Time{}
	}
	o.starts[client.ObjectKeyFromObject(caj)] = caj.Status.Plan.Start.Time
}

// drop forgets a job whose turn has come.
func (o *overdue) drop(key types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.starts, key)
}

// take takes all of them, what was due first first.
func (o *overdue) take() []reconcile.Request {
	o.mu.Lock()
	defer o.mu.Unlock()
	requests := make([]reconcile.Request, 0, len(o.starts))
	for key := range o.starts {
		requests = append(requests, reconcile.Request{NamespacedName: key})
	}
	slices.SortFunc(requests, func(a, b reconcile.Request) int {
		return o.starts[a.NamespacedName].Compare(o.starts[b.NamespacedName])
	})
	o.starts = nil
	return requests
}

// callOverdue gives all that are overdue their turn now: somebody got through, or can. It says whether there is a queue
// that hands turns out.
func (r *Starter) callOverdue() bool {
	queue := r.queue.Load()
	if queue != nil {
		queue.call(r.overdue.take())
	}
	return queue != nil
}
