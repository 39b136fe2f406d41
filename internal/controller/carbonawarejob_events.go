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
	var told []event
	tell := func(kind, reason, action, note string) {
		told = append(told, event{kind, reason, action, note})
	}
	if plan := after.Status.Plan; plan != nil && plannedAnew(before.Status.Plan, plan) {
		reason := "Planned"
		if before.Status.Plan != nil {
			reason = "Replanned"
		}
		tell(corev1.EventTypeNormal, reason, "Plan", fmt.Sprintf("start %s: %s", stamp(plan.Start.Time), plan.Message))
	}
	if before.Status.Job == nil && after.Status.Job != nil {
		tell(corev1.EventTypeNormal, "Created", "CreateJob", fmt.Sprintf("created Job %s, suspended", after.Status.Job.Name))
	}
	if c := became(before, after, carbonv1alpha1.ConditionDowngraded, metav1.ConditionTrue); c != nil {
		tell(corev1.EventTypeNormal, "Downgraded", "Start", c.Message)
	}
	if c := became(before, after, carbonv1alpha1.ConditionStarted, metav1.ConditionTrue); c != nil {
		tell(corev1.EventTypeNormal, "Started", "Start", c.Message)
	}
	if c := became(before, after, carbonv1alpha1.ConditionComplete, metav1.ConditionTrue); c != nil {
		tell(corev1.EventTypeNormal, "Completed", "Observe", "the Job completed")
	}
	if c := became(before, after, carbonv1alpha1.ConditionFailed, metav1.ConditionTrue); c != nil {
		tell(corev1.EventTypeWarning, "Failed", "Observe", c.Reason+": "+c.Message)
	}
	if c := newReason(before, after, carbonv1alpha1.ConditionEmissionsRecorded); c != nil {
		reason := "EmissionsRecorded"
		if c.Status == metav1.ConditionFalse {
			reason = "EmissionsNotRecorded"
		}
		tell(corev1.EventTypeNormal, reason, "Account", c.Message)
	}
	if c := newReason(before, after, carbonv1alpha1.ConditionReady); c != nil {
		switch c.Reason {
		case carbonv1alpha1.ReasonInvalid, carbonv1alpha1.ReasonNameConflict:
			tell(corev1.EventTypeWarning, c.Reason, "CreateJob", c.Message)
		case carbonv1alpha1.ReasonSuspended:
			tell(corev1.EventTypeNormal, "Suspended", "Hold", c.Message)
		}
	}
	if c := newReason(before, after, carbonv1alpha1.ConditionPlanned); c != nil && c.Reason == carbonv1alpha1.ReasonRegionNotFound {
		tell(corev1.EventTypeWarning, c.Reason, "Plan", c.Message)
	}
	return told
}

func plannedAnew(before, after *carbonv1alpha1.PlanStatus) bool {
	return before == nil || before.Region != after.Region || !before.Start.Equal(&after.Start)
}

// became is the condition if it got the status between the two states, else nil.
func became(before, after *carbonv1alpha1.CarbonAwareJob, conditionType string, status metav1.ConditionStatus) *metav1.Condition {
	was, is := findCondition(before.Status.Conditions, conditionType), findCondition(after.Status.Conditions, conditionType)
	if is == nil || is.Status != status || was != nil && was.Status == status {
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
