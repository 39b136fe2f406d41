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
	"time"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// tellMeters writes what changed onto the pods that run: the intensity when its slot is over, and a
// share of the limit that is not the one that the template gave.
func (r *CarbonAwareJobReconciler) tellMeters(ctx context.Context, s *scope) error {
	var running []meteredPod
	for _, p := range s.pods {
		if !p.ended && p.DeletionTimestamp.IsZero() {
			running = append(running, p)
		}
	}
	if len(running) == 0 {
		return nil
	}
	news := s.region(s.caj.Status.Job.Region).intensityNews(s.now)
	shares := s.shares(running)
	for i, p := range running {
		tell := map[string]string{}
		if needsIntensity(p.Annotations, news, s.now) {
			maps.Copy(tell, news)
		}
		if shares != nil && parseGrams(carbonv1alpha1.Decimal(p.Annotations[meter.AnnotationMaxGrams])) != shares[i] {
			tell[meter.AnnotationMaxGrams] = shares[i].String()
		}
		if len(tell) == 0 {
			continue
		}
		if err := r.annotatePod(ctx, p.Pod, tell); err != nil {
			return err
		}
	}
	s.wakeAt(nextNews(news, s.now))
	return nil
}

// needsIntensity says whether a pod is to be told another intensity: it has none, or the slot of the one
// that it has is over. So news within a slot cost no write.
func needsIntensity(has, news map[string]string, now time.Time) bool {
	if has[meter.AnnotationIntensity] == news[meter.AnnotationIntensity] && has[meter.AnnotationUntil] == news[meter.AnnotationUntil] {
		return false
	}
	until, err := time.Parse(time.RFC3339, has[meter.AnnotationUntil])
	return err != nil || !now.Before(until)
}

// nextNews is when the pods are to be told another intensity.
func nextNews(news map[string]string, now time.Time) time.Time {
	if until, err := time.Parse(time.RFC3339, news[meter.AnnotationUntil]); err == nil && until.After(now) {
		return until
	}
	return now.Add(lookAgainAtIntensity)
}

// shares are what the running pods may emit, each by itself; nil when nothing limits them.
func (s *scope) shares(running []meteredPod) []estimate.Nanograms {
	limit := maxGrams(s.caj)
	if limit == nil || meterMode(s.caj) != carbonv1alpha1.MeterEnforce {
		return nil
	}
	held := make([]estimate.Nanograms, len(running))
	for i, p := range running {
		held[i] = parseGrams(carbonv1alpha1.Decimal(p.Annotations[meter.AnnotationMaxGrams]))
	}
	spec := &templateOf(s.caj).Spec
	slots := podsAtOnce(spec)
	if spec.Completions != nil {
		slots = min(slots, *spec.Completions-s.job.Status.Succeeded)
	}
	return policy.Shares(*limit-parseGrams(s.caj.Status.Meter.Grams), held, int(slots))
}

// watchLimit notes that spec.maxGrams is reached by what the meters counted: those of pods that ended,
// and those that ended once to tell so.
func (s *scope) watchLimit() {
	limit := maxGrams(s.caj)
	if limit == nil || meterMode(s.caj) != carbonv1alpha1.MeterEnforce {
		return
	}
	counted, open := s.countedSoFar()
	switch {
	case counted >= *limit:
		s.limitReached = fmt.Sprintf("the meter counted %s g, spec.maxGrams is %s g: further calls are refused", counted, *limit)
	case open && podsAtOnce(&templateOf(s.caj).Spec) > 1:
		s.limitReached = fmt.Sprintf("a pod used up its share of spec.maxGrams, %s g, and its calls are refused; the meters counted %s g so far", *limit, counted)
	}
}

// countedSoFar is what the meters counted that have spoken, and whether one of them refuses calls.
func (s *scope) countedSoFar() (counted estimate.Nanograms, open bool) {
	counted = parseGrams(s.caj.Status.Meter.Grams)
	readings := slices.Clone(s.departed)
	for _, p := range s.pods {
		readings = append(readings, p.podReading)
	}
	for _, r := range readings {
		if r.report == nil {
			continue
		}
		open = open || r.report.Open
		if !r.ended {
			counted = meter.Sum(counted, meter.Total(r.report.Lines).Nanograms)
		}
	}
	return counted, open
}
