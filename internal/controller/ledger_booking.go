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
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// bookingState is where a job stands with its budgets.
type bookingState int

const (
	// idle: it asks for nothing yet.
	idle bookingState = iota
	// waiting: its start has come, and some budget has no room.
	waiting
	// reserved: its grams are set aside.
	reserved
	// ended: it emits no more; what it emitted is consumed.
	ended
)

// booking is a job as the budgets see it.
type booking struct {
	uid     types.UID
	name    string
	version string // resource version
	labels  map[string]string
	state   bookingState
	// grams that it asks for, has reserved or has consumed, by state.
	grams, avoided estimate.Nanograms
	// in are the budgets that have reserved for it; nil when that is not known.
	in []string
	// start is the planned one, end that of the run.
	start, end time.Time
	// asked says that grams are what its own pass asked for, and no rough estimate.
	asked bool
	// standing says that the reservation is part of the job's status, started that its Job was let go.
	standing, started bool
	// ran says that the job has a run that counts, pending that its record is yet to come.
	ran, pending bool
	// leaving says that the job is being deleted.
	leaving bool
	// told is the hold that its status speaks of.
	told hold
	// burn is its run as it emits, pauses included; nil before the run and once it is on record.
	burn *burn
}

// leaves says whether the job is being deleted and its budgets can take its grams over.
func (b *booking) leaves() bool { return b.leaving && b.state == ended && !b.pending }

// holdsIn says whether what is reserved counts in a budget that matches: before the start only in one that
// was asked. After an edit of its labels the job has to ask again.
func (b *booking) holdsIn(a *account) bool {
	return b.started || b.in == nil || slices.Contains(b.in, a.name)
}

// burn is a run as it emits.
type burn struct {
	// load lacks the intensities; known is false when its energy is unknown.
	load   policy.Load
	known  bool
	region string
	// first is when it ran for the first time.
	first time.Time
}

// compare is the order of policy.Claim.
func (b *booking) compare(c *booking) int {
	return cmp.Or(b.start.Compare(c.start), cmp.Compare(b.uid, c.uid))
}

// bookingOf is what the status of a job says.
func bookingOf(caj *carbonv1alpha1.CarbonAwareJob, models modelFacts) booking {
	b := booking{
		uid: caj.UID, name: caj.Name, version: caj.ResourceVersion, labels: caj.Labels, leaving: !caj.DeletionTimestamp.IsZero(),
		in: caj.Status.ReservedIn, started: isTrue(caj.Status.Conditions, carbonv1alpha1.ConditionStarted),
	}
	if caj.Status.Plan != nil {
		b.start = caj.Status.Plan.Start.Time
	}
	conditions := caj.Status.Conditions
	within := findCondition(conditions, carbonv1alpha1.ConditionWithinBudget)
	switch {
	case isTrue(conditions, carbonv1alpha1.ConditionComplete) || isTrue(conditions, carbonv1alpha1.ConditionFailed):
		b.state, b.end = ended, endOfRun(caj)
		b.grams, b.avoided, b.ran = charge(caj)
		b.pending = awaitsNumbers(caj)
	case caj.Status.ReservedGrams != "":
		b.state, b.standing, b.grams = reserved, true, parseGrams(caj.Status.ReservedGrams)
	case b.started:
		b.state, b.standing = reserved, true
		if within == nil || within.Status != metav1.ConditionUnknown {
			// It started before there was a budget; its next pass makes a reservation of it.
			b.grams = roughly(caj, models)
		} // else its energy is unknown: it started all the same, and counts nothing
	case within != nil && within.Status == metav1.ConditionFalse && !ptr.Deref(caj.Spec.Suspend, false):
		b.state, b.grams = waiting, roughly(caj, models)
	}
	return b
}

// charge is what a job that ended has emitted and avoided, and whether it ran at all. A run that
// nothing is known of counts as what was reserved for it.
func charge(caj *carbonv1alpha1.CarbonAwareJob) (grams, avoided estimate.Nanograms, ran bool) {
	if e := caj.Status.Emissions; e != nil {
		return parseGrams(e.ActualGrams), parseGrams(e.AvoidedGrams), true
	}
	job := caj.Status.Job
	return parseGrams(caj.Status.ReservedGrams), 0, job != nil && len(job.Runs) > 0
}

