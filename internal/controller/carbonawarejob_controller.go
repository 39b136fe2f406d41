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
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// CarbonAwareJobReconciler plans CarbonAwareJobs, creates their Jobs, reserves their grams in
// budgets, follows the runs and records emissions. It is the only writer of their status. Due starts are the Starter's business.
type CarbonAwareJobReconciler struct {
	client.Client
	// APIReader asks the API server itself, where the cache must not be believed.
	APIReader client.Reader
	Recorder  events.EventRecorder
	Clock     clock.PassiveClock
	// Models tells the energy of workloads; nil stands for the built-in table.
	Models *ModelTable
	Ledger *Ledger
	// Budgets writes what the ledger grants.
	Budgets *CarbonBudgetReconciler
	// Starter starts what is due; nil when that is somebody else's business.
	Starter *Starter
	// MeterImage is the image of the metering sidecar; jobs that ask for one are refused without it.
	MeterImage string

	// departed are metered pods that were deleted.
	departed departed
	// starts are the planned ones of all jobs.
	starts roster
}

const (
	reconcileTimeout = time.Minute
	// planWorkers are not more, because an API server of two cores that has twice as many requests at a time is no
	// faster, and its watches, which get their turn among them, tell of everything seconds later (ADR 17).
	planWorkers = 16
	// firstPlanWorkers are what one namespace has of them until its passes have shown to be quick, and mostPlanWorkers
	// what it ever has.
	firstPlanWorkers, mostPlanWorkers = 4, 12
	// startingGrace is how long a start may be without a start time of the Job controller before it
	// is written down as such: usually the start time follows at once, and one write tells both.
	startingGrace = 3 * time.Second
)

// errStaleCache says that the cache lags behind the API server: try again in a moment.
var errStaleCache = errors.New("the cache lags behind the API server")

// +kubebuilder:rbac:groups=carbon.ecotracker.dev,resources=carbonawarejobs,verbs=get;list;watch;patch;delete
// +kubebuilder:rbac:groups=carbon.ecotracker.dev,resources=carbonawarejobs/status,verbs=patch
// +kubebuilder:rbac:groups=carbon.ecotracker.dev,resources=carbonawarejobs/finalizers,verbs=update
// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=get;list;watch;create;patch

// SetupWithManager registers the reconciler: it runs for CarbonAwareJobs, their Jobs, and the
// regions that unfinished ones name, and when budgets concern them.
func (r *CarbonAwareJobReconciler) SetupWithManager(mgr ctrl.Manager) error {
	if err := indexByRegion(context.Background(), mgr.GetFieldIndexer()); err != nil {
		return err
	}
	err := ctrl.NewControllerManagedBy(mgr).
		Named("carbonawarejob").
		For(&carbonv1alpha1.CarbonAwareJob{}, specChanges()).
		Owns(&batchv1.Job{}).
		Watches(&carbonv1alpha1.GridRegion{}, handler.EnqueueRequestsFromMapFunc(jobsOfRegion(r.Client))).
		Watches(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(jobsOfModels(r.Client)), r.Models.changes()).
		Watches(&carbonv1alpha1.CarbonBudget{}, jobsOfBudget(r.Ledger)).
		Watches(&corev1.Pod{}, r.podNews(mgr.Elected())).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: planWorkers, ReconciliationTimeout: reconcileTimeout, RateLimiter: retries(), NewQueue: r.newQueue,
		}).
		Complete(r)
	if err != nil {
		return fmt.Errorf("setting up the CarbonAwareJob controller: %w", err)
	}
	return nil
}

// newQueue is the queue of jobs to look at, which the Starter fills as well.
func (r *CarbonAwareJobReconciler) newQueue(name string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	queue := newFairQueue(name, limiter, firstPlanWorkers, mostPlanWorkers, clock.RealClock{})
	if r.Starter != nil {
		r.Starter.planner.Store(queue)
	}
	return queue
}

