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
	"cmp"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// defaultWarnAtPercent is what the CRD's schema defaults to.
const defaultWarnAtPercent = 80

// setBudgetConditions derives the conditions from the sums.
func setBudgetConditions(b *carbonv1alpha1.CarbonBudget, status *carbonv1alpha1.CarbonBudgetStatus, v view, current *tally, now time.Time) {
	set := func(conditionType string, value bool, reason, message string) {
		is := metav1.ConditionFalse
		if value {
			is = metav1.ConditionTrue
		}
		setCondition(&status.Conditions, now, b.Generation, conditionType, is, reason, message)
	}
	used := policy.Budget{Limit: limitOf(b), Consumed: current.consumed.Total(), Reserved: v.reserved}
	percent := int(cmp.Or(b.Spec.WarnAtPercent, defaultWarnAtPercent))
	near, reached := v.exhausted || used.Uses(percent), v.exhausted || used.Consumed >= used.Limit
	message := fmt.Sprintf("%s g of %s g are left%s", used.Remaining(), used.Limit, untilEnd(current))
	if v.exhausted {
		message = fmt.Sprintf("%s g are used up%s: every run is stopped", used.Limit, untilEnd(current))
	}

	within := carbonv1alpha1.ReasonLimitReached
	if !reached {
		within = calm(b, carbonv1alpha1.BudgetWithinBudget, metav1.ConditionFalse, now)
	}
	set(carbonv1alpha1.BudgetWithinBudget, !reached, within, message)
	closeTo := carbonv1alpha1.ReasonNearLimit
	if !near {
		closeTo = calm(b, carbonv1alpha1.BudgetNearLimit, metav1.ConditionTrue, now)
	}
	set(carbonv1alpha1.BudgetNearLimit, near, closeTo, fmt.Sprintf("%s; warns at %d %%", message, percent))

	_, known := zoneOf(b)
	switch {
	case !known:
		set(carbonv1alpha1.BudgetReady, false, carbonv1alpha1.ReasonInvalidTimeZone, fmt.Sprintf(
			"the time zone %q is unknown, so periods begin in UTC: set spec.timeZone to a name such as Europe/Amsterdam; %s", b.Spec.TimeZone, message))
	case reached:
		set(carbonv1alpha1.BudgetReady, false, carbonv1alpha1.ReasonLimitReached, message)
	case used.Remaining() <= 0:
		set(carbonv1alpha1.BudgetReady, false, carbonv1alpha1.ReasonFullyReserved, message)
	case near:
		set(carbonv1alpha1.BudgetReady, true, carbonv1alpha1.ReasonNearLimit, message)
	default:
		set(carbonv1alpha1.BudgetReady, true, carbonv1alpha1.ReasonWithinLimit, message)
	}
}

func untilEnd(t *tally) string {
	if t.end.IsZero() {
		return ""
	}
	return " until " + stamp(t.end)
}

// calm is the reason of a condition that does not alarm: Eased if it did so earlier in this period
// with this spec, so that the same alarm is not told twice.
func calm(b *carbonv1alpha1.CarbonBudget, conditionType string, alarm metav1.ConditionStatus, now time.Time) string {
	was := findCondition(b.Status.Conditions, conditionType)
	if was == nil || was.ObservedGeneration != b.Generation || hasRolled(b, now) {
		return carbonv1alpha1.ReasonWithinLimit
	}
	if was.Status == alarm || was.Reason == carbonv1alpha1.ReasonEased {
		return carbonv1alpha1.ReasonEased
	}
	return carbonv1alpha1.ReasonWithinLimit
}

// recordBudget tells once in a period that a budget is nearly and that it is wholly used up.
func recordBudget(recorder events.EventRecorder, before, after *carbonv1alpha1.CarbonBudget) {
	for _, alarm := range []struct {
		conditionType string
		status        metav1.ConditionStatus
	}{
		{carbonv1alpha1.BudgetNearLimit, metav1.ConditionTrue},
		{carbonv1alpha1.BudgetWithinBudget, metav1.ConditionFalse},
	} {
		is := findCondition(after.Status.Conditions, alarm.conditionType)
		if is.Status != alarm.status || wasTold(before, after, alarm.conditionType, alarm.status) {
			continue
		}
		recorder.Eventf(after, nil, corev1.EventTypeWarning, is.Reason, "Count", "%s", is.Message)
	}
}

func wasTold(before, after *carbonv1alpha1.CarbonBudget, conditionType string, alarm metav1.ConditionStatus) bool {
	was := findCondition(before.Status.Conditions, conditionType)
	if was == nil || was.Status != alarm && was.Reason != carbonv1alpha1.ReasonEased {
		return false
	}
	return before.Status.Period == nil || after.Status.Period == nil || before.Status.Period.Start.Equal(&after.Status.Period.Start)
}