// endOfRun is the time that decides in which period a run counts.
func endOfRun(caj *carbonv1alpha1.CarbonAwareJob) time.Time {
	if job := caj.Status.Job; job != nil && len(job.Runs) > 0 {
		if end := job.Runs[len(job.Runs)-1].End; end != nil {
			return end.Time
		}
	}
	for _, conditionType := range []string{carbonv1alpha1.ConditionComplete, carbonv1alpha1.ConditionFailed} {
		if c := findCondition(caj.Status.Conditions, conditionType); c != nil && c.Status == metav1.ConditionTrue {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}

// roughly is what a job is expected to emit without a look at its region; its next pass knows better.
// An energy that is unknown fits nowhere.
func roughly(caj *carbonv1alpha1.CarbonAwareJob, models modelFacts) estimate.Nanograms {
	requested := requestedModel(caj.Spec.LLM, templateOf(caj))
	grams, known := expectedGrams(caj, regionFacts{}, requested, caj.CreationTimestamp.Time, models)
	if !known {
		return unknownGrams
	}
	return grams
}

// parseGrams reads what Nanograms.String wrote, exactly; 0 for the empty string.
func parseGrams(d carbonv1alpha1.Decimal) estimate.Nanograms {
	q, err := resource.ParseQuantity(string(d))
	if err != nil {
		return 0
	}
	return estimate.Nanograms(q.ScaledValue(resource.Nano))
}

// note takes over what stands in the status of a job. What was asked for and granted since then is
// known here better than there, but for the end.
func (s *space) note(caj *carbonv1alpha1.CarbonAwareJob) {
	if !caj.DeletionTimestamp.IsZero() && !controllerutil.ContainsFinalizer(caj, carbonv1alpha1.FinalizerCarbonAwareJob) {
		s.remove(caj.UID) // it is settled, and only somebody else's finalizer keeps it
		return
	}
	if s.isGone(caj) {
		return
	}
	if former, has := s.names[caj.Name]; has && former != caj.UID {
		s.remove(former)
	}
	s.names[caj.Name] = caj.UID
	is, was := bookingOf(caj, s.models), s.jobs[caj.UID]
	if was != nil && was.isAfter(caj) {
		return
	}
	if was != nil && is.state != ended {
		is.keep(was)
	}
	s.put(is)
}

// keep takes over from a former booking what is known better here than in the status.
func (b *booking) keep(was *booking) {
	b.told, b.burn = was.told, was.burn
	if b.state < reserved && !b.leaving && !was.standing && (was.state == reserved || was.asked) {
		b.state, b.grams, b.in, b.asked = was.state, was.grams, was.in, was.asked
	}
}

// isGone says whether a cache that lags shows a job that was not there any more when the jobs were listed.
func (s *space) isGone(caj *carbonv1alpha1.CarbonAwareJob) bool {
	if s.listed == "" || s.jobs[caj.UID] != nil || !s.loaded {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(caj.ResourceVersion, s.listed)
	return err == nil && order <= 0
}

// isAfter says whether a later state of the job is known than this one.
func (b *booking) isAfter(caj *carbonv1alpha1.CarbonAwareJob) bool {
	order, err := resourceversion.CompareResourceVersion(b.version, caj.ResourceVersion)
	return err == nil && order > 0
}

// put replaces a booking and corrects the sums.
func (s *space) put(is booking) {
	was := s.jobs[is.uid]
	for _, a := range s.budgets {
		had, has := part{tally: -1}, a.part(&is)
		if was != nil {
			had = a.part(was)
		}
		a.subtract(had)
		a.add(has)
		s.freed = s.freed || has.used() < had.used()
		if has != had || a.matches(is.labels) && is.leaves() && (was == nil || !was.leaves() || !a.matches(was.labels)) {
			s.news(a.name)
		}
	}
	s.jobs[is.uid] = &is
	s.index(&is)
}

// index puts a booking into the lists in which it belongs.
func (s *space) index(b *booking) {
	keep := func(list map[types.UID]*booking, belongs bool) {
		if belongs {
			list[b.uid] = b
		} else {
			delete(list, b.uid)
		}
	}
	keep(s.active, b.state != ended || b.leaving)
	keep(s.granted, b.state == reserved && !b.standing)
	keep(s.leaving, b.leaving)
}

func (s *space) remove(uid types.UID) {
	was := s.jobs[uid]
	if was == nil {
		return
	}
	for _, a := range s.budgets {
		a.subtract(a.part(was))
		if a.matches(was.labels) || a.settling[uid] {
			s.news(a.name)
		}
	}
	if s.names[was.name] == uid {
		delete(s.names, was.name)
	}
	for _, list := range []map[types.UID]*booking{s.jobs, s.active, s.granted, s.leaving} {
		delete(list, uid)
	}
	s.freed = true
}

// bound says whether a reservation that this job does not have could still be written into its status,
// by a process that was granted it.
func (s *space) bound(b *booking) bool {
	for _, a := range s.budgets {
		if a.granted[b.uid].binds(b) {
			return true
		}
	}
	return false
}
