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
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// How long after its creation a job waits for its GridRegions to be read for the first time: both are
// often applied in one command. A job that may not wait at all is given a moment only.
const (
	pendingGrace = time.Minute
	urgentGrace  = 5 * time.Second
)

// What the CRD's schema defaults to; for objects that were stored without it.
const (
	defaultMaxDelay         = 4 * time.Hour
	defaultExpectedDuration = 30 * time.Minute
	defaultSavingPercent    = 1
)

func maxDelay(caj *carbonv1alpha1.CarbonAwareJob) time.Duration {
	return durationOr(caj.Spec.MaxDelay, defaultMaxDelay)
}

func durationOr(d *metav1.Duration, fallback time.Duration) time.Duration {
	if d == nil {
		return fallback
	}
	return d.Duration
}

// plan makes or renews the plan of a job that has not started.
func (s *scope) plan() {
	if s.started() || s.jobGone || s.finished() {
		s.starts.drop(s.caj.UID)
		return
	}
	if s.blocked = s.checkTemplate(); s.blocked != nil {
		s.caj.Status.Plan = nil
		s.starts.drop(s.caj.UID)
		return
	}
	s.caj.Status.Model = s.plannedModel()
	if s.regionsPending() {
		s.wakeAt(s.pendingUntil())
		return
	}
	s.starts.reserve(s.caj.UID, func(p places) *carbonv1alpha1.PlanStatus {
		s.choose(p)
		if !caresAboutStart(s.caj) {
			return nil
		}
		return s.caj.Status.Plan
	})
}

// choose makes a plan, and puts it in the place of an old one if that has lost its place, or if it is worth that.
func (s *scope) choose(p places) {
	request := s.request(p.room)
	next := policy.Choose(request)
	old := s.caj.Status.Plan
	if old == nil || s.planIsVoid(old, next) || p.lost(decisionOf(old), request) {
		s.caj.Status.Plan = s.planStatus(old, next)
		return
	}
	if replace, improves := policy.Replan(decisionOf(old), next, request); replace {
		s.caj.Status.Plan = s.planStatus(old, next)
		if improves {
			s.caj.Status.Plan.Improvements++
		}
	}
}

// checkTemplate says what in the spec makes a start impossible.
func (s *scope) checkTemplate() *blockage {
	template, llm := templateOf(s.caj), s.caj.Spec.LLM
	if conflict := modelConflict(llm, template); conflict != "" {
		return &blockage{carbonv1alpha1.ReasonInvalid, carbonv1alpha1.ReasonModelConflict, conflict}
	}
	if s.job == nil {
		if lack := lackOfRoom(template, llm, s.regions); lack != "" {
			return &blockage{carbonv1alpha1.ReasonInvalid, carbonv1alpha1.ReasonTemplateRejected, lack}
		}
	}
	var conflicts []string
	for _, r := range s.regions {
		if r.object == nil {
			return nil // it may come yet, and without a conflict
		}
		if conflict := nodeSelectorConflict(template, r.object.Spec.Placement); conflict != "" {
			conflicts = append(conflicts, r.name+": "+conflict)
		}
	}
	if len(conflicts) == 0 || len(conflicts) < len(s.regions) {
		return nil
	}
	return &blockage{
		carbonv1alpha1.ReasonInvalid, carbonv1alpha1.ReasonPlacementConflict,
		strings.Join(conflicts, "; ") + ": remove the key from the template or name another region",
	}
}

// pendingUntil is when the job stops waiting for the first reading of its regions: never after its
// latest start, but for the moment that a job gets which may not wait.
func (s *scope) pendingUntil() time.Time {
	wait := min(pendingGrace, maxDelay(s.caj))
	if wait <= 0 {
		wait = urgentGrace
	}
	return s.caj.CreationTimestamp.Add(wait)
}

// regionsPending says whether to wait for the first reading of the regions.
func (s *scope) regionsPending() bool {
	if !s.now.Before(s.pendingUntil()) {
		return false
	}
	for _, r := range s.regions {
		if r.pending() {
			return true
		}
	}
	return false
}

