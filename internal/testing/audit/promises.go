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

// Life is what the log tells of one CarbonAwareJob.
type Life struct {
	Key types.NamespacedName
	UID types.UID
	// Jobs are the UIDs of all its Jobs that were ever seen, in their order.
	Jobs []types.UID
	// Starts are the times at which the API server was asked to start a Job, each once.
	Starts []time.Time
	// Planned is the planned start that was in status at the first start.
	Planned time.Time
	// Finished says whether it completed or failed; Records counts the times that a final record
	// was written, Changed says whether one was changed later.
	Finished, Deleted, Changed bool
	Records                    int

	plan      *carbonv1alpha1.PlanStatus
	last      *carbonv1alpha1.CarbonAwareJob
	suspended map[types.UID]bool
}

// Lives follows every CarbonAwareJob through the log, by its UID.
func Lives(events []Event) map[types.UID]*Life {
	lives := map[types.UID]*Life{}
	for i := range events {
		switch e := &events[i]; {
		case e.CarbonAwareJob != nil:
			life := of(lives, e.CarbonAwareJob.UID)
			life.Key = types.NamespacedName{Namespace: e.CarbonAwareJob.Namespace, Name: e.CarbonAwareJob.Name}
			life.follow(e)
		case e.Job != nil:
			for _, owner := range e.Job.OwnerReferences {
				if owner.Kind == "CarbonAwareJob" && ptr.Deref(owner.Controller, false) {
					of(lives, owner.UID).followJob(e)
				}
			}
		}
	}
	return lives
}

func of(lives map[types.UID]*Life, uid types.UID) *Life {
	if lives[uid] == nil {
		lives[uid] = &Life{UID: uid, suspended: map[types.UID]bool{}}
	}
	return lives[uid]
}

func (l *Life) follow(e *Event) {
	now := e.CarbonAwareJob
	l.plan = now.Status.Plan
	conditions := now.Status.Conditions
	l.Finished = l.Finished || meta.IsStatusConditionTrue(conditions, carbonv1alpha1.ConditionComplete) ||
		meta.IsStatusConditionTrue(conditions, carbonv1alpha1.ConditionFailed)
	l.Deleted = l.Deleted || e.Verb == "delete" || now.DeletionTimestamp != nil
	isFinal := recorded(now)
	if wasFinal := l.last != nil && recorded(l.last); isFinal && !wasFinal {
		l.Records++
	} else if wasFinal && (!isFinal || !equality.Semantic.DeepEqual(l.last.Status.Emissions, now.Status.Emissions)) {
		l.Changed = true
	}
	l.last = now
}

// recorded says whether there is a record that must not change any more.
func recorded(caj *carbonv1alpha1.CarbonAwareJob) bool {
	return meta.IsStatusConditionTrue(caj.Status.Conditions, carbonv1alpha1.ConditionEmissionsRecorded)
}

// followJob counts a start when the Job that came of a write carries a start record for the first
// time. Pausing and resuming later is no start.
func (l *Life) followJob(e *Event) {
	job := e.Job
	if !slices.Contains(l.Jobs, job.UID) {
		l.Jobs = append(l.Jobs, job.UID)
	}
	waiting := job.Annotations[carbonv1alpha1.AnnotationStart] == ""
	if was, known := l.suspended[job.UID]; !waiting && (was || !known) {
		l.Starts = append(l.Starts, e.Received)
		if l.plan != nil && l.Planned.IsZero() {
			l.Planned = l.plan.Start.Time
		}
	}
	l.suspended[job.UID] = waiting
}

// Broken lists what of the promises the log shows to be broken, for every life. Whether a job had
// to start or to finish by now is for the caller to say.
func Broken(lives map[types.UID]*Life) []string {
	var broken []string
	for _, life := range lives {
		say := func(format string, args ...any) {
			broken = append(broken, fmt.Sprintf("%s (%s): ", life.Key, life.UID)+fmt.Sprintf(format, args...))
		}
		if len(life.Jobs) > 1 {
			say("promise 2: it had %d Jobs: %v", len(life.Jobs), life.Jobs)
		}
		if len(life.Starts) > 1 {
			say("promise 1: it was started %d times: %v", len(life.Starts), life.Starts)
		}
		if len(life.Starts) > 0 && !life.Planned.IsZero() && life.Starts[0].Before(life.Planned) {
			say("promise 1: it was started at %s, %s before its planned start", life.Starts[0], life.Planned.Sub(life.Starts[0]))
		}
		if life.Records > 1 || life.Changed {
			say("promise 3: its final record was written %d times, changed later: %t", life.Records, life.Changed)
		}
	}
	slices.Sort(broken)
	return broken
}

// Writes counts the successful writes of a user that match.
func Writes(events []Event, user string, match func(*Event) bool) int {
	n := 0
	for i := range events {
		if events[i].User == user && (match == nil || match(&events[i])) {
			n++
		}
	}
	return n
}
