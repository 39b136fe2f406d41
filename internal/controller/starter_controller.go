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
	"slices"
	"sync/atomic"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/metrics"
)

// Starter starts the Jobs whose time has come, each with one patch. It has its own queue and
// workers, so that planning, however much of it there is, cannot delay a start. It writes no
// status: what it decided stands on the Job, and the CarbonAwareJobReconciler takes it from there.
type Starter struct {
	client.Client
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	Ledger   *Ledger
	// Vigil tells when another process may lead by now, and APIReader asks the API server itself then.
	Vigil     *Vigil
	APIReader client.Reader

	queue atomic.Pointer[fairQueue]
	// planner is the queue of jobs to look at: those that must ask budgets for room, and followers.
	planner atomic.Pointer[fairQueue]
	// followers are those of which no more than their start is to be told, which waits for other starts.
	followers followers
	// overdue are those whose start was due while nobody could make it.
	overdue overdue
	// refused are those whose start the API server refused.
	refused refusals
}

const (
	startWorkers = 50
	// mostStartWorkers are what one namespace has of them.
	mostStartWorkers = 43
	// jobNotSeen is how long to wait for the cache to show a Job that is on record.
	jobNotSeen = 200 * time.Millisecond
	// roomLook is how often a job that is due looks whether there still is a budget that must grant it room.
	roomLook = 30 * time.Second
)

// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=patch

// SetupWithManager registers the starter: it runs for every change of a CarbonAwareJob, its own
// status included, because that is where plans are.
func (r *Starter) SetupWithManager(mgr ctrl.Manager) error {
	wake := make(chan ctrlevent.GenericEvent)
	if err := mgr.Add(&alarm{reader: r.Client, shown: r.Clock, steady: clock.RealClock{}, wake: wake}); err != nil {
		return fmt.Errorf("setting up the alarm of the starter: %w", err)
	}
	err := ctrl.NewControllerManagedBy(mgr).
		Named("starter").
		For(&carbonv1alpha1.CarbonAwareJob{}).
		WatchesRawSource(source.Channel(wake, &handler.EnqueueRequestForObject{})).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: startWorkers, ReconciliationTimeout: reconcileTimeout, RateLimiter: retries(), NewQueue: r.newQueue,
		}).
		Complete(r)
	if err != nil {
		return fmt.Errorf("setting up the starter: %w", err)
	}
	return nil
}

func (r *Starter) newQueue(name string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	queue := newFairQueue(name, limiter, mostStartWorkers, mostStartWorkers, clock.RealClock{})
	r.queue.Store(queue)
	return queue
}

// Due is how many jobs the Starter has not looked at yet although it is time to. A nil Starter has none.
func (r *Starter) Due() int {
	if r == nil {
		return 0
	}
	if queue := r.queue.Load(); queue != nil {
		return queue.Len()
	}
	return 0
}

// Reconcile starts the Job if its time has come, and else wakes up when it comes. What is overdue takes turns in the
// order in which it was due.
func (r *Starter) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	if req == probe {
		return r.ask(ctx), nil
	}
	defer r.follow()
	now := r.Clock.Now()
	if err := r.overdue.fill(ctx, r.Client, now, r.call); err != nil {
		return ctrl.Result{}, err
	}
	if r.called(req) {
		return ctrl.Result{}, nil
	}
	r.overdue.forget(req.NamespacedName)
	caj := &carbonv1alpha1.CarbonAwareJob{}
	if err := r.Get(ctx, req.NamespacedName, caj); client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, err
	}
	if !awaitsStart(caj) { // nor does one that is gone
		r.refused.drop(req.NamespacedName)
		return ctrl.Result{}, nil
	}
	if wait := caj.Status.Plan.Start.Sub(now); wait > 0 {
		r.refused.drop(req.NamespacedName)
		return ctrl.Result{RequeueAfter: wait}, nil // or when the alarm goes off
	}
	result, err := r.startDue(ctx, caj, now)
	if err != nil {
		r.failed(req, caj, now)
	}
	return result, err
}

// startDue starts the Job of a job whose time has come, unless something else keeps it from that.
func (r *Starter) startDue(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob, now time.Time) (ctrl.Result, error) {
	if held, err := r.awaitsRoom(ctx, caj, now); err != nil {
		return ctrl.Result{}, err
	} else if held {
		// The write of the reservation brings it back here, but not a job whose last budget goes before it is asked.
		r.remind(caj)
		return ctrl.Result{RequeueAfter: roomLook}, nil
	}
	job := &batchv1.Job{}
	if err := r.Get(ctx, client.ObjectKeyFromObject(caj), job); client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, err
	}
	return r.startOurs(ctx, caj, job, now)
}

