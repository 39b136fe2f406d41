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

package audit

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// Grace is how long the operator may take for a start that nothing keeps it from: a pass that hangs is given up
// after a minute, and tried again 15 s later; the rest is for a machine that is slow with everything.
const Grace = 2 * time.Minute

// Late lists the jobs that were started after their latest start although nothing explains it that the design
// lets a start wait for: its plan, a hold by a person or a budget, an edit, a template that was refused. Only
// the caller knows of what the log cannot tell, such as a part that was down or a start that was refused: all
// that had ended at calm.
func Late(lives map[types.UID]*Life, calm time.Time) []string {
	var late []string
	for _, l := range lives {
		if len(l.Starts) == 0 || l.LatestStart.IsZero() {
			continue
		}
		free := l.freed
		if l.Planned.After(free) && !l.Planned.After(l.LatestStart) { // a plan may not put a start off for longer
			free = l.Planned
		}
		if calm.After(free) {
			free = calm
		}
		if at := l.Starts[0]; at.After(l.LatestStart) && at.After(free.Add(Grace)) {
			late = append(late, fmt.Sprintf("promise 1: %s (%s) was started at %s, %s after its latest start, and nothing has held it since %s",
				l.Key, l.UID, at, at.Sub(l.LatestStart), free))
		}
	}
	slices.Sort(late)
	return late
}

// Overtaken lists the starts that came while more than so many jobs that had been due for longer were yet to be
// started: as many as are started at a time.
func Overtaken(lives map[types.UID]*Life, most int) []string {
	var started []*Life
	for _, l := range lives {
		if len(l.Starts) > 0 {
			started = append(started, l)
		}
	}
	slices.SortFunc(started, func(a, b *Life) int { return a.Starts[0].Compare(b.Starts[0]) })
	var overtaken []string
	for i, l := range started {
		longer := 0
		for _, later := range started[i+1:] {
			if later.Planned.Before(l.Planned) {
				longer++
			}
		}
		if longer > most {
			overtaken = append(overtaken, fmt.Sprintf("%s, due at %s, was started at %s before %d that were due for longer", l.Key, l.Planned, l.Starts[0], longer))
		}
	}
	return overtaken
}

// followHold notes when somebody or something has ceased to keep the job from starting.
func (l *Life) followHold(e *Event) {
	if len(l.Starts) > 0 {
		return
	}
	now, was := e.CarbonAwareJob, l.Last
	if was == nil || now.Generation != was.Generation || held(was) ||
		!equality.Semantic.DeepEqual(now.Labels, was.Labels) || !equality.Semantic.DeepEqual(now.Annotations, was.Annotations) {
		l.freed = e.Received
	}
}

// held says whether a job's own status and spec say that more than time keeps it from starting.
func held(caj *carbonv1alpha1.CarbonAwareJob) bool {
	conditions := caj.Status.Conditions
	if ptr.Deref(caj.Spec.Suspend, false) || meta.IsStatusConditionFalse(conditions, carbonv1alpha1.ConditionWithinBudget) {
		return true
	}
	ready := meta.FindStatusCondition(conditions, carbonv1alpha1.ConditionReady)
	return ready != nil && slices.Contains([]string{carbonv1alpha1.ReasonInvalid, carbonv1alpha1.ReasonNameConflict}, ready.Reason)
}
