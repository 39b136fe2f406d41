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
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// scope holds the facts of one pass over a CarbonAwareJob, and what the pass found out.
type scope struct {
	caj *carbonv1alpha1.CarbonAwareJob
	// whole says that caj is the API server's own answer to the first write of this pass, template and all, and not
	// what the cache keeps. An edit since then makes the status write a conflict.
	whole bool
	// job is the Job of this CarbonAwareJob; nil when there is none.
	job *batchv1.Job
	// jobGone says that the Job existed once and does not any more.
	jobGone bool
	regions []regionFacts
	models  modelFacts
	now     time.Time
	// starts knows the plans of the other jobs; nil for none.
	starts *roster

	// pods are the metered ones that there are, departed those that are gone and not on record yet.
	pods     []meteredPod
	departed []podReading
	// limitReached says that the meters counted spec.maxGrams; empty while they did not.
	limitReached string

	// blocked is what keeps the job from being created; nil when nothing does.
	blocked *blockage
	// renews says that this pass must write the status, also if nothing in it changes.
	renews bool
	// wake is the earliest time at which something is to be done; zero when only events matter.
	wake time.Time
}

// blockage is a state that only a change from outside ends.
type blockage struct {
	// ready is the reason of the condition Ready, planned that of the condition Planned.
	ready, planned, message string
}

func (s *scope) wakeAt(t time.Time) {
	if s.wake.IsZero() || t.Before(s.wake) {
		s.wake = t
	}
}

// started says whether the Job was ever started.
func (s *scope) started() bool {
	return isStartIssued(s.job) || isTrue(s.caj.Status.Conditions, carbonv1alpha1.ConditionStarted)
}

// finished says whether the job completed or failed.
func (s *scope) finished() bool {
	return isTrue(s.caj.Status.Conditions, carbonv1alpha1.ConditionComplete) ||
		isTrue(s.caj.Status.Conditions, carbonv1alpha1.ConditionFailed)
}

// latestStart is the creation plus maxDelay.
func (s *scope) latestStart() time.Time {
	return s.caj.CreationTimestamp.Add(maxDelay(s.caj))
}

// gather reads every fact that the pass needs.
func (r *CarbonAwareJobReconciler) gather(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob) (*scope, error) {
	s := &scope{caj: caj, now: r.Clock.Now(), starts: &r.starts}
	err := r.starts.fill(ctx, r.Client, s.now)
	if err != nil {
		return nil, err
	}
	if s.job, s.jobGone, err = r.findJob(ctx, caj); err != nil {
		return nil, err
	}
	if s.regions, err = findRegions(ctx, r.Client, caj.Spec.Regions); err != nil {
		return nil, err
	}
	if caresAboutModels(caj) {
		s.models, err = r.Models.read(ctx)
	}
	return s, err
}

// findJob is the Job of the CarbonAwareJob. That a Job which is on record has gone is believed only
// from the API server itself: the cache may lag.
func (r *CarbonAwareJobReconciler) findJob(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob) (*batchv1.Job, bool, error) {
	key := client.ObjectKeyFromObject(caj)
	job := &batchv1.Job{}
	err := r.Get(ctx, key, job)
	if err == nil && isOurs(job, caj) {
		return job, false, nil
	}
	if client.IgnoreNotFound(err) != nil {
		return nil, false, fmt.Errorf("reading Job %s: %w", key, err)
	}
	if caj.Status.Job == nil {
		return nil, false, nil
	}
	err = r.APIReader.Get(ctx, key, job)
	switch {
	case apierrors.IsNotFound(err):
		return nil, true, nil
	case err != nil:
		return nil, false, fmt.Errorf("reading Job %s: %w", key, err)
	case !isOurs(job, caj):
		return nil, true, nil
	}
	return job, false, nil
}

// isOurs says whether the Job belongs to this very CarbonAwareJob, by UID.
func isOurs(job *batchv1.Job, caj *carbonv1alpha1.CarbonAwareJob) bool {
	if !metav1.IsControlledBy(job, caj) {
		return false
	}
	return caj.Status.Job == nil || caj.Status.Job.UID == job.UID
}

// findRegions are the named regions in their order, or the default one when none is named.
func findRegions(ctx context.Context, c client.Reader, names []string) ([]regionFacts, error) {
	if len(names) == 0 {
		return defaultRegion(ctx, c)
	}
	regions := make([]regionFacts, 0, len(names))
	for _, name := range names {
		region := &carbonv1alpha1.GridRegion{}
		err := c.Get(ctx, types.NamespacedName{Name: name}, region)
		if client.IgnoreNotFound(err) != nil {
			return nil, fmt.Errorf("reading GridRegion %s: %w", name, err)
		}
		if err != nil {
			region = nil
		}
		regions = append(regions, regionFacts{name: name, object: region})
	}
	return regions, nil
}

// defaultRegion is the GridRegion annotated as the default one, the first by name if there are
// several; none if there is none.
func defaultRegion(ctx context.Context, c client.Reader) ([]regionFacts, error) {
	var all carbonv1alpha1.GridRegionList
	if err := c.List(ctx, &all, client.DisableReadYourWritesConsistency); err != nil {
		return nil, fmt.Errorf("listing GridRegions: %w", err)
	}
	slices.SortFunc(all.Items, func(a, b carbonv1alpha1.GridRegion) int { return strings.Compare(a.Name, b.Name) })
	for i := range all.Items {
		if isDefaultRegion(&all.Items[i]) {
			return []regionFacts{{name: all.Items[i].Name, object: &all.Items[i]}}, nil
		}
	}
	return nil, nil
}

func isDefaultRegion(region client.Object) bool {
	return region.GetAnnotations()[carbonv1alpha1.AnnotationDefaultRegion] == "true"
}