// Reconcile takes a CarbonAwareJob one pass further: facts, plan, Job, run, record, one status
// write, and only then the events and the release of what is on record.
func (r *CarbonAwareJobReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	caj := &carbonv1alpha1.CarbonAwareJob{}
	if err := r.Get(ctx, req.NamespacedName, caj); client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, err
	} else if err != nil {
		return r.releaseOrphan(ctx, req.NamespacedName)
	}
	if !caj.DeletionTimestamp.IsZero() {
		r.starts.drop(caj.UID)
		return r.finalize(ctx, caj)
	}
	whole, err := r.ensureFinalizer(ctx, caj)
	if err != nil {
		return ignoreConflict(err)
	}
	if wait := r.afterStarts(ctx, caj); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	before := caj.DeepCopy()
	s, err := r.gather(ctx, caj)
	if err != nil {
		return ctrl.Result{}, err
	}
	s.whole = whole
	s.enterStart()
	s.plan()
	if err := r.act(ctx, s); errors.Is(err, errStaleCache) {
		return ctrl.Result{RequeueAfter: conflictRetry}, nil
	} else if err != nil {
		return ignoreConflict(err)
	}
	s.summarize()
	s.renew(before)
	if wait := s.startSettles(); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	if err := r.write(ctx, s, before); err != nil {
		return ignoreConflict(err)
	}
	if err := r.settle(ctx, s); err != nil {
		return ignoreConflict(err)
	}
	return s.result(), nil
}

// act does what the plan and the spec ask for, and takes over what became of the Job and its budgets.
func (r *CarbonAwareJobReconciler) act(ctx context.Context, s *scope) error {
	for _, step := range []func(context.Context, *scope) error{r.ensureJob, r.adoptStart, r.followSuspend} {
		if err := step(ctx, s); err != nil {
			return err
		}
	}
	s.observe()
	if err := r.followMeters(ctx, s); err != nil {
		return err
	}
	if err := r.reserve(ctx, s); err != nil {
		return err
	}
	return r.breaker(ctx, s)
}

// write is the one status write of a pass; nothing new writes nothing.
func (r *CarbonAwareJobReconciler) write(ctx context.Context, s *scope, before *carbonv1alpha1.CarbonAwareJob) error {
	if equality.Semantic.DeepEqual(before.Status, s.caj.Status) {
		return nil
	}
	if err := patchStatus(ctx, r.Client, s.caj, before); err != nil {
		return err
	}
	record(r.Recorder, before, s.caj)
	countRecord(before, s.caj)
	countStop(before, s.caj)
	ready := findCondition(s.caj.Status.Conditions, carbonv1alpha1.ConditionReady)
	ctrl.LoggerFrom(ctx).Info("Wrote status", "status", ready.Reason, "message", ready.Message)
	return nil
}

// settle does what must follow the status write: the ledger hears of it, the Job is let go once its run is on record, and
// an expired CarbonAwareJob is deleted.
func (r *CarbonAwareJobReconciler) settle(ctx context.Context, s *scope) error {
	r.Ledger.note(s.caj)
	if err := r.markCounted(ctx, s); err != nil {
		return err
	}
	if s.job != nil && s.finished() && s.meterSettled() {
		if err := r.releaseJob(ctx, s.job); err != nil {
			return err
		}
	}
	return r.expire(ctx, s)
}

// followSuspend pauses and resumes a started Job as spec.suspend says. A Job in a Kueue queue
// belongs to Kueue.
func (r *CarbonAwareJobReconciler) followSuspend(ctx context.Context, s *scope) error {
	if !isStartIssued(s.job) || isStopped(s.job) || queueOf(s.caj) != "" || finishedCondition(s.job) != nil || !s.job.DeletionTimestamp.IsZero() {
		return nil
	}
	want := ptr.Deref(s.caj.Spec.Suspend, false)
	if isSuspended(s.job) == want {
		return nil
	}
	before := s.job.DeepCopy()
	s.job.Spec.Suspend = new(want)
	if err := r.Patch(ctx, s.job, lockedPatch(before)); err != nil {
		return fmt.Errorf("setting suspend of the Job to %t: %w", want, err)
	}
	return nil
}

// startSettles is how long to wait for the Job controller to stamp a start that was just issued,
// so that one write tells both; zero when there is nothing to wait for.
func (s *scope) startSettles() time.Duration {
	if !isStartIssued(s.job) || isSuspended(s.job) || s.job.Status.StartTime != nil {
		return 0
	}
	since := s.now.Sub(startRecordOf(s.job).At)
	if since < 0 { // the clock was set back
		return 0
	}
	return startingGrace - since
}

func (s *scope) result() ctrl.Result {
	if s.wake.IsZero() {
		return ctrl.Result{}
	}
	return ctrl.Result{RequeueAfter: max(s.wake.Sub(s.now), time.Millisecond)}
}
