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

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

type event struct {
	kind, reason, action, note string
}

// record sends the events that tell of the difference between two states of a CarbonAwareJob. It is
// called after the write succeeded, so every change is told once.
func record(recorder events.EventRecorder, before, after *carbonv1alpha1.CarbonAwareJob) {
	for _, e := range story(before, after) {
		recorder.Eventf(after, nil, e.kind, e.reason, e.action, "%s", truncate(e.note))
	}
}

// story lists what happened between two states, in the order of a job's life.
func story(before, after *carbonv1alpha1.CarbonAwareJob) []event {
	told := plannedStory(before, after)
	told = append(told, runStory(before, after)...)
	return append(told, heldStory(before, after)...)
}

func normal(reason, action, note string) event {
	return event{corev1.EventTypeNormal, reason, action, note}
}

func warning(reason, action, note string) event {
	return event{corev1.EventTypeWarning, reason, action, note}
}

func plannedStory(before, after *carbonv1alpha1.CarbonAwareJob) []event {
	var told []event
	if plan := after.Status.Plan; plan != nil && plannedAnew(before.Status.Plan, plan) {
		reason := "Planned"
		if before.Status.Plan != nil {
			reason = "Replanned"
		}
		told = append(told, normal(reason, "Plan", fmt.Sprintf("start %s: %s", stamp(plan.Start.Time), plan.Message)))
	}
	if c := newReason(before, after, carbonv1alpha1.ConditionEnergyKnown); c != nil && c.Status == metav1.ConditionFalse && c.Reason != carbonv1alpha1.ReasonEnergyUnknown {
		told = append(told, warning(c.Reason, "Plan", c.Message))
	}
	if before.Status.Job == nil && after.Status.Job != nil {
		told = append(told, normal("Created", "CreateJob", fmt.Sprintf("created Job %s, suspended", after.Status.Job.Name)))
	}
	return told
}

func runStory(before, after *carbonv1alpha1.CarbonAwareJob) []event {
	var told []event
	if c := becameTrue(before, after, carbonv1alpha1.ConditionDowngraded); c != nil {
		told = append(told, normal("Downgraded", "Start", c.Message))
	}
	if c := becameTrue(before, after, carbonv1alpha1.ConditionStarted); c != nil {
		told = append(told, normal("Started", "Start", c.Message))
	}
	if c := becameTrue(before, after, carbonv1alpha1.ConditionComplete); c != nil {
		told = append(told, normal("Completed", "Observe", "the Job completed"))
	}
	if c := becameTrue(before, after, carbonv1alpha1.ConditionFailed); c != nil {
		told = append(told, warning("Failed", "Observe", c.Reason+": "+c.Message))
	}
	if c := newReason(before, after, carbonv1alpha1.ConditionEmissionsRecorded); c != nil {
		reason := "EmissionsRecorded"
		if c.Status == metav1.ConditionFalse || c.Reason == carbonv1alpha1.ReasonIntensityUnknown {
			reason = "EmissionsNotRecorded"
		}
		told = append(told, normal(reason, "Account", c.Message))
	}
	return told
}

func heldStory(before, after *carbonv1alpha1.CarbonAwareJob) []event {
	var told []event
	if c := newReason(before, after, carbonv1alpha1.ConditionReady); c != nil {
		switch c.Reason {
		case carbonv1alpha1.ReasonInvalid, carbonv1alpha1.ReasonNameConflict:
			told = append(told, warning(c.Reason, "CreateJob", c.Message))
		case carbonv1alpha1.ReasonBudgetHold:
			told = append(told, warning("BudgetHold", "Reserve", c.Message))
		case carbonv1alpha1.ReasonSuspended:
			told = append(told, normal("Suspended", "Hold", c.Message))
		}
	}
	if c := newReason(before, after, carbonv1alpha1.ConditionPlanned); c != nil && c.Reason == carbonv1alpha1.ReasonRegionNotFound {
		told = append(told, warning(c.Reason, "Plan", c.Message))
	}
	return told
}

func plannedAnew(before, after *carbonv1alpha1.PlanStatus) bool {
	return before == nil || before.Region != after.Region || !before.Start.Equal(&after.Start)
}

// becameTrue is the condition if it became true between the two states, else nil.
func becameTrue(before, after *carbonv1alpha1.CarbonAwareJob, conditionType string) *metav1.Condition {
	was, is := findCondition(before.Status.Conditions, conditionType), findCondition(after.Status.Conditions, conditionType)
	if is == nil || is.Status != metav1.ConditionTrue || was != nil && was.Status == metav1.ConditionTrue {
		return nil
	}
	return is
}

// newReason is the condition if its reason changed between the two states, else nil.
func newReason(before, after *carbonv1alpha1.CarbonAwareJob, conditionType string) *metav1.Condition {
	was, is := findCondition(before.Status.Conditions, conditionType), findCondition(after.Status.Conditions, conditionType)
	if is == nil || was != nil && was.Reason == is.Reason {
		return nil
	}
	return is
}