func (s *scope) request(room roomOf) policy.Request {
	spec := &s.caj.Spec
	request := policy.Request{
		UID:                  string(s.caj.UID),
		Submitted:            s.caj.CreationTimestamp.Time,
		Now:                  s.now,
		MaxDelay:             maxDelay(s.caj),
		Duration:             durationOr(spec.ExpectedDuration, defaultExpectedDuration),
		MinimumSavingPercent: defaultSavingPercent,
		RunNow:               s.caj.Annotations[carbonv1alpha1.AnnotationRunNow] == "true",
	}
	if spec.Jitter != nil {
		request.Jitter = &spec.Jitter.Duration
	}
	if spec.MinimumSaving != nil && spec.MinimumSaving.Percent != nil {
		request.MinimumSavingPercent = float64(*spec.MinimumSaving.Percent)
	}
	until := s.latestStart()
	if until.Before(s.now) {
		until = s.now
	}
	until = until.Add(request.Duration).Add(time.Second) // starts are rounded up to whole seconds
	for _, r := range s.regions {
		region := policy.Region{Name: r.name, Estimate: r.estimateAt(s.now, until), Signal: r.signal(), Excluded: s.excluded(r)}
		if r.object != nil {
			region.Room = room(r.name, s.now, int(ptr.Deref(r.object.Spec.MaxStartsPerWindow, 0)), region.Estimate.Series)
		}
		request.Regions = append(request.Regions, region)
	}
	return request
}

// excluded says why a region cannot be chosen for this job; empty when it can.
func (s *scope) excluded(r regionFacts) string {
	if r.object == nil {
		return fmt.Sprintf("GridRegion %s does not exist", r.name)
	}
	if conflict := nodeSelectorConflict(templateOf(s.caj), r.object.Spec.Placement); conflict != "" {
		return conflict
	}
	if s.job == nil || r.object.Spec.Placement == nil {
		return ""
	}
	for _, e := range r.object.Spec.Placement.Env {
		if _, wired := s.job.Spec.Template.Annotations[envAnnotation(e.Name)]; !wired {
			return fmt.Sprintf("the Job was created before region %s set %s", r.name, e.Name)
		}
	}
	return ""
}

// planIsVoid says whether somebody changed what the old plan was made for, so that the new one counts
// whatever it saves.
func (s *scope) planIsVoid(old *carbonv1alpha1.PlanStatus, next policy.Plan) bool {
	specChanged := s.caj.Generation != s.caj.Status.ObservedGeneration
	runNow := next.Reason == policy.RunNow && old.Reason != string(policy.RunNow)
	if !specChanged && !runNow {
		return false
	}
	return old.Region != next.Region || !old.Start.Time.Equal(next.Start) && s.now.Before(old.Start.Time) ||
		!old.LatestStart.Time.Equal(s.latestStart())
}

func decisionOf(plan *carbonv1alpha1.PlanStatus) policy.Decision {
	return policy.Decision{Region: plan.Region, Start: plan.Start.Time, Improvements: int(plan.Improvements)}
}

func (s *scope) planStatus(old *carbonv1alpha1.PlanStatus, next policy.Plan) *carbonv1alpha1.PlanStatus {
	plan := &carbonv1alpha1.PlanStatus{
		Region:              next.Region,
		Start:               metav1.NewTime(next.Start),
		LatestStart:         metav1.NewTime(s.latestStart()),
		GramsPerKWh:         gramsDecimal(next.Grams),
		BaselineGramsPerKWh: gramsDecimal(next.NowGrams),
		Signal:              carbonv1alpha1.IntensitySignal(s.region(next.Region).signal()),
		Quality:             carbonv1alpha1.IntensityQuality(next.Quality),
		Reason:              string(next.Reason),
		Message:             truncate(next.Message()),
		DecidedAt:           metav1.NewTime(s.now),
	}
	if old != nil {
		plan.Improvements = old.Improvements
		if old.BaselineGramsPerKWh != "" {
			plan.BaselineGramsPerKWh = old.BaselineGramsPerKWh
		}
	}
	if !next.WindowStart.IsZero() {
		plan.WindowStart, plan.WindowEnd = timePointer(next.WindowStart), timePointer(next.WindowEnd)
	}
	for _, c := range next.Candidates {
		candidate := carbonv1alpha1.CandidateStatus{
			Region: c.Region, GramsPerKWh: gramsDecimal(c.Grams),
			Quality: carbonv1alpha1.IntensityQuality(c.Quality), Excluded: truncate(c.Excluded),
		}
		if !c.Start.IsZero() {
			candidate.Start = timePointer(c.Start)
		}
		plan.Candidates = append(plan.Candidates, candidate)
	}
	return plan
}

func timePointer(t time.Time) *metav1.Time {
	mt := metav1.NewTime(t)
	return &mt
}

// plannedModel is what the job asks for; until the start it is also what is going to be used.
func (s *scope) plannedModel() *carbonv1alpha1.ModelStatus {
	requested := requestedModel(s.caj.Spec.LLM, templateOf(s.caj))
	if requested == "" {
		return nil
	}
	return &carbonv1alpha1.ModelStatus{Requested: requested, Effective: requested}
}
