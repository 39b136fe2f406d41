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
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// roster knows where and when every waiting job is planned to start, so that a region with a cap gets no
// more starts in a slot than that, and no pass has to look at all other jobs. Its truth are the plans in
// status: it is filled from them after a start of the process. A pass holds its lock from the choice of
// a start until that is entered, so that two passes never take the same last place. A job that is held by its
// user takes no place. One that has started keeps its place until the slot is over, whatever becomes of it: the cap
// is on starts.
//
// Where a cap was lowered, the first jobs keep their places, by start and UID, and the others have none any more:
// their next pass gives them another start.
//
// The zero roster is ready for use; nil knows of no other job.
type roster struct {
	mu     sync.Mutex
	filled bool
	plans  map[types.UID]plannedStart
	rooms  map[string]*policy.Occupancy // of the regions with a cap
	begun  []types.UID                  // those of the plans whose jobs have started, in this order
}

// plannedStart is where and when a job is planned to start, or has started.
type plannedStart struct {
	region string
	start  time.Time
	begun  bool
}

// fill takes over the plans of the jobs that have not started, and of those that have in a slot with a cap which may
// not be over. Only the first call does anything.
func (r *roster) fill(ctx context.Context, c client.Reader, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.filled {
		return nil
	}
	var jobs carbonv1alpha1.CarbonAwareJobList
	if err := c.List(ctx, &jobs, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return fmt.Errorf("listing the plans of all CarbonAwareJobs: %w", err)
	}
	var regions carbonv1alpha1.GridRegionList
	if err := c.List(ctx, &regions, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return fmt.Errorf("listing the caps of all GridRegions: %w", err)
	}
	capped := map[string]bool{}
	for i := range regions.Items {
		capped[regions.Items[i].Name] = ptr.Deref(regions.Items[i].Spec.MaxStartsPerWindow, 0) > 0
	}
	r.plans, r.rooms, r.filled = map[types.UID]plannedStart{}, map[string]*policy.Occupancy{}, true
	for i := range jobs.Items {
		job := &jobs.Items[i]
		plan := job.Status.Plan
		if plan == nil {
			continue
		}
		at := plannedStart{region: plan.Region, start: plan.Start.Time}
		at.begun = isTrue(job.Status.Conditions, carbonv1alpha1.ConditionStarted)
		switch {
		case at.begun && capped[at.region] && !r.isOver(at, now):
			r.plans[job.UID] = at
			r.begun = append(r.begun, job.UID)
		case caresAboutStart(job):
			r.plans[job.UID] = at
		}
	}
	return nil
}

// caresAboutStart says whether the job waits for its start, and is not held.
func caresAboutStart(caj *carbonv1alpha1.CarbonAwareJob) bool {
	if ptr.Deref(caj.Spec.Suspend, false) {
		return false
	}
	for _, over := range []string{carbonv1alpha1.ConditionStarted, carbonv1alpha1.ConditionComplete, carbonv1alpha1.ConditionFailed} {
		if isTrue(caj.Status.Conditions, over) {
			return false
		}
	}
	return caj.DeletionTimestamp.IsZero()
}

