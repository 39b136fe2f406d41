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
	"maps"
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
// process led. Their turns in the queue come by pauses and by names. So while the API server is away none of them asks,
// and once it is back all are called, what was due first first. The zero value is ready for use.
type overdue struct {
	mu     sync.Mutex
	filled atomic.Bool
	// starts are their planned starts.
	starts map[types.NamespacedName]time.Time
	// away is since when the API server is known to be, zero if it is not. asking says that a probe is under way or in
	// the queue, answered when the last was answered.
	away, answered time.Time
	asking         bool
}

// fill has those called, the first time, that were due when this process began to start jobs.
func (o *overdue) fill(ctx context.Context, reader client.Reader, now time.Time, call func([]reconcile.Request)) error {
	if o.filled.Load() {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.filled.Load() {
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
	call(o.take())
	o.filled.Store(true) // only then: other passes must not start what has another turn
	return nil
}

// fail notes a job whose start failed. If nobody asks yet why that is, it says to, after which pause.
func (o *overdue) fail(caj *carbonv1alpha1.CarbonAwareJob, now time.Time) (ask bool, pause time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.add(caj)
	if o.asking {
		return false, 0
	}
	o.asking = true
	return true, min(max(0, o.answered.Add(probePause).Sub(now)), probePause)
}

// park notes a job that is to be called when the API server is back, and says whether that is away.
func (o *overdue) park(caj *carbonv1alpha1.CarbonAwareJob) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.away.IsZero() {
		return false
	}
	o.add(caj)
	return true
}

func (o *overdue) add(caj *carbonv1alpha1.CarbonAwareJob) {
	if o.starts == nil {
		o.starts = map[types.NamespacedName]time.Time{}
	}
	o.starts[client.ObjectKeyFromObject(caj)] = caj.Status.Plan.Start.Time
}

// forget drops a job whose turn has come.
func (o *overdue) forget(key types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.starts, key)
}

// take takes all of them, what was due first first.
func (o *overdue) take() []reconcile.Request {
	starts := o.starts
	o.starts = nil
	keys := slices.SortedFunc(maps.Keys(starts), func(a, b types.NamespacedName) int { return starts[a].Compare(starts[b]) })
	taken := make([]reconcile.Request, len(keys))
	for i, key := range keys {
		taken[i].NamespacedName = key
	}
	return taken
}

// judge notes what came of a probe. It returns whom to call now, and says whether to ask again, and whether the API server
// went away or is back.
func (o *overdue) judge(ok bool, now time.Time) (called []reconcile.Request, again, news bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if ok {
		o.answered = now
	}
	switch {
	case !ok && o.away.IsZero():
		o.away = now
		return nil, true, true
	case !ok && now.Sub(o.away) < patience:
		return nil, true, false
	}
	news = !o.away.IsZero()
	o.away, o.asking = time.Time{}, false
	if called = o.take(); !news {
		return nil, false, false // the failures were the jobs' own, and they are tried again by their pauses
	}
	return called, false, true
}
