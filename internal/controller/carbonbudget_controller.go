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
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// CarbonBudgetReconciler counts what the jobs of a CarbonBudget have consumed and reserved, and
// keeps what deleted ones leave behind. It is the only writer of that status.
type CarbonBudgetReconciler struct {
	client.Client
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	Ledger   *Ledger

	// passes has a *sync.Mutex for every budget: one pass at a time.
	passes sync.Map
}

// countDelay is how long a budget waits for more news of its jobs before it is counted again: many
// jobs, one write.
const countDelay = time.Second

// countWorkers count budgets, of one namespace one at first and mostCountWorkers at a time.
const countWorkers, mostCountWorkers = 4, 3

// +kubebuilder:rbac:groups=carbon.ecotracker.dev,resources=carbonbudgets,verbs=list;watch
// +kubebuilder:rbac:groups=carbon.ecotracker.dev,resources=carbonbudgets/status,verbs=patch

// SetupWithManager registers the reconciler: it runs for changes of a CarbonBudget's spec and, a
// moment later, for those of the jobs that count in it.
func (r *CarbonBudgetReconciler) SetupWithManager(mgr ctrl.Manager) error {
	err := ctrl.NewControllerManagedBy(mgr).
		Named("carbonbudget").
		For(&carbonv1alpha1.CarbonBudget{}, specChanges()).
		Watches(&carbonv1alpha1.CarbonAwareJob{}, budgetsOfJob(r.Ledger)).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: countWorkers, ReconciliationTimeout: reconcileTimeout, RateLimiter: retries(), NewQueue: r.newQueue,
		}).
		Complete(r)
	if err != nil {
		return fmt.Errorf("setting up the CarbonBudget controller: %w", err)
	}
	return nil
}

// newQueue is the queue of budgets to count, which the ledger fills as well.
func (r *CarbonBudgetReconciler) newQueue(name string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	queue := newFairQueue(name, limiter, 1, mostCountWorkers, clock.RealClock{})
	r.Ledger.listen(func(key types.NamespacedName) { queue.AddAfter(reconcile.Request{NamespacedName: key}, countDelay) })
	return queue
}

// Reconcile counts the budget, and wakes up when its next period begins and when its limit is reached.
func (r *CarbonBudgetReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	defer r.lock(req.NamespacedName)()
	again, err := r.pass(ctx, req.NamespacedName)
	switch {
	case errors.Is(err, errStaleCache):
		return ctrl.Result{RequeueAfter: conflictRetry}, nil
	case apierrors.IsNotFound(err):
		return ctrl.Result{}, nil
	case err != nil:
		return ignoreConflict(err)
	case again.IsZero():
		return ctrl.Result{}, nil
	}
	return ctrl.Result{RequeueAfter: max(again.Sub(r.Clock.Now()), time.Millisecond)}, nil
}

// grant writes into the status of budgets that they have granted room to a job. Whoever waits here for the
// pass of another job finds its own grant written by that as well.
func (r *CarbonBudgetReconciler) grant(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob, v verdict) error {
	switch {
	case v.stale:
		return errStaleCache
	case len(v.unwritten) == 0:
		return nil
	}
	for _, name := range v.unwritten {
		if err := r.grantIn(ctx, caj, v, types.NamespacedName{Namespace: caj.Namespace, Name: name}); err != nil {
			return err
		}
	}
	if !r.Ledger.isGranted(caj, v) {
		return errStaleCache
	}
	return nil
}

func (r *CarbonBudgetReconciler) grantIn(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob, v verdict, key types.NamespacedName) error {
	defer r.lock(key)()
	if r.Ledger.isGranted(caj, v) {
		return nil
	}
	if _, err := r.pass(ctx, key); apierrors.IsNotFound(err) {
		return errStaleCache // it has gone: the job asks those that are left
	} else if err != nil {
		return fmt.Errorf("granting room in CarbonBudget %s: %w", key, err)
	}
	return nil
}

// lock begins a pass over a budget, and returns what ends it.
func (r *CarbonBudgetReconciler) lock(key types.NamespacedName) func() {
	mutex, _ := r.passes.LoadOrStore(key, &sync.Mutex{})
	mutex.(*sync.Mutex).Lock()
	return mutex.(*sync.Mutex).Unlock
}

// pass grants held jobs what room there is, counts the budget and writes its status. It returns when to
// count again.
func (r *CarbonBudgetReconciler) pass(ctx context.Context, key types.NamespacedName) (time.Time, error) {
	now := r.Clock.Now()
	if err := r.Ledger.load(ctx, key.Namespace, now); err != nil {
		return time.Time{}, err
	}
	budget, err := r.led(ctx, key, now)
	if err != nil {
		if apierrors.IsNotFound(err) {
			if err := r.Ledger.miss(ctx, key); err != nil {
				return time.Time{}, err
			}
		}
		return time.Time{}, err
	}
	r.Ledger.setBudget(budget, now)
	seen, ok := r.Ledger.viewOf(budget, now)
	if !ok {
		return time.Time{}, nil
	}
	exhausted, again, err := r.terminate(ctx, budget, seen, now)
	if err != nil {
		return time.Time{}, err
	}
	r.Ledger.exhaust(key, exhausted)
	seen.exhausted = exhausted
	before := budget.DeepCopy()
	budget.Status = budgetStatus(budget, seen, now)
	if !equality.Semantic.DeepEqual(before.Status, budget.Status) {
		if err := patchStatus(ctx, r.Client, budget, before); err != nil {
			return time.Time{}, fmt.Errorf("writing the status of CarbonBudget %s: %w", key, err)
		}
		r.Ledger.setBudget(budget, now)
		recordBudget(r.Recorder, before, budget)
	}
	if period := budget.Status.Period; period != nil && (again.IsZero() || period.End.Time.Before(again)) {
		again = period.End.Time
	}
	return again, nil
}

// led is a budget whose leader is this process: one that is new, or that another process has taken over,
// is taken over first.
func (r *CarbonBudgetReconciler) led(ctx context.Context, key types.NamespacedName, now time.Time) (*carbonv1alpha1.CarbonBudget, error) {
	budget := &carbonv1alpha1.CarbonBudget{}
	if err := r.Get(ctx, key, budget); err != nil || r.Ledger.leads(budget) {
		return budget, err
	}
	if r.Ledger.knowsLater(budget) { // the cache has not seen yet that this process leads
		return budget, errStaleCache
	}
	if err := r.Ledger.takeOver(ctx, key.Namespace, now); err != nil {
		return budget, err
	}
	if err := r.Get(ctx, key, budget); err != nil || r.Ledger.leads(budget) {
		return budget, err
	}
	return budget, errStaleCache
}
