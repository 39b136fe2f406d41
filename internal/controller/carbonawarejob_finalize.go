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
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// ensureFinalizer puts our finalizer on a CarbonAwareJob that lacks it, and says whether it did: caj is then the API
// server's answer: the client empties an object before it reads an answer into it.
func (r *CarbonAwareJobReconciler) ensureFinalizer(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob) (bool, error) {
	before := caj.DeepCopy()
	if !controllerutil.AddFinalizer(caj, carbonv1alpha1.FinalizerCarbonAwareJob) {
		return false, nil
	}
	return true, r.Patch(ctx, caj, lockedPatch(before))
}

// finalize lets a deleted CarbonAwareJob go: first its Job is released, so that the garbage
// collector can delete it, then the CarbonAwareJob.
func (r *CarbonAwareJobReconciler) finalize(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob) (ctrl.Result, error) {
	if !controllerutil.ContainsFinalizer(caj, carbonv1alpha1.FinalizerCarbonAwareJob) {
		r.Ledger.note(caj)
		return ctrl.Result{}, nil
	}
	// The API server is asked itself: a Job that the cache does not show yet would keep our
	// finalizer for good.
	job := &batchv1.Job{}
	err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(caj), job)
	if client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, fmt.Errorf("reading the Job of a deleted CarbonAwareJob: %w", err)
	}
	if err != nil {
		job = nil
	}
	if settled, err := r.settleFirst(ctx, caj, job); err != nil {
		return ignoreConflict(err)
	} else if !settled {
		return ctrl.Result{RequeueAfter: settleRetry}, nil
	}
	if job != nil && (job.Labels[carbonv1alpha1.LabelJob] == caj.Name || metav1.IsControlledBy(job, caj)) {
		if err := r.releaseJob(ctx, job); err != nil {
			return ignoreConflict(err)
		}
	}
	before := caj.DeepCopy()
	controllerutil.RemoveFinalizer(caj, carbonv1alpha1.FinalizerCarbonAwareJob)
	// The ledger keeps it until the cache has seen it go: a pass with a state from before would bring it back
	// as one that was never settled.
	return ignoreConflict(r.Patch(ctx, caj, lockedPatch(before)))
}

// settleRetry is how often a deleted job looks by itself whether its budgets have taken over its
// grams; news of that comes by watch.
const settleRetry = 5 * time.Second

// settleFirst says whether every budget in which a deleted job counts has its grams for good. What
// still runs is taken to end now, and put on record.
func (r *CarbonAwareJobReconciler) settleFirst(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob, job *batchv1.Job) (bool, error) {
	now := r.Clock.Now()
	if err := r.Ledger.load(ctx, caj.Namespace, now); err != nil {
		return false, err
	}
	if !r.Ledger.budgeted(caj.Namespace, caj.Labels) {
		return true, nil
	}
	before := caj.DeepCopy()
	s, err := r.gather(ctx, caj)
	if err != nil {
		return false, err
	}
	if job != nil && isOurs(job, caj) {
		s.job = job
	}
	if waits, err := r.lastNumbers(ctx, s, before); err != nil || waits {
		return false, err
	}
	s.endNow()
	if err := r.write(ctx, s, before); err != nil {
		return false, err
	}
	r.Ledger.note(caj)
	return r.Ledger.settled(caj), nil
}

// endNow puts a job that is being deleted on record, if it ran at all.
func (s *scope) endNow() {
	s.observe()
	if s.finished() && !awaitsNumbers(s.caj) || s.caj.Status.Job == nil || len(s.caj.Status.Job.Runs) == 0 {
		return
	}
	s.setStarted()
	s.setFinished()
	if !s.finished() {
		s.closeRun(s.now)
		s.set(carbonv1alpha1.ConditionFailed, metav1.ConditionTrue, carbonv1alpha1.ReasonJobDeleted, "the CarbonAwareJob was deleted while its Job ran")
	}
	s.giveUpNumbers()
	s.account()
	s.dropReservation()
	s.setReady()
}

// releaseOrphan removes our finalizer from a Job whose CarbonAwareJob is gone, for example because
// somebody removed that one's finalizer by hand.
func (r *CarbonAwareJobReconciler) releaseOrphan(ctx context.Context, key types.NamespacedName) (ctrl.Result, error) {
	if gone, err := r.isGone(ctx, key); err != nil {
		return ctrl.Result{}, err
	} else if !gone {
		return ctrl.Result{RequeueAfter: conflictRetry}, nil
	}
	r.departed.drop(key)
	job := &batchv1.Job{}
	if err := r.Get(ctx, key, job); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if job.Labels[carbonv1alpha1.LabelJob] != key.Name {
		return ctrl.Result{}, nil
	}
	// The ledger need not know one that another process planned, and that this cache is yet to show.
	err := r.APIReader.Get(ctx, key, &carbonv1alpha1.CarbonAwareJob{})
	if client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, fmt.Errorf("asking whether the CarbonAwareJob of a Job is gone: %w", err)
	} else if err == nil {
		return ctrl.Result{RequeueAfter: conflictRetry}, nil
	}
	if err := r.releaseJob(ctx, job); err != nil {
		return ignoreConflict(err)
	}
	return ctrl.Result{}, nil
}

// isGone says whether a CarbonAwareJob that the cache does not show is gone, and has the ledger forget it. The
// ledger reads the API server: it may know one that the cache is yet to show.
func (r *CarbonAwareJobReconciler) isGone(ctx context.Context, key types.NamespacedName) (bool, error) {
	uid := r.Ledger.known(key)
	if uid == "" {
		return true, nil
	}
	caj := &carbonv1alpha1.CarbonAwareJob{}
	if err := r.APIReader.Get(ctx, key, caj); client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("asking whether a CarbonAwareJob is gone: %w", err)
	} else if err == nil && caj.UID == uid {
		return false, nil
	}
	r.Ledger.forget(key.Namespace, uid)
	r.starts.drop(uid)
	return true, nil
}

// expire deletes a finished CarbonAwareJob once its time is up and its record final, also when that
// is that there is none.
func (r *CarbonAwareJobReconciler) expire(ctx context.Context, s *scope) error {
	ttl := s.caj.Spec.TTLSecondsAfterFinished
	if ttl == nil || !s.finished() || !s.recordIsFinal() {
		return nil
	}
	end := s.finishedAt().Add(time.Duration(*ttl) * time.Second)
	if s.now.Before(end) {
		s.wakeAt(end)
		return nil
	}
	err := r.Delete(ctx, s.caj, client.Preconditions{UID: &s.caj.UID}, client.PropagationPolicy("Background"))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting the expired CarbonAwareJob: %w", err)
	}
	return nil
}

func (s *scope) finishedAt() time.Time {
	if job := s.caj.Status.Job; job != nil && job.CompletionTime != nil {
		return job.CompletionTime.Time
	}
	if failed := findCondition(s.caj.Status.Conditions, carbonv1alpha1.ConditionFailed); failed != nil {
		return failed.LastTransitionTime.Time
	}
	return s.now
}
