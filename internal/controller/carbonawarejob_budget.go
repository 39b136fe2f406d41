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
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// holdRetry is how often a held job looks for room by itself. News of its budgets comes by watch;
// this is for news that was missed.
const holdRetry = 5 * time.Minute

// reserve sets the grams of the run aside in every budget that matches, shortly before the start,
// or holds the job. The reservation is part of the status that this pass writes: the Starter starts
// no budgeted job without it.
func (r *CarbonAwareJobReconciler) reserve(ctx context.Context, s *scope) error {
	if err := r.Ledger.load(ctx, s.caj.Namespace, s.now); err != nil {
		return err
	}
	if s.finished() || s.jobGone {
		return nil
	}
	budgeted := r.Ledger.budgeted(s.caj.Namespace, s.caj.Labels)
	switch {
	case s.started():
		r.force(s, budgeted)
	case s.caj.Status.ReservedGrams != "":
		return r.giveBack(ctx, s)
	case s.caj.Spec.MaxGrams != nil && s.claim() == unknownGrams:
		r.Ledger.withdraw(s.caj)
		s.set(carbonv1alpha1.ConditionWithinBudget, metav1.ConditionFalse, carbonv1alpha1.ReasonEnergyUnknown,
			"spec.maxGrams holds the job, because its energy is unknown and cannot be watched: the condition EnergyKnown says what is missing")
	case budgeted && s.isDue():
		if err := r.ask(ctx, s); err != nil {
			return err
		}
	default:
		r.withdraw(s, budgeted)
	}
	s.renews = r.isGrantedElsewhere(s)
	return nil
}

// isGrantedElsewhere says whether budgets say that a job was granted room which its own status does not have.
func (r *CarbonAwareJobReconciler) isGrantedElsewhere(s *scope) bool {
	return !s.started() && s.caj.Status.ReservedGrams == "" && r.Ledger.bound(s.caj)
}

// force sets the grams aside of a job that runs already, whatever room there is: what it lacks, or needs by now.
func (r *CarbonAwareJobReconciler) force(s *scope, budgeted bool) {
	lacks := s.caj.Status.ReservedGrams == "" || s.needsMore() && s.claim() != unknownGrams
	if budgeted && lacks && !s.countsNothing() {
		grams := s.claim()
		s.setReserved(r.Ledger.force(s.caj, grams), grams)
	}
}

// ask asks the budgets for the grams of a job whose start has come, and writes what they grant into them first.
func (r *CarbonAwareJobReconciler) ask(ctx context.Context, s *scope) error {
	verdict := r.Ledger.reserve(s.caj, s.claim(), s.now)
	if err := r.Budgets.grant(ctx, s.caj, verdict); err != nil {
		return err
	}
	s.follow(verdict)
	return nil
}

// renew makes sure that the status differs from before when it must be written: by that, no other process
// can write what it was granted for the former state of the job.
func (s *scope) renew(before *carbonv1alpha1.CarbonAwareJob) {
	if !s.renews || !equality.Semantic.DeepEqual(before.Status, s.caj.Status) {
		return
	}
	ready := findCondition(s.caj.Status.Conditions, carbonv1alpha1.ConditionReady)
	ready.LastTransitionTime = metav1.NewTime(ready.LastTransitionTime.Add(max(time.Second, s.now.Sub(ready.LastTransitionTime.Time))))
	s.wakeAt(s.now)
}

// withdraw gives up what the job asked for, and wakes it when its time to ask comes.
func (r *CarbonAwareJobReconciler) withdraw(s *scope, budgeted bool) {
	r.Ledger.withdraw(s.caj)
	meta.RemoveStatusCondition(&s.caj.Status.Conditions, carbonv1alpha1.ConditionWithinBudget)
	if budgeted && s.caj.Status.Plan != nil {
		if due := s.caj.Status.Plan.Start.Add(-policy.Freeze); due.After(s.now) {
			s.wakeAt(due)
		}
	}
}

// countsNothing says whether it is settled that budgets cannot count this run: they only warn, and
// its energy is unknown.
func (s *scope) countsNothing() bool {
	c := findCondition(s.caj.Status.Conditions, carbonv1alpha1.ConditionWithinBudget)
	return c != nil && c.Status == metav1.ConditionUnknown
}

// isDue says whether nothing but room in its budgets keeps the job from starting: from Freeze before
// its planned start on, when that does not move any more.
func (s *scope) isDue() bool {
	plan := s.caj.Status.Plan
	return s.blocked == nil && plan != nil && s.caj.Status.Job != nil && s.job != nil && s.job.DeletionTimestamp.IsZero() &&
		!ptr.Deref(s.caj.Spec.Suspend, false) && plan.Start.Sub(s.now) <= policy.Freeze
}

