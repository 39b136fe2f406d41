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

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
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
	// Planned and LatestStart are the planned and the latest start that were in status at the first start.
	Planned, LatestStart time.Time
	// Finished says whether it completed or failed; Records counts the times that a final record
	// was written, Changed says whether one was changed later.
	Finished, Deleted, Changed bool
	Records                    int
	// Last is the object as it was last seen; nil when it never was.
	Last *carbonv1alpha1.CarbonAwareJob

	plan      *carbonv1alpha1.PlanStatus
	suspended map[types.UID]bool
	// freed is since when nobody but the plan kept it from its first start.
	freed time.Time
	// ran says whether its Job ran, ended whether that came to its own end.
	ran, ended bool
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
	l.followHold(e)
	l.plan = now.Status.Plan
	conditions := now.Status.Conditions
	l.Finished = l.Finished || meta.IsStatusConditionTrue(conditions, carbonv1alpha1.ConditionComplete) ||
		meta.IsStatusConditionTrue(conditions, carbonv1alpha1.ConditionFailed)
	l.Deleted = l.Deleted || e.Verb == "delete" || now.DeletionTimestamp != nil
	isFinal := recorded(now)
	if wasFinal := l.Last != nil && recorded(l.Last); isFinal && !wasFinal {
		l.Records++
	} else if wasFinal && (!isFinal || !equality.Semantic.DeepEqual(l.Last.Status.Emissions, now.Status.Emissions)) {
		l.Changed = true
	}
	l.Last = now
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
		l.start(e)
	}
	l.suspended[job.UID] = waiting
	l.ran = l.ran || !waiting && job.Status.StartTime != nil
	l.ended = l.ended || l.ran && slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue
	})
}

// start notes a start, and what the job's status said then.
func (l *Life) start(e *Event) {
	l.Starts = append(l.Starts, e.Received)
	if len(l.Starts) == 1 && l.Last != nil && held(l.Last) { // what held it is gone, which nobody wrote down
		l.freed = e.Received
	}
	if l.plan != nil && l.Planned.IsZero() {
		l.Planned, l.LatestStart = l.plan.Start.Time, l.plan.LatestStart.Time
	}
}

// Broken lists what of the promises the log shows to be broken, for every life. Whether a job had
// to start or to finish by now is for the caller to say; what has finished must be on record. See Late for
// starts after the latest start.
func Broken(lives map[types.UID]*Life) []string {
	var broken []string
	for _, life := range lives {
		for _, what := range append(life.brokenStarts(), life.brokenRecord()...) {
			broken = append(broken, fmt.Sprintf("%s (%s): %s", life.Key, life.UID, what))
		}
	}
	slices.Sort(broken)
	return broken
}

func (l *Life) brokenStarts() (broken []string) {
	if len(l.Jobs) > 1 {
		broken = append(broken, fmt.Sprintf("promise 2: it had %d Jobs: %v", len(l.Jobs), l.Jobs))
	}
	if len(l.Starts) > 1 {
		broken = append(broken, fmt.Sprintf("promise 1: it was started %d times: %v", len(l.Starts), l.Starts))
	}
	if len(l.Starts) > 0 && !l.Planned.IsZero() && l.Starts[0].Before(l.Planned) {
		broken = append(broken, fmt.Sprintf("promise 1: it was started at %s, %s before its planned start", l.Starts[0], l.Planned.Sub(l.Starts[0])))
	}
	return broken
}

func (l *Life) brokenRecord() (broken []string) {
	if plan := l.plan; plan != nil && !plan.LatestStart.IsZero() && plan.Start.After(plan.LatestStart.Time) && plan.Start.After(plan.DecidedAt.Add(time.Second)) {
		broken = append(broken, fmt.Sprintf("promise 1: it is planned for %s, after its latest start at %s", plan.Start, plan.LatestStart))
	}
	if l.Records > 1 || l.Changed {
		broken = append(broken, fmt.Sprintf("promise 3: its final record was written %d times, changed later: %t", l.Records, l.Changed))
	}
	if (l.ended || l.ran && l.Finished) && !l.accounted() {
		broken = append(broken, "promise 3: it ran and has ended, and there is no record of that"+l.word())
	}
	return broken
}

// word is what the job's status says of its record.
func (l *Life) word() string {
	if l.Last == nil {
		return ""
	}
	if why := meta.FindStatusCondition(l.Last.Status.Conditions, carbonv1alpha1.ConditionEmissionsRecorded); why != nil {
		return fmt.Sprintf(": it says %s, %s", why.Reason, why.Message)
	}
	return fmt.Sprintf(": its last status, of version %s, has the conditions %v", l.Last.ResourceVersion, l.Last.Status.Conditions)
}

// accounted says whether there is a record, or a word that there is none and why. A job that was deleted needs
// one only in a budget, because there is nowhere else where it could outlive it.
func (l *Life) accounted() bool {
	if l.Last == nil {
		return false
	}
	status := &l.Last.Status
	if status.Emissions != nil {
		return true
	}
	if l.Deleted && status.ReservedGrams == "" && meta.FindStatusCondition(status.Conditions, carbonv1alpha1.ConditionWithinBudget) == nil {
		return true
	}
	why := meta.FindStatusCondition(status.Conditions, carbonv1alpha1.ConditionEmissionsRecorded)
	return why != nil && why.Reason != carbonv1alpha1.ReasonNeverRan
}
