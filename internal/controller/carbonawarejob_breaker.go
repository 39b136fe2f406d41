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
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

const (
	// breakerHorizon is how far ahead a crossing is looked for. Forecasts change, so one that is far
	// away is computed again half-way, and none at all after breakerRecheck.
	breakerHorizon = 24 * time.Hour
	breakerRecheck = time.Hour
	// breakerClose is from when on a crossing is simply waited for.
	breakerClose = time.Minute
)

// breaker stops a run for good at the moment when it has emitted spec.maxGrams, or when a budget that
// terminates is used up.
func (r *CarbonAwareJobReconciler) breaker(ctx context.Context, s *scope) error {
	if !isStartIssued(s.job) || s.finished() || len(s.caj.Status.Job.Runs) == 0 {
		r.Ledger.burns(s.caj, nil)
		return nil
	}
	load, known := s.load()
	r.Ledger.burns(s.caj, &burn{load: load, known: known, region: s.caj.Status.Job.Region, first: firstRun(s.caj)})
	if !s.emits() {
		return nil
	}
	if name := r.Ledger.exhausted(s.caj); name != "" {
		return r.stop(ctx, s, fmt.Sprintf("CarbonBudget %s is used up, and stops every run that counts in it", name))
	}
	if s.limitReached != "" {
		return r.stop(ctx, s, s.limitReached)
	}
	limit := maxGrams(s.caj)
	if limit == nil || !known || meterMode(s.caj) == carbonv1alpha1.MeterEnforce {
		return nil // a meter that enforces the limit counts what is emitted, and says so
	}
	load.Layers = s.region(s.caj.Status.Job.Region).priced(firstRun(s.caj), s.now)
	at, ok := policy.Crossing([]policy.Load{load}, *limit, s.now, breakerHorizon)
	if ok && !s.now.Before(at) {
		return r.stop(ctx, s, fmt.Sprintf("the run has emitted spec.maxGrams, %s g", *limit))
	}
	s.wakeAt(lookAgain(at, ok, s.now))
	return nil
}

// lookAgain is when a crossing is to be computed again.
func lookAgain(at time.Time, ok bool, now time.Time) time.Time {
	switch left := at.Sub(now); {
	case !ok:
		return now.Add(breakerRecheck)
	case left <= breakerClose:
		return at
	default:
		return now.Add(left / 2)
	}
}

// emits says whether a started Job runs, and was not stopped.
func (s *scope) emits() bool {
	return !isSuspended(s.job) && !isStopped(s.job) && s.job.Status.StartTime != nil &&
		finishedCondition(s.job) == nil && s.job.DeletionTimestamp.IsZero()
}

// load is the run as it emits, without the intensities; false when its energy is unknown. A declared
// or estimated energy is spread evenly over the expected duration, and used up then, once more for
// every pod that failed and for every pause.
func (s *scope) load() (policy.Load, bool) {
	expected := durationOr(s.caj.Spec.ExpectedDuration, defaultExpectedDuration)
	model := requestedModel(s.caj.Spec.LLM, templateOf(s.caj))
	if s.caj.Status.Model != nil && s.caj.Status.Model.Effective != "" {
		model = s.caj.Status.Model.Effective
	}
	energy, problem := wholeRun(s.caj, model, expected, s.models)
	if problem != nil {
		return policy.Load{}, false
	}
	runs := s.caj.Status.Job.Runs
	load := policy.Load{KW: energy.kWh.Mean() / expected.Hours(), Past: s.intervals()}
	if last := runs[len(runs)-1]; last.End == nil {
		load.Since = last.Start.Time
	}
	if energy.method != methodPower {
		attempts := 1 + len(load.Past) + int(s.job.Status.Failed)
		load.Longest = time.Duration(attempts) * expected
	}
	return load, true
}

func firstRun(caj *carbonv1alpha1.CarbonAwareJob) time.Time {
	return caj.Status.Job.Runs[0].Start.Time
}

// priced are the region's intensities from a time in the past until the horizon after now, without a
// gap: what nothing is known of has the mean of the world.
func (r regionFacts) priced(from, now time.Time) []forecast.Layer {
	layers := append(r.layersAt(now), r.lastResort(now)...)
	world := forecast.Constant(worldMeanGrams, from.Truncate(time.Second), now.Add(breakerHorizon+2*time.Second).Truncate(time.Second))
	return append(layers, forecast.Layer{Series: world, Quality: forecast.AnnualMean})
}

func maxGrams(caj *carbonv1alpha1.CarbonAwareJob) *estimate.Nanograms {
	if caj.Spec.MaxGrams == nil {
		return nil
	}
	return new(estimate.Nanograms(caj.Spec.MaxGrams.ScaledValue(resource.Nano)))
}

// stop suspends the Job for good and says why by one patch. A Job in a Kueue queue leaves it by the
// same patch, else Kueue would start it again.
func (r *CarbonAwareJobReconciler) stop(ctx context.Context, s *scope, why string) error {
	text, err := stopRecord{At: s.now.UTC(), Message: why}.encode()
	if err != nil {
		return err
	}
	before := s.job.DeepCopy()
	s.job.Annotations = maps.Clone(s.job.Annotations)
	s.job.Annotations[carbonv1alpha1.AnnotationStop] = text
	delete(s.job.Labels, carbonv1alpha1.LabelKueueQueue)
	s.job.Spec.Suspend = new(true)
	if err := r.Patch(ctx, s.job, lockedPatch(before)); err != nil {
		return fmt.Errorf("stopping the Job: %w", err)
	}
	ctrl.LoggerFrom(ctx).Info("Stopped Job", "why", why)
	return nil
}

// setStopped says that the run was stopped, and that it failed once its pods are gone.
func (s *scope) setStopped() {
	if s.limitReached != "" {
		s.set(carbonv1alpha1.ConditionWithinBudget, metav1.ConditionFalse, carbonv1alpha1.ReasonCarbonBudgetExceeded, s.limitReached)
	}
	if !isStopped(s.job) || s.finished() {
		return
	}
	record := stopRecordOf(s.job)
	s.set(carbonv1alpha1.ConditionWithinBudget, metav1.ConditionFalse, carbonv1alpha1.ReasonCarbonBudgetExceeded, record.Message)
	if runs := s.caj.Status.Job.Runs; len(runs) == 0 || runs[len(runs)-1].End != nil {
		s.set(carbonv1alpha1.ConditionFailed, metav1.ConditionTrue, carbonv1alpha1.ReasonCarbonBudgetExceeded, record.Message)
	}
}
