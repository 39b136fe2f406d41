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
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// overdue are the jobs whose start was due while nobody could make it: the API server did not answer, or no
// process led. Their turns in the queue come by pauses and by names. So while there is no answer one of them asks
// at a time, what was due first first; once somebody gets through, all are called in that order. The zero value is
// ready for use.
type overdue struct {
	mu     sync.Mutex
	filled atomic.Bool
	// starts are their planned starts, called the times at which jobs were called because somebody got through.
	starts, called map[types.NamespacedName]time.Time
	// away says that the API server gave no answer to the last that asked, scout is the job that asks next, from
	// scoutFrom on.
	away      bool
	scout     types.NamespacedName
	scoutFrom time.Time
}

const (
	// callPause is how long a job that was called in vain is not called again: it comes by its own pauses, which are as long.
	callPause = longestRetry
	// scoutPause is the time between two that ask while there is no answer.
	scoutPause = time.Second
)

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

// turn notes that the turn of a job has come, and says whether it may ask for its start. While there is no answer only
// the scout may, when it is time: whatever comes of it, another one asks after a pause. It returns who is to come next,
// and when.
func (o *overdue) turn(key types.NamespacedName, now time.Time) (may bool, next *types.NamespacedName, pause time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer delete(o.starts, key)
	if !o.away || o.scout != key {
		return !o.away, nil, 0
	}
	if wait := o.scoutFrom.Sub(now); wait > 0 && wait <= scoutPause { // unless the clock was set
		return false, &key, wait
	}
	o.scout, o.scoutFrom = o.after(key), now.Add(scoutPause)
	if o.scout == (types.NamespacedName{}) {
		o.away = false // nobody is left who has asked in vain
		return true, nil, 0
	}
	return true, new(o.scout), scoutPause
}

// after is the job that was due after another one, and after the last the first again.
func (o *overdue) after(key types.NamespacedName) (next types.NamespacedName) {
	rank := func(a, b types.NamespacedName) int {
		return cmp.Or(o.starts[a].Compare(o.starts[b]), strings.Compare(a.String(), b.String()))
	}
	var first types.NamespacedName
	for other := range o.starts {
		if first.Name == "" || rank(other, first) < 0 {
			first = other
		}
		if rank(other, key) > 0 && (next.Name == "" || rank(other, next) < 0) {
			next = other
		}
	}
	return cmp.Or(next, first)
}

// fail notes a job that got no answer. It returns the first that is to ask again, unless somebody does already.
func (o *overdue) fail(caj *carbonv1alpha1.CarbonAwareJob, now time.Time) *types.NamespacedName {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.add(caj)
	if o.away {
		return nil
	}
	o.away, o.scout, o.scoutFrom = true, o.after(types.NamespacedName{}), now
	return new(o.scout)
}

// park notes a job that may not ask now. It has not been called in vain.
func (o *overdue) park(caj *carbonv1alpha1.CarbonAwareJob) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.add(caj)
	delete(o.called, client.ObjectKeyFromObject(caj))
}

func (o *overdue) add(caj *carbonv1alpha1.CarbonAwareJob) {
	if o.starts == nil {
		o.starts = map[types.NamespacedName]time.Time{}
	}
	o.starts[client.ObjectKeyFromObject(caj)] = caj.Status.Plan.Start.Time
}

// forget drops a job that does not wait for its start any more.
func (o *overdue) forget(key types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.starts, key)
	delete(o.called, key)
}

// takeAll takes all of them, what was due first first.
func (o *overdue) takeAll() []reconcile.Request {
	return o.take(func(types.NamespacedName) bool { return true })
}

// takeRested notes that somebody got an answer. It takes those that were not called for a while, and notes that they are.
func (o *overdue) takeRested(now time.Time) []reconcile.Request {
	o.answer()
	return o.take(func(key types.NamespacedName) bool {
		if last, found := o.called[key]; found && now.Sub(last) < callPause {
			return false
		}
		if o.called == nil {
			o.called = map[types.NamespacedName]time.Time{}
		}
		o.called[key] = now
		return true
	})
}

func (o *overdue) answer() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.away = false
}

func (o *overdue) take(which func(types.NamespacedName) bool) []reconcile.Request {
	o.mu.Lock()
	defer o.mu.Unlock()
	taken := map[reconcile.Request]time.Time{}
	for key, start := range o.starts {
		if which(key) {
			taken[reconcile.Request{NamespacedName: key}] = start
			delete(o.starts, key)
		}
	}
	return slices.SortedFunc(maps.Keys(taken), func(a, b reconcile.Request) int { return taken[a].Compare(taken[b]) })
}

// call gives jobs their turn now, and says whether there is a queue that hands turns out.
func (r *Starter) call(jobs []reconcile.Request) bool {
	queue := r.queue.Load()
	if queue != nil {
		queue.call(jobs)
	}
	return queue != nil
}

// send has a job ask for its start after a pause.
func (r *Starter) send(scout *types.NamespacedName, pause time.Duration) {
	if queue := r.queue.Load(); queue != nil && scout != nil {
		queue.AddAfter(reconcile.Request{NamespacedName: *scout}, pause)
	}
}

// unanswered says whether the API server had no word in what came of a start: nothing came back, or it does not let us do
// anything. What it has against a single start is between the two of them.
func unanswered(err error) bool {
	var status apierrors.APIStatus
	return err != nil && (!errors.As(err, &status) || lacksRights(err))
}