// reserve lets decide choose a start for the job, with the others' places in sight and its own one free,
// and enters what it chose; nil for nothing.
func (r *roster) reserve(uid types.UID, decide func(places) *carbonv1alpha1.PlanStatus) {
	if r == nil {
		decide(places{room: anyNumber})
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := places{own: new(plannedStart)}
	p.room = func(region string, now time.Time, limit int, grid forecast.Series) *policy.Occupancy {
		room := r.room(region, now, limit, grid) // which may cost the job its place
		if at, has := r.plans[uid]; has && at.region == region {
			*p.own = at
			r.free(uid)
		}
		return room
	}
	plan := decide(p)
	r.free(uid)
	if plan != nil {
		at := plannedStart{region: plan.Region, start: plan.Start.Time}
		r.plans[uid] = at
		r.rooms[at.region].Add(at.start)
	}
}

// places are the room that others leave, and the place that the job itself has had until now; zero for none.
type places struct {
	room roomOf
	own  *plannedStart
}

// lost says whether the job has no place any more for an earlier plan, and somebody else has it. The request was
// made with these places.
func (p places) lost(old policy.Decision, r policy.Request) bool {
	if p.own == nil || p.own.region == old.Region && p.own.start.Equal(old.Start) || old.Start.Sub(r.Now) < policy.Freeze {
		return false
	}
	i := slices.IndexFunc(r.Regions, func(region policy.Region) bool { return region.Name == old.Region })
	return i >= 0 && r.Regions[i].Room.Full(old.Start)
}

// drop forgets a job that will not start any more, if it has not.
func (r *roster) drop(uid types.UID) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.plans[uid].begun {
		r.free(uid)
	}
}

// enterStart tells the roster of a start that has been.
func (s *scope) enterStart() {
	plan := s.caj.Status.Plan
	if !s.started() || plan == nil {
		return
	}
	region := s.region(plan.Region).object
	s.starts.begin(s.caj.UID, region != nil && ptr.Deref(region.Spec.MaxStartsPerWindow, 0) > 0, s.now)
}

// begin is told that a job has started, in a region with a cap or without: with one it has used its place. Places in
// slots that are over are forgotten.
func (r *roster) begin(uid types.UID, capped bool, now time.Time) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	at, known := r.plans[uid]
	switch {
	case !known || at.begun:
	case !capped || at.start.After(now) || r.isOver(at, now): // somebody else may have started it early
		r.free(uid)
	default:
		at.begun = true
		r.plans[uid] = at
		r.begun = append(r.begun, uid)
	}
	for len(r.begun) > 0 && r.isOver(r.plans[r.begun[0]], now) {
		r.free(r.begun[0])
		r.begun = r.begun[1:]
	}
}

// isOver says whether the slot in which a job has started is over for sure.
func (r *roster) isOver(at plannedStart, now time.Time) bool {
	return !now.Before(at.start.Add(r.rooms[at.region].Slot()))
}

func (r *roster) free(uid types.UID) {
	if at, known := r.plans[uid]; known {
		r.rooms[at.region].Remove(at.start)
		delete(r.plans, uid)
	}
}

// roomOf is the room for starts in a region, at a time, with a cap on the slots of a series; nil for any number.
type roomOf func(region string, now time.Time, limit int, grid forecast.Series) *policy.Occupancy

// anyNumber is the room where nobody else counts.
func anyNumber(string, time.Time, int, forecast.Series) *policy.Occupancy { return nil }

// room counts anew only when the cap or the slots of the region have changed.
func (r *roster) room(region string, now time.Time, limit int, grid forecast.Series) *policy.Occupancy {
	counted := r.rooms[region]
	if counted.Fits(limit, grid) {
		return counted
	}
	fresh := policy.NewOccupancy(limit, grid)
	capped := counted == nil || counted.IsOn(grid) // and not a source that counts in other slots for a while
	for _, uid := range r.inOrder(region) {
		at := r.plans[uid]
		if capped && fresh.Full(at.start) && at.start.Sub(now) >= policy.Freeze {
			delete(r.plans, uid)
			continue
		}
		fresh.Add(at.start)
	}
	r.rooms[region] = fresh
	return fresh
}

// inOrder are the jobs that are planned to start in the region, by start and UID.
func (r *roster) inOrder(region string) []types.UID {
	var uids []types.UID
	for uid, at := range r.plans {
		if at.region == region {
			uids = append(uids, uid)
		}
	}
	slices.SortFunc(uids, func(a, b types.UID) int {
		return cmp.Or(r.plans[a].start.Compare(r.plans[b].start), cmp.Compare(a, b))
	})
	return uids
}
