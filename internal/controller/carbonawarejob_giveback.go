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

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// restsAgain says whether a job that was about to start is not any more: it is held by hand, cannot be
// created, or was planned for later.
func (s *scope) restsAgain() bool {
	plan := s.caj.Status.Plan
	return !s.started() && (ptr.Deref(s.caj.Spec.Suspend, false) || s.blocked != nil || plan != nil && plan.Start.Sub(s.now) > policy.Freeze)
}

// needsMore says whether an edit of the spec has made a run more than what is set aside for it.
func (s *scope) needsMore() bool {
	return s.caj.Generation != s.caj.Status.ObservedGeneration && s.claim() > parseGrams(s.caj.Status.ReservedGrams)
}

// giveBack gives up what stands in the status of a job before its start if it rests again, so that others may
// have it, if it needs more now, if its labels are those of other budgets, or if a budget that terminates is
// used up: it would be stopped at once.
func (r *CarbonAwareJobReconciler) giveBack(ctx context.Context, s *scope) error {
	asksAgain := r.Ledger.exhausted(s.caj) != "" || !r.Ledger.covered(s.caj) || s.needsMore()
	if !asksAgain && !s.restsAgain() {
		s.renews = s.job != nil && isGivenBack(s.job, s.caj) // it was about to be given back, and is needed after all
		return nil
	}
	if err := r.bar(ctx, s); err != nil {
		return err
	}
	s.caj.Status.ReservedGrams, s.caj.Status.ReservedIn = "", nil
	meta.RemoveStatusCondition(&s.caj.Status.Conditions, carbonv1alpha1.ConditionWithinBudget)
	if due := s.caj.Status.Plan; due != nil && due.Start.Add(-policy.Freeze).After(s.now) {
		s.wakeAt(due.Start.Add(-policy.Freeze))
	}
	if asksAgain {
		s.wakeAt(s.now)
	}
	return nil
}

// bar keeps every process from starting the Job by the reservation that is going to be given back: a start
// that is under way fails, because the Job has changed, and none begins by what the job's status says now.
// The API server itself is asked whether the Job was started meanwhile.
func (r *CarbonAwareJobReconciler) bar(ctx context.Context, s *scope) error {
	job := &batchv1.Job{}
	if err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(s.caj), job); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("reading the Job before its reservation is given back: %w", err)
	}
	switch {
	case !isOurs(job, s.caj): // nor is an empty one
		return nil
	case isStartIssued(job):
		return errStaleCache
	case isGivenBack(job, s.caj):
		return nil
	}
	before := job.DeepCopy()
	if job.Annotations == nil {
		job.Annotations = map[string]string{}
	}
	job.Annotations[carbonv1alpha1.AnnotationGivenBack] = s.caj.ResourceVersion
	if err := r.Patch(ctx, job, lockedPatch(before)); err != nil {
		return fmt.Errorf("barring the Job before its reservation is given back: %w", err)
	}
	return nil
}

// isGivenBack says whether the Job must not be started by this state of the CarbonAwareJob.
func isGivenBack(job *batchv1.Job, caj *carbonv1alpha1.CarbonAwareJob) bool {
	version := job.Annotations[carbonv1alpha1.AnnotationGivenBack]
	if version == "" {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(caj.ResourceVersion, version)
	return err == nil && order <= 0
}
