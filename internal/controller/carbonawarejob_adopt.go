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

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// adoptStart takes note of a Job that somebody else unsuspended before its start: our own start patch
// leaves its record by the same write, so a Job without one was not started by us. It counts as started
// at home, since nothing has moved it. The record is written onto the Job, where the Starter sees it.
func (r *CarbonAwareJobReconciler) adoptStart(ctx context.Context, s *scope) error {
	if s.job == nil || s.started() || isSuspended(s.job) || !s.job.DeletionTimestamp.IsZero() {
		return nil
	}
	record := startRecord{At: s.now.UTC(), Region: s.home().name, ByOthers: true}
	if start := s.job.Status.StartTime; start != nil {
		record.At = start.UTC()
	}
	grams := s.home().intensityAt(record.At)
	record.GramsPerKWh = gramsDecimal(grams)
	record.RequestedModel = requestedModel(s.caj.Spec.LLM, templateOf(s.caj))
	record.Model = record.RequestedModel
	text, err := record.encode()
	if err != nil {
		return err
	}
	before := s.job.DeepCopy()
	if s.job.Annotations == nil {
		s.job.Annotations = map[string]string{}
	}
	s.job.Annotations[carbonv1alpha1.AnnotationStart] = text
	if err := r.Patch(ctx, s.job, lockedPatch(before)); err != nil {
		return fmt.Errorf("noting the start of a Job by somebody else: %w", err)
	}
	return nil
}
