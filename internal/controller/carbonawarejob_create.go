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
	"errors"
	"fmt"
	"net/http"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// How often a refused Job is tried again: the pause grows with the time since the first refusal.
const (
	minRefusedRetry = 5 * time.Second
	maxRefusedRetry = 5 * time.Minute
)

// ensureJob creates the suspended Job, or adopts it when an earlier pass created it and could not
// say so. There is never a second Job: the finalizer keeps the first until it is on record.
func (r *CarbonAwareJobReconciler) ensureJob(ctx context.Context, s *scope) error {
	if s.job != nil {
		if err := r.recordFirst(ctx, s, s.job); err != nil {
			return err
		}
		return r.restoreLabel(ctx, s.job, s.caj)
	}
	plan := s.caj.Status.Plan
	if plan == nil || s.caj.Status.Job != nil || s.finished() {
		return nil
	}
	if plan.Reason == string(policy.NoRegion) && s.now.Before(plan.Start.Time) {
		s.wakeAt(plan.Start.Time)
		return nil
	}
	live := s.caj
	if !s.whole {
		var err error
		if live, err = r.confirmFirst(ctx, s.caj); err != nil {
			return err
		}
	}
	if conflict := meterConflict(live, r.MeterImage); conflict != "" {
		s.refuse(carbonv1alpha1.ReasonInvalid, carbonv1alpha1.ReasonMeterConflict, conflict, false)
		return nil
	}
	return r.createJob(ctx, s, buildJob(live, s.regions, r.MeterImage))
}

// createJob creates the Job, or says why the API server does not want it.
func (r *CarbonAwareJobReconciler) createJob(ctx context.Context, s *scope, job *batchv1.Job) error {
	err := r.Create(ctx, job)
	if apierrors.IsAlreadyExists(err) {
		return r.adoptJob(ctx, s)
	}
	// A webhook that does not answer is an internal error, and one that refuses may say that something is not found.
	if refused(err) || apierrors.IsInternalError(err) || apierrors.IsNotFound(err) {
		s.refuse(carbonv1alpha1.ReasonInvalid, carbonv1alpha1.ReasonTemplateRejected,
			"the API server refused the Job: "+err.Error(),
			!apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause))
		return nil
	}
	if err != nil {
		return fmt.Errorf("creating Job %s: %w", client.ObjectKeyFromObject(job), err)
	}
	s.job = job
	s.recordJob(job)
	return nil
}

// restoreLabel puts our label back onto a Job that somebody took it from: without it the cache does
// not see the Job, and nobody would start it or notice its end.
func (r *CarbonAwareJobReconciler) restoreLabel(ctx context.Context, job *batchv1.Job, caj *carbonv1alpha1.CarbonAwareJob) error {
	if job.Labels[carbonv1alpha1.LabelJob] == caj.Name {
		return nil
	}
	before := job.DeepCopy()
	metav1.SetMetaDataLabel(&job.ObjectMeta, carbonv1alpha1.LabelJob, caj.Name)
	if err := r.Patch(ctx, job, lockedPatch(before)); err != nil {
		return fmt.Errorf("putting the label back onto Job %s: %w", client.ObjectKeyFromObject(job), err)
	}
	return nil
}

// recordFirst puts a Job that is there already on record. If it is not yet, its template may have been edited
// since it was created: the Job cannot follow, so it is not taken for one of the new template, and never starts.
func (r *CarbonAwareJobReconciler) recordFirst(ctx context.Context, s *scope, job *batchv1.Job) error {
	if s.caj.Status.Job == nil {
		live := &carbonv1alpha1.CarbonAwareJob{}
		if err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(s.caj), live); err != nil {
			return fmt.Errorf("reading the CarbonAwareJob before its Job is put on record: %w", err)
		}
		if isOfAnotherTemplate(job, live) {
			s.refuse(carbonv1alpha1.ReasonInvalid, carbonv1alpha1.ReasonTemplateRejected, fmt.Sprintf(
				"spec.jobTemplate was edited just after Job %s was created from it: edit it back, or delete the CarbonAwareJob and create it again", job.Name), false)
			return nil
		}
	}
	s.recordJob(job)
	return nil
}

