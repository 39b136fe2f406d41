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
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// settleMeter ends the waiting for numbers, once all are there or too late.
func (s *scope) settleMeter() {
	m, runs := s.caj.Status.Meter, s.caj.Status.Job.Runs
	if len(runs) == 0 || runs[len(runs)-1].End == nil {
		return
	}
	end, missing := runs[len(runs)-1].End.Time, s.missingPods()
	still := slices.ContainsFunc(s.pods, func(p meteredPod) bool { return p.started && !p.ended })
	switch patience := s.patience(); {
	case still && s.now.Before(end.Add(patience)):
		s.wakeAt(end.Add(patience))
		return
	case missing > 0 && s.now.Before(end.Add(lateReport)):
		s.wakeAt(end.Add(lateReport))
		return
	}
	for range missing {
		s.addPod("never heard of again")
	}
	m.SettledAt, m.Pods = timePointer(s.now), nil
}

// patience is how long pods of a run that is over may take to end.
func (s *scope) patience() time.Duration {
	if s.jobGone || s.job != nil && !s.job.DeletionTimestamp.IsZero() || !s.caj.DeletionTimestamp.IsZero() {
		return slowDeletion
	}
	return slowEnd
}

// missingPods is how many pods are known to have run, by status or by the Job's own count, and have
// neither handed over their numbers nor lost them.
func (s *scope) missingPods() int32 {
	m := s.caj.Status.Meter
	missing := int32(0)
	for _, p := range m.Pods {
		if p.State == carbonv1alpha1.MeteredPodRunning {
			missing++
		}
	}
	if s.job != nil && finishedCondition(s.job) != nil {
		missing = max(missing, s.job.Status.Succeeded+s.job.Status.Failed-m.PodsRead-m.PodsLost)
	}
	return missing
}

// markCounted marks pods whose numbers are on record when there are many, so that status need not
// remember them. It follows the status write; the news of the marks bring the job back.
func (r *CarbonAwareJobReconciler) markCounted(ctx context.Context, s *scope) error {
	r.departed.forget(client.ObjectKeyFromObject(s.caj), s.departed)
	m := s.caj.Status.Meter
	if m == nil || len(m.Pods) <= crowded {
		return nil
	}
	for _, p := range s.pods {
		counted := slices.Contains(m.Pods, carbonv1alpha1.MeteredPod{UID: p.uid, State: carbonv1alpha1.MeteredPodCounted})
		if !counted || p.counted {
			continue
		}
		if err := r.annotatePod(ctx, p.Pod, map[string]string{carbonv1alpha1.AnnotationCounted: "true"}); err != nil {
			return err
		}
	}
	return nil
}

// annotatePod sets annotations of a pod; one that is gone needs none.
func (r *CarbonAwareJobReconciler) annotatePod(ctx context.Context, pod *corev1.Pod, annotations map[string]string) error {
	changed := pod.DeepCopy()
	for key, value := range annotations {
		if value == "" {
			delete(changed.Annotations, key)
			continue
		}
		metav1.SetMetaDataAnnotation(&changed.ObjectMeta, key, value)
	}
	if err := r.Patch(ctx, changed, client.MergeFrom(pod)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("annotating pod %s: %w", client.ObjectKeyFromObject(pod), err)
	}
	return nil
}

// lastNumbers stops the run of a CarbonAwareJob that is being deleted, so that its meters hand over what
// they counted before their pods are gone, and says whether to wait for that: not for long.
func (r *CarbonAwareJobReconciler) lastNumbers(ctx context.Context, s *scope, before *carbonv1alpha1.CarbonAwareJob) (bool, error) {
	late := !s.now.Before(s.caj.DeletionTimestamp.Add(slowDeletion))
	if s.job == nil || !s.started() || s.meterSettled() || late {
		return false, nil
	}
	if !s.isOver() && !isStopped(s.job) {
		if err := r.stop(ctx, s, "the CarbonAwareJob is being deleted"); err != nil {
			return false, err
		}
	}
	s.observe()
	if err := r.followMeters(ctx, s); err != nil {
		return false, err
	}
	if s.meterSettled() {
		return false, nil
	}
	s.caj.Status.Job.CompletionTime = before.Status.Job.CompletionTime // it has not ended yet
	if err := r.write(ctx, s, before); err != nil {
		return false, err
	}
	return true, r.markCounted(ctx, s)
}

// awaitsNumbers says whether a run that is over has no record yet because its meters have not told all.
func awaitsNumbers(caj *carbonv1alpha1.CarbonAwareJob) bool {
	c := findCondition(caj.Status.Conditions, carbonv1alpha1.ConditionEmissionsRecorded)
	return c != nil && c.Reason == carbonv1alpha1.ReasonMeterPending
}

// giveUpNumbers counts what was not heard of as lost.
func (s *scope) giveUpNumbers() {
	if s.meterSettled() {
		return
	}
	if s.caj.Status.Meter == nil {
		s.caj.Status.Meter = &carbonv1alpha1.MeterStatus{}
	}
	for range s.missingPods() {
		s.addPod("never heard of again")
	}
	s.caj.Status.Meter.SettledAt, s.caj.Status.Meter.Pods = timePointer(s.now), nil
}
