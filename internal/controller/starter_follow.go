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
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// mostAfterStarts is how long after a start at most others go before what follows it. Starts that fail and are tried
// again keep the Starter busy for as long as they do, and the jobs of others must not stay untold because of that.
const mostAfterStarts = time.Minute

// afterStarts is how long at most a pass waits that could only tell of a start, while more starts are due than can be
// made at once: the API server's time is theirs. Zero when it need not wait, or what it waits for cannot be read: the pass
// itself says so.
func (r *CarbonAwareJobReconciler) afterStarts(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob) time.Duration {
	now := r.Clock.Now()
	if r.Starter.Due() <= startWorkers || !awaitsStart(caj) || now.Before(caj.Status.Plan.Start.Time) {
		return 0
	}
	if err := r.Ledger.load(ctx, caj.Namespace, now); err != nil || r.maySpend(caj) {
		return 0
	}
	job := &batchv1.Job{} // only read here, so it needs no copy of its own
	if err := r.Get(ctx, client.ObjectKeyFromObject(caj), job, client.UnsafeDisableDeepCopy); err != nil || !isOurs(job, caj) || tellsMore(caj, job) {
		return 0
	}
	since := caj.Status.Plan.Start.Time
	if isStartIssued(job) {
		since = startRecordOf(job).At
	}
	wait := min(mostAfterStarts-now.Sub(since), mostAfterStarts) // the clock may have been set back
	if wait <= 0 || !r.Starter.putOff(client.ObjectKeyFromObject(caj)) {
		return 0
	}
	return wait
}

// tellsMore says whether there is more to tell of a Job that is due than that it was started. One in a Kueue queue may be
// suspended again at any time, and its first run must be on record by then.
func tellsMore(caj *carbonv1alpha1.CarbonAwareJob, job *batchv1.Job) bool {
	return queueOf(caj) != "" || !job.DeletionTimestamp.IsZero() || finishedCondition(job) != nil || isStartIssued(job) == isSuspended(job)
}

// maySpend says whether a job can use up a budget, or its own spec.maxGrams: that is looked after at once.
func (r *CarbonAwareJobReconciler) maySpend(caj *carbonv1alpha1.CarbonAwareJob) bool {
	return caj.Spec.MaxGrams != nil || findCondition(caj.Status.Conditions, carbonv1alpha1.ConditionWithinBudget) != nil ||
		r.Ledger.budgeted(caj.Namespace, caj.Labels)
}

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

// Busy says whether more starts are due, or more jobs wait to be looked at, than there are workers for.
func (r *Starter) Busy() bool {
	planner := r.planner.Load()
	return r.Due() > startWorkers || planner != nil && planner.Len() > planWorkers
}