func (s *scope) recordJob(job *batchv1.Job) {
	if s.caj.Status.Job == nil {
		s.caj.Status.Job = &carbonv1alpha1.JobStatus{}
	}
	s.caj.Status.Job.Name, s.caj.Status.Job.UID = job.Name, job.UID
}

// confirmFirst asks the API server itself whether the CarbonAwareJob really has no Job on record: a
// cache that lags must not lead to a second one. It returns the whole object: the cache keeps no
// template.
func (r *CarbonAwareJobReconciler) confirmFirst(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob) (*carbonv1alpha1.CarbonAwareJob, error) {
	live := &carbonv1alpha1.CarbonAwareJob{}
	if err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(caj), live); err != nil {
		return nil, fmt.Errorf("reading the CarbonAwareJob before its Job is created: %w", err)
	}
	if live.UID != caj.UID || live.Generation != caj.Generation || live.Status.Job != nil || !live.DeletionTimestamp.IsZero() {
		return nil, errStaleCache
	}
	return live, nil
}

// adoptJob takes the existing Job of the same name if it is ours, and leaves it alone if not.
func (r *CarbonAwareJobReconciler) adoptJob(ctx context.Context, s *scope) error {
	job := &batchv1.Job{}
	key := client.ObjectKeyFromObject(s.caj)
	if err := r.APIReader.Get(ctx, key, job); err != nil {
		return fmt.Errorf("reading Job %s: %w", key, err)
	}
	if isOurs(job, s.caj) {
		s.job = job
		return r.recordFirst(ctx, s, job)
	}
	message := fmt.Sprintf("a Job named %s exists that is not ours: delete it or choose another name", job.Name)
	if job.Labels[carbonv1alpha1.LabelJob] == s.caj.Name && !job.DeletionTimestamp.IsZero() {
		message = fmt.Sprintf("the Job %s of an earlier CarbonAwareJob of that name is still being deleted", job.Name)
		if err := r.releaseJob(ctx, job); err != nil { // its own did not, and nobody else would
			return err
		}
	}
	s.refuse(carbonv1alpha1.ReasonNameConflict, carbonv1alpha1.ReasonNameConflict, message, true)
	return nil
}

// refuse notes that the Job cannot be created, and when to try again.
func (s *scope) refuse(ready, planned, message string, retry bool) {
	s.blocked = &blockage{ready: ready, planned: planned, message: message}
	if !retry {
		return
	}
	wait := minRefusedRetry
	if was := findCondition(s.caj.Status.Conditions, carbonv1alpha1.ConditionReady); was != nil && was.Reason == ready {
		wait = min(max(wait, s.now.Sub(was.LastTransitionTime.Time)), maxRefusedRetry)
	}
	s.wakeAt(s.now.Add(wait))
}

// refused tells an answer that will stay the same until somebody changes something from one that
// may be different in a moment. Admission webhooks and policies choose their status codes freely.
func refused(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	switch code := status.Status().Code; code {
	case http.StatusUnauthorized, http.StatusNotFound, http.StatusRequestTimeout, http.StatusConflict, http.StatusGone, http.StatusTooManyRequests:
		return false
	default:
		return code >= 400 && code < 500
	}
}

// releaseJob removes our finalizer from the Job: its run is on record, or nobody needs one.
func (r *CarbonAwareJobReconciler) releaseJob(ctx context.Context, job *batchv1.Job) error {
	before := job.DeepCopy()
	if !controllerutil.RemoveFinalizer(job, carbonv1alpha1.FinalizerJob) {
		return nil
	}
	if err := r.Patch(ctx, job, lockedPatch(before)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("removing our finalizer from Job %s: %w", client.ObjectKeyFromObject(job), err)
	}
	return nil
}