// startOurs starts a Job whose time has come, if it is the job's own and nothing was taken back.
func (r *Starter) startOurs(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob, job *batchv1.Job, now time.Time) (ctrl.Result, error) {
	if !isOurs(job, caj) { // nor is an empty one
		return ctrl.Result{RequeueAfter: jobNotSeen}, nil
	}
	if isStartIssued(job) || !job.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	if isGivenBack(job, caj) || !r.Ledger.mayStart(caj) {
		return ctrl.Result{RequeueAfter: jobNotSeen}, nil
	}
	if r.overdue.park(caj) {
		return ctrl.Result{RequeueAfter: patience}, nil // or when the API server is back
	}
	if fresh, err := r.isFresh(ctx, caj); err != nil || !fresh {
		return ctrl.Result{RequeueAfter: jobNotSeen}, err
	}
	return r.start(ctx, caj, job, now)
}

// awaitsStart says whether the job has a plan and a Job, and nothing but its time is missing.
func awaitsStart(caj *carbonv1alpha1.CarbonAwareJob) bool {
	return caj.DeletionTimestamp.IsZero() && !ptr.Deref(caj.Spec.Suspend, false) &&
		caj.Status.Plan != nil && caj.Status.Job != nil && caj.Status.ObservedGeneration == caj.Generation &&
		!isTrue(caj.Status.Conditions, carbonv1alpha1.ConditionStarted) &&
		!isTrue(caj.Status.Conditions, carbonv1alpha1.ConditionFailed)
}

// awaitsRoom says whether the job counts in a budget and has no reservation yet, or is held.
func (r *Starter) awaitsRoom(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob, now time.Time) (bool, error) {
	if err := r.Ledger.load(ctx, caj.Namespace, now); err != nil {
		return false, err
	}
	within := findCondition(caj.Status.Conditions, carbonv1alpha1.ConditionWithinBudget)
	if within == nil {
		return r.Ledger.budgeted(caj.Namespace, caj.Labels), nil
	}
	return within.Status == metav1.ConditionFalse && (caj.Spec.MaxGrams != nil || r.Ledger.budgeted(caj.Namespace, caj.Labels)), nil
}

// isFresh says whether it is certain that no budget counts a job that is about to start without a reservation.
// A process that was stopped for long has not seen budgets that came meanwhile, and what another leader has
// done with the job. A job with a reservation needs no such look: the API server refuses its start if it was
// given back.
func (r *Starter) isFresh(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob) (bool, error) {
	if caj.Status.ReservedGrams != "" || !r.Vigil.inDoubt() {
		return true, nil
	}
	found := &carbonv1alpha1.CarbonAwareJob{}
	if err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(caj), found); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	var budgets carbonv1alpha1.CarbonBudgetList
	if err := r.APIReader.List(ctx, &budgets, client.InNamespace(caj.Namespace)); err != nil {
		return false, fmt.Errorf("listing CarbonBudgets after a silence: %w", err)
	}
	known := r.Ledger.budgetsOf(caj.Namespace, caj.Labels)
	for i := range budgets.Items {
		if b := newAccount(&budgets.Items[i], r.Clock.Now()); b.matches(caj.Labels) && (b.enforced || !slices.Contains(known, b.name)) {
			return false, nil
		}
	}
	return found.ResourceVersion == caj.ResourceVersion, nil
}

func (r *Starter) start(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob, job *batchv1.Job, now time.Time) (ctrl.Result, error) {
	region := regionFacts{name: caj.Status.Plan.Region}
	if region.name != "" {
		regions, err := findRegions(ctx, r.Client, []string{region.name})
		if err != nil {
			return ctrl.Result{}, err
		}
		region = regions[0]
	}
	patch, started, err := startPatch(caj, job, region, decideStart(caj, region, now))
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := r.Patch(ctx, started, patch); err != nil {
		if refused(err) || apierrors.IsNotFound(err) { // the word of a webhook, or the Job is gone
			r.Recorder.Eventf(caj, nil, corev1.EventTypeWarning, "StartRefused", "Start", "%s", truncate("the API server refused the start: "+err.Error()))
			if !lacksRights(err) {
				return ctrl.Result{RequeueAfter: r.refused.pause(client.ObjectKeyFromObject(caj), now)}, nil
			}
		}
		if apierrors.IsConflict(err) {
			return ignoreConflict(err)
		}
		return ctrl.Result{}, fmt.Errorf("starting Job %s: %w", client.ObjectKeyFromObject(job), err)
	}
	late := r.Clock.Since(caj.Status.Plan.Start.Time)
	metrics.JobStarted(late)
	ctrl.LoggerFrom(ctx).Info("Started Job", "region", region.name, "planned", caj.Status.Plan.Start.UTC(), "lateness", late.String())
	return ctrl.Result{}, nil
}
