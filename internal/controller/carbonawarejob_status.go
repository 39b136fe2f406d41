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
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// summarize derives the conditions from the facts.
func (s *scope) summarize() {
	s.setPlanned()
	s.setStarted()
	s.setDowngraded()
	s.setFinished()
	s.setStopped()
	s.setEnergyKnown()
	s.account()
	s.dropReservation()
	s.setReady()
	s.caj.Status.ObservedGeneration = s.caj.Generation
}

func (s *scope) set(conditionType string, status metav1.ConditionStatus, reason, message string) {
	setCondition(&s.caj.Status.Conditions, s.now, s.caj.Generation, conditionType, status, reason, message)
}

func (s *scope) setPlanned() {
	plan := s.caj.Status.Plan
	switch {
	case s.started() || s.finished():
		return // what was planned then is history
	case s.blocked != nil:
		s.set(carbonv1alpha1.ConditionPlanned, metav1.ConditionFalse, s.blocked.planned, s.blocked.message)
	case plan == nil:
		s.set(carbonv1alpha1.ConditionPlanned, metav1.ConditionFalse, carbonv1alpha1.ReasonRegionPending, "waits for the first reading of its GridRegions")
	case plan.Reason == string(policy.NoRegion):
		s.set(carbonv1alpha1.ConditionPlanned, metav1.ConditionFalse, carbonv1alpha1.ReasonRegionNotFound, s.noRegionMessage())
	case plan.Reason == string(policy.NoForecast):
		s.set(carbonv1alpha1.ConditionPlanned, metav1.ConditionFalse, plan.Reason, plan.Message)
	default:
		s.set(carbonv1alpha1.ConditionPlanned, metav1.ConditionTrue, plan.Reason, plan.Message)
	}
}

func (s *scope) noRegionMessage() string {
	plan := s.caj.Status.Plan
	if len(s.regions) == 0 {
		return fmt.Sprintf("spec.regions is empty and no GridRegion has the annotation %s: \"true\"; without one the job starts at %s",
			carbonv1alpha1.AnnotationDefaultRegion, stamp(plan.Start.Time))
	}
	return fmt.Sprintf("%s; create it or name another region, else the job starts at %s without a region", plan.Message, stamp(plan.Start.Time))
}

func (s *scope) setStarted() {
	if !isStartIssued(s.job) || isTrue(s.caj.Status.Conditions, carbonv1alpha1.ConditionStarted) {
		return
	}
	record := startRecordOf(s.job)
	where := ""
	if record.Region != "" {
		where = " in " + record.Region
	}
	if record.GramsPerKWh != "" {
		where += fmt.Sprintf(" at %s g/kWh", record.GramsPerKWh)
	}
	if record.ByOthers {
		s.set(carbonv1alpha1.ConditionStarted, metav1.ConditionTrue, carbonv1alpha1.ReasonUnsuspendedByOthers,
			fmt.Sprintf("somebody else unsuspended Job %s before its planned start: it counts as started%s", s.job.Name, where))
		return
	}
	if record.Queue != "" {
		s.set(carbonv1alpha1.ConditionStarted, metav1.ConditionTrue, carbonv1alpha1.ReasonHandedToKueue,
			fmt.Sprintf("handed Job %s to the Kueue queue %s%s", s.job.Name, record.Queue, where))
		return
	}
	s.set(carbonv1alpha1.ConditionStarted, metav1.ConditionTrue, carbonv1alpha1.ReasonStartIssued,
		fmt.Sprintf("started Job %s%s", s.job.Name, where))
}

func (s *scope) setDowngraded() {
	llm := s.caj.Spec.LLM
	if llm == nil || llm.Downgrade == nil {
		return
	}
	if isStartIssued(s.job) {
		if record := startRecordOf(s.job); record.DowngradeReason != "" {
			status := metav1.ConditionFalse
			if record.downgraded() {
				status = metav1.ConditionTrue
			}
			s.set(carbonv1alpha1.ConditionDowngraded, status, record.DowngradeReason, record.DowngradeMessage)
		}
		return
	}
	if _, reason, message := cheaperModel(s.caj); reason != "" && !s.started() {
		s.set(carbonv1alpha1.ConditionDowngraded, metav1.ConditionFalse, reason, message)
	}
}

