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
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// CarbonBudgetReconciler counts what the jobs of a CarbonBudget have consumed and reserved, and
// keeps what deleted ones leave behind. It is the only writer of that status.
type CarbonBudgetReconciler struct {
	client.Client
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	Ledger   *Ledger
}

// countDelay is how long a budget waits for more news of its jobs before it is counted again: many
// jobs, one write.
const countDelay = time.Second

// +kubebuilder:rbac:groups=carbon.ecotracker.dev,resources=carbonbudgets,verbs=list;watch
// +kubebuilder:rbac:groups=carbon.ecotracker.dev,resources=carbonbudgets/status,verbs=patch

// SetupWithManager registers the reconciler: it runs for changes of a CarbonBudget's spec and, a
// moment later, for those of the jobs that count in it.
func (r *CarbonBudgetReconciler) SetupWithManager(mgr ctrl.Manager) error {
	err := ctrl.NewControllerManagedBy(mgr).
		Named("carbonbudget").
		For(&carbonv1alpha1.CarbonBudget{}, specChanges()).
		Watches(&carbonv1alpha1.CarbonAwareJob{}, budgetsOfJob(r.Ledger)).
		WithOptions(controller.Options{ReconciliationTimeout: reconcileTimeout}).
		Complete(r)
	if err != nil {
		return fmt.Errorf("setting up the CarbonBudget controller: %w", err)
	}
	return nil
}

// Reconcile counts the budget, and wakes up when its next period begins and when its limit is reached.
func (r *CarbonBudgetReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	now := r.Clock.Now()
	if err := r.Ledger.load(ctx, now); err != nil {
		return ctrl.Result{}, err
	}
	budget := &carbonv1alpha1.CarbonBudget{}
	if err := r.Get(ctx, req.NamespacedName, budget); err != nil {
		if apierrors.IsNotFound(err) {
			r.Ledger.dropBudget(req.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	r.Ledger.setBudget(budget, now)
	seen, ok := r.Ledger.viewOf(budget, now)
	if !ok {
		return ctrl.Result{}, nil
	}
	exhausted, again, err := r.terminate(ctx, budget, seen, now)
	if err != nil {
		return ctrl.Result{}, err
	}
	r.Ledger.exhaust(req.NamespacedName, exhausted)
	seen.exhausted = exhausted
	before := budget.DeepCopy()
	budget.Status = budgetStatus(budget, seen, now)
	if !equality.Semantic.DeepEqual(before.Status, budget.Status) {
		if err := patchStatus(ctx, r.Client, budget, before); err != nil {
			return ignoreConflict(err)
		}
		r.Ledger.setBudget(budget, now)
		recordBudget(r.Recorder, before, budget)
	}
	if period := budget.Status.Period; period != nil && (again.IsZero() || period.End.Time.Before(again)) {
		again = period.End.Time
	}
	if again.IsZero() {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{RequeueAfter: max(again.Sub(now), time.Millisecond)}, nil
}
