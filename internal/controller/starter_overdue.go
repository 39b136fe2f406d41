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
	"container/heap"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// overdue are the jobs whose start was due while nobody could make it: the API server did not answer, or no
// process led. Their turns in the queue come by pauses and by names; what gets through first, once somebody
// does, starts those before it that have been due for longer. Every one of them is in the queue as well. The
// zero value is ready for use.
type overdue struct {
	mu     sync.Mutex
	filled bool
	// starts are their planned starts; order has them by namespace, with some that are overdue no more.
	starts map[types.NamespacedName]time.Time
	order  map[string]*byStart
}

// fill notes, once, what was due when this process began to start jobs.
func (o *overdue) fill(ctx context.Context, reader client.Reader, now time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.filled {
		return nil
	}
	var jobs carbonv1alpha1.CarbonAwareJobList
	if err := reader.List(ctx, &jobs, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("listing CarbonAwareJobs that are overdue: %w", err)
	}
	for i := range jobs.Items {
		if caj := &jobs.Items[i]; awaitsStart(caj) && !caj.Status.Plan.Start.After(now) {
			o.add(caj)
		}
	}
	o.filled = true
	return nil
}

// put notes a job whose start could not be made.
func (o *overdue) put(caj *carbonv1alpha1.CarbonAwareJob) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.add(caj)
}

func (o *overdue) add(caj *carbonv1alpha1.CarbonAwareJob) {
	key, start := client.ObjectKeyFromObject(caj), caj.Status.Plan.Start.Time
	if was, found := o.starts[key]; found && was.Equal(start) {
		return
	}
	if o.starts == nil {
		o.starts, o.order = map[types.NamespacedName]time.Time{}, map[string]*byStart{}
	}
	o.starts[key] = start
	if o.order[key.Namespace] == nil {
		o.order[key.Namespace] = &byStart{}
	}
	heap.Push(o.order[key.Namespace], dueJob{key, start})
}

// drop forgets a job whose turn has come.
func (o *overdue) drop(key types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.starts, key)
}

// next takes the one of a namespace that has been due for longest, if that was before a time.
func (o *overdue) next(namespace string, before time.Time) (key types.NamespacedName, found bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	order := o.order[namespace]
	for order != nil && order.Len() > 0 {
		first := (*order)[0]
		start, waits := o.starts[first.key]
		waits = waits && start.Equal(first.start)
		if waits && !start.Before(before) {
			return key, false
		}
		heap.Pop(order)
		if waits {
			delete(o.starts, first.key)
			return first.key, true
		}
	}
	delete(o.order, namespace)
	return key, false
}

// mostBefore is how many are started in the turn of one that was due later: their namespace may have many, and a pass
// must end.
const mostBefore = 8

// startOverdue starts what has been due for longer than a job of the same namespace, and says whether there is
// more of it. An error says that nobody gets through. What else becomes of them is found when their own turns come.
func (r *Starter) startOverdue(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob) (more bool, err error) {
	for range mostBefore {
		key, found := r.overdue.next(caj.Namespace, caj.Status.Plan.Start.Time)
		if !found {
			return false, nil
		}
		earlier := &carbonv1alpha1.CarbonAwareJob{}
		if err := r.Get(ctx, key, earlier); client.IgnoreNotFound(err) != nil {
			return false, err
		}
		if !awaitsStart(earlier) || earlier.Status.Plan.Start.After(r.Clock.Now()) { // nor does one that is gone
			continue
		}
		if _, err := r.startDue(ctx, earlier); !answered(err) {
			r.overdue.put(earlier)
			return false, err
		}
	}
	return true, nil
}

// answered says whether the API server had a word in what came of a start: it took it on, or refused it. One that
// does not let us do anything has none.
func answered(err error) bool {
	var status apierrors.APIStatus
	return err == nil || errors.As(err, &status) && !lacksRights(err)
}

// dueJob is a job that was due at a time.
type dueJob struct {
	key   types.NamespacedName
	start time.Time
}

// byStart is a heap of them, the longest due first.
type byStart []dueJob

func (h byStart) Len() int { return len(h) }
func (h byStart) Less(i, j int) bool {
	return cmp.Or(h[i].start.Compare(h[j].start), cmp.Compare(h[i].key.Name, h[j].key.Name)) < 0
}
func (h byStart) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *byStart) Push(x any) { *h = append(*h, x.(dueJob)) } //nolint:forcetypeassert // nothing else is pushed

// Pop implements heap.Interface.
func (h *byStart) Pop() any {
	last := len(*h) - 1
	job := (*h)[last]
	*h = (*h)[:last]
	return job
}
