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
	starts map[types.NamespacedName]overdueStart
	// away is from when on patience counts while the API server is known to be away, zero if it is not.
	away time.Time
	// asking says that a probe is under way or in the queue, answered when one last said that all is well.
	asking   bool
	answered time.Time
	// impatient says that probes have failed for long enough to let jobs try all the same.
	impatient bool
}

// overdueStart is when a start was due, and whether it has failed more than once in a row.
type overdueStart struct {
	due   time.Time
	again bool
}

// answer is what came of a probe.
type answer int

const (
	well answer = iota
	// unwell is an error, or too long a silence: a start may get through all the same.
	unwell
	// silent is nobody who answers.
	silent
)

// fill has those called, the first time, that were due when this process began to start jobs.
func (o *overdue) fill(ctx context.Context, reader client.Reader, now time.Time, call func([]dueRequest)) error {
	if o.filled.Load() {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.filled.Load() {
		return nil
	}
	// A write that hangs must not hold all starts up: each pass reads its job again.
	var jobs carbonv1alpha1.CarbonAwareJobList
	if err := reader.List(ctx, &jobs, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return fmt.Errorf("listing CarbonAwareJobs that are overdue: %w", err)
	}
	for i := range jobs.Items {
		if caj := &jobs.Items[i]; awaitsStart(caj) && !caj.Status.Plan.Start.After(now) {
			o.add(caj, false)
		}
	}
	call(o.take())
	o.filled.Store(true) // only then: other passes must not start what has another turn
	return nil
}

// fail notes a job whose start failed, perhaps not for the first time. If nobody asks yet why that is, it says to, after
// which pause.
func (o *overdue) fail(caj *carbonv1alpha1.CarbonAwareJob, again bool, now time.Time) (ask bool, pause time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.add(caj, again)
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
	o.add(caj, false)
	return true
}

func (o *overdue) add(caj *carbonv1alpha1.CarbonAwareJob, again bool) {
	if o.starts == nil {
		o.starts = map[types.NamespacedName]overdueStart{}
	}
	o.starts[client.ObjectKeyFromObject(caj)] = overdueStart{caj.Status.Plan.Start.Time, again}
}

// forget drops a job whose turn has come.
func (o *overdue) forget(key types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.starts, key)
}

// take takes all of them, what was due first first.
func (o *overdue) take() (taken []dueRequest) {
	for key, start := range o.starts {
		taken = append(taken, dueRequest{reconcile.Request{NamespacedName: key}, start.due})
	}
	o.starts = nil
	slices.SortFunc(taken, func(a, b dueRequest) int { return a.due.Compare(b.due) })
	return taken
}

// judge notes what came of a probe. It returns whom to call now, and says whether to ask again, and whether the API server
// went away or is back.
func (o *overdue) judge(came answer, now time.Time) (called []dueRequest, again, news bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	away := !o.away.IsZero()
	switch {
	case came == well:
		waited := away || o.impatient
		return o.goOn(waited, now), false, waited
	case came == silent:
		o.away, o.impatient = now, false
		return nil, true, !away
	case o.impatient:
		return nil, true, false
	case !away:
		o.away = now
		return nil, true, true
	case now.Sub(o.away) >= patience:
		o.away, o.impatient = time.Time{}, true
		return o.take(), true, true
	}
	return nil, true, false
}

// goOn notes that the API server is well. It returns whom to call: all if they waited for that, and otherwise, as the
// failures were the jobs' own or those of a moment, those that have failed once.
func (o *overdue) goOn(waited bool, now time.Time) []dueRequest {
	if !waited {
		maps.DeleteFunc(o.starts, func(_ types.NamespacedName, start overdueStart) bool { return start.again })
	}
	o.answered, o.away, o.asking, o.impatient = now, time.Time{}, false, false
	return o.take()
}