// follow puts the ledger's answer into status.
func (s *scope) follow(v verdict) {
	if len(v.budgets) == 0 {
		return
	}
	if v.held == nil {
		s.setReserved(v.budgets, v.granted)
		return
	}
	s.wakeAt(s.now.Add(holdRetry))
	if !v.held.until.IsZero() {
		s.wakeAt(v.held.until)
	}
	reason := carbonv1alpha1.ReasonBudgetHold
	if v.held.grams == unknownGrams {
		reason = carbonv1alpha1.ReasonEnergyUnknown
	}
	c := findCondition(s.caj.Status.Conditions, carbonv1alpha1.ConditionWithinBudget)
	if v.told && c != nil && c.Status == metav1.ConditionFalse && c.Reason == reason {
		return
	}
	s.set(carbonv1alpha1.ConditionWithinBudget, metav1.ConditionFalse, reason, v.held.message())
}

func (s *scope) setReserved(budgets []string, grams estimate.Nanograms) {
	if grams == unknownGrams {
		s.set(carbonv1alpha1.ConditionWithinBudget, metav1.ConditionUnknown, carbonv1alpha1.ReasonEnergyUnknown,
			fmt.Sprintf("CarbonBudget %s cannot count the run, because its energy is unknown: the condition EnergyKnown says more", strings.Join(budgets, ", ")))
		return
	}
	s.caj.Status.ReservedGrams, s.caj.Status.ReservedIn = carbonv1alpha1.Decimal(grams.String()), budgets[:min(len(budgets), maxReservedIn)]
	s.set(carbonv1alpha1.ConditionWithinBudget, metav1.ConditionTrue, carbonv1alpha1.ReasonReserved,
		fmt.Sprintf("%s g are set aside in CarbonBudget %s", grams, strings.Join(budgets, ", ")))
}

// dropReservation gives up what was set aside for a run once its emissions are known.
func (s *scope) dropReservation() {
	if !s.finished() {
		return
	}
	if s.caj.Status.Emissions != nil || s.caj.Status.Job == nil || len(s.caj.Status.Job.Runs) == 0 {
		s.caj.Status.ReservedGrams, s.caj.Status.ReservedIn = "", nil
	}
}

// message says which budget holds the job, by how much, and when it may start.
func (h hold) message() string {
	next := "; it never begins anew"
	if !h.until.IsZero() {
		next = "; its next period begins at " + stamp(h.until)
	}
	switch {
	case h.grams == unknownGrams:
		return fmt.Sprintf("CarbonBudget %s holds the job, because its energy is unknown and cannot be checked: set spec.energy or spec.llm.workload (the condition EnergyKnown says more), or let the budget only warn",
			h.budget)
	case h.tooMany > 0:
		return fmt.Sprintf("the job counts in %d CarbonBudgets, and no more than %d can set grams aside for one: narrow their selectors, or change the labels of the job",
			h.tooMany, maxReservedIn)
	case h.grams > h.limit:
		return fmt.Sprintf("CarbonBudget %s holds the job: it needs %s g, more than the whole limit of %s g; raise the limit", h.budget, h.grams, h.limit)
	case h.grams <= h.left:
		return fmt.Sprintf("CarbonBudget %s holds the job: it needs %s g, and jobs that have waited longer come first%s", h.budget, h.grams, next)
	}
	return fmt.Sprintf("CarbonBudget %s holds the job: it needs %s g, %s g more than the %s of %s g that are left; it starts as soon as there is room%s",
		h.budget, h.grams, h.grams-h.left, h.left, h.limit, next)
}

// claim is what a run is expected to emit that starts now, or at its planned start, with the model
// that it asks for; unknownGrams when its energy is unknown.
func (s *scope) claim() estimate.Nanograms {
	name, at := "", s.now
	if plan := s.caj.Status.Plan; plan != nil {
		name = plan.Region
		if plan.Start.After(at) {
			at = plan.Start.Time
		}
	}
	requested := requestedModel(s.caj.Spec.LLM, templateOf(s.caj))
	grams, known := expectedGrams(s.caj, s.region(name), requested, at, s.models)
	most := maxGrams(s.caj)
	switch {
	case most != nil && meterMode(s.caj) == carbonv1alpha1.MeterEnforce && !known:
		return *most // the meter refuses to pass it
	case !known:
		return unknownGrams
	case most != nil:
		return min(grams, *most) // the breaker sees to that
	}
	return grams
}