// setFinished takes over the end of the Job; a Job that was deleted before it ended has failed.
func (s *scope) setFinished() {
	if s.finished() || s.caj.Status.Job == nil {
		return
	}
	if s.jobGone || s.job != nil && !s.job.DeletionTimestamp.IsZero() && finishedCondition(s.job) == nil {
		s.set(carbonv1alpha1.ConditionFailed, metav1.ConditionTrue, carbonv1alpha1.ReasonJobDeleted, "the Job was deleted before it finished")
		return
	}
	if s.job == nil {
		return
	}
	if c := finishedCondition(s.job); c != nil {
		reason, message := c.Reason, c.Message
		if reason == "" {
			reason = carbonv1alpha1.ReasonCompleted
		}
		if s.limitReached != "" && c.Type == batchv1.JobFailed {
			reason, message = carbonv1alpha1.ReasonCarbonBudgetExceeded, s.limitReached
		}
		s.set(string(c.Type), metav1.ConditionTrue, reason, message)
	}
}

func (s *scope) setReady() {
	status, reason, message := s.readiness()
	s.set(carbonv1alpha1.ConditionReady, status, reason, message)
}

func (s *scope) readiness() (metav1.ConditionStatus, string, string) {
	conditions := s.caj.Status.Conditions
	plan, held := s.caj.Status.Plan, ptr.Deref(s.caj.Spec.Suspend, false)
	if failed := findCondition(conditions, carbonv1alpha1.ConditionFailed); failed != nil && failed.Status == metav1.ConditionTrue {
		if failed.Reason == carbonv1alpha1.ReasonCarbonBudgetExceeded {
			return metav1.ConditionFalse, carbonv1alpha1.ReasonBudgetExceeded, failed.Message
		}
		return metav1.ConditionFalse, carbonv1alpha1.ReasonFailed, failed.Reason + ": " + failed.Message
	}
	switch {
	case isTrue(conditions, carbonv1alpha1.ConditionComplete):
		return metav1.ConditionTrue, carbonv1alpha1.ReasonCompleted, "the Job completed"
	case s.blocked != nil:
		return metav1.ConditionFalse, s.blocked.ready, s.blocked.message
	case s.started():
		return s.runReadiness(held)
	case held:
		return metav1.ConditionFalse, carbonv1alpha1.ReasonSuspended, "held by spec.suspend"
	case isFalse(conditions, carbonv1alpha1.ConditionWithinBudget):
		return metav1.ConditionFalse, carbonv1alpha1.ReasonBudgetHold, findCondition(conditions, carbonv1alpha1.ConditionWithinBudget).Message
	case plan == nil:
		return metav1.ConditionFalse, carbonv1alpha1.ReasonWaiting, "waits for the first reading of its GridRegions"
	case plan.Start.Sub(plan.DecidedAt.Time) > time.Second: // starts are rounded up to whole seconds
		return metav1.ConditionFalse, carbonv1alpha1.ReasonWaiting, plan.Message
	default:
		return metav1.ConditionFalse, carbonv1alpha1.ReasonStarting, plan.Message
	}
}

func (s *scope) runReadiness(held bool) (metav1.ConditionStatus, string, string) {
	switch {
	case isStopped(s.job):
		return metav1.ConditionFalse, carbonv1alpha1.ReasonBudgetExceeded, "is being stopped: " + stopRecordOf(s.job).Message
	case queueOf(s.caj) != "" && s.job != nil && isSuspended(s.job):
		return metav1.ConditionFalse, carbonv1alpha1.ReasonStarting, "waits in the Kueue queue " + queueOf(s.caj)
	case held:
		return metav1.ConditionFalse, carbonv1alpha1.ReasonSuspended, "paused by spec.suspend"
	case s.job != nil && s.job.Status.StartTime == nil:
		return metav1.ConditionFalse, carbonv1alpha1.ReasonStarting, "the start was issued"
	default:
		return metav1.ConditionFalse, carbonv1alpha1.ReasonRunning, "the Job runs"
	}
}

// stamp writes a time for people.
func stamp(t time.Time) string {
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
