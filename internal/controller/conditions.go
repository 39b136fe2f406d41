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
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// maxMessage bounds the messages of conditions and events: an API error may quote a whole template.
const maxMessage = 1024

// setCondition sets a condition as of now. The time of transition moves only with the status.
func setCondition(conditions *[]metav1.Condition, now time.Time, generation int64,
	conditionType string, status metav1.ConditionStatus, reason, message string,
) {
	meta.SetStatusCondition(conditions, metav1.Condition{
		Type: conditionType, Status: status, Reason: reason, Message: truncate(message),
		ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now),
	})
}

func findCondition(conditions []metav1.Condition, conditionType string) *metav1.Condition {
	return meta.FindStatusCondition(conditions, conditionType)
}

func isTrue(conditions []metav1.Condition, conditionType string) bool {
	return meta.IsStatusConditionTrue(conditions, conditionType)
}

func isFalse(conditions []metav1.Condition, conditionType string) bool {
	return meta.IsStatusConditionFalse(conditions, conditionType)
}

// truncate cuts a message, between two characters. A message may have megabytes.
func truncate(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	const ellipsis = "…"
	return strings.ToValidUTF8(message[:maxMessage-len(ellipsis)], "") + ellipsis
}
