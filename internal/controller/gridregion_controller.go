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
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/metrics"
)

// GridRegionReconciler keeps the carbon intensity in the status of GridRegions up to date. It is
// the only writer of that status.
type GridRegionReconciler struct {
	client.Client
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// Secrets reads from the API server itself.
	Secrets client.Reader
	// Namespace is the operator's own: ConfigMaps and Secrets are read from nowhere else.
	Namespace string
	polls     poller
	accounts  accounts
}

// readWorkers is how many regions are read at once: a source that is slow to answer must not keep
// other regions waiting.
const readWorkers = 8

// NewGridRegionReconciler is one that asks sources over the network through the given client; see
// forecast.NewClient.
func NewGridRegionReconciler(c client.Client, secrets client.Reader, recorder events.EventRecorder, now clock.PassiveClock,
	namespace string, sources *http.Client,
) *GridRegionReconciler {
	return &GridRegionReconciler{
		Client: c, Secrets: secrets, Recorder: recorder, Clock: now, Namespace: namespace, polls: poller{client: sources},
	}
}

// retrySource is how long a source that failed is left alone when nothing announces its return.
const retrySource = time.Minute

// +kubebuilder:rbac:groups=carbon.ecotracker.dev,resources=gridregions,verbs=list;watch
// +kubebuilder:rbac:groups=carbon.ecotracker.dev,resources=gridregions/status,verbs=patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// SetupWithManager registers the reconciler: it runs for changes of a GridRegion's spec and of the
// ConfigMaps that hold traces.
func (r *GridRegionReconciler) SetupWithManager(mgr ctrl.Manager) error {
	err := ctrl.NewControllerManagedBy(mgr).
		Named("gridregion").
		For(&carbonv1alpha1.GridRegion{}, specChanges()).
		Watches(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(r.regionsOfConfigMap)).
		WithOptions(controller.Options{MaxConcurrentReconciles: readWorkers, ReconciliationTimeout: 2 * reconcileTimeout, RateLimiter: retries()}).
		Complete(r)
	if err != nil {
		return fmt.Errorf("setting up the GridRegion controller: %w", err)
	}
	return nil
}

// Reconcile reads the region's source and writes what it says into status.
func (r *GridRegionReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	region := &carbonv1alpha1.GridRegion{}
	if err := r.Get(ctx, req.NamespacedName, region); err != nil {
		if apierrors.IsNotFound(err) {
			metrics.DeleteRegion(req.Name)
			r.polls.forget(req.Name)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !region.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	now := r.Clock.Now()
	seen, problem, err := r.observe(ctx, region, now)
	if err != nil {
		return ctrl.Result{}, err
	}
	before := region.DeepCopy()
	region.Status = regionStatus(region, seen, problem, now)
	if !equality.Semantic.DeepEqual(before.Status, region.Status) {
		if err := patchStatus(ctx, r.Client, region, before); err != nil {
			return ignoreConflict(err)
		}
		r.recordTransition(before, region)
	}
	measure(region)
	wait := nextRead(region, problem, now)
	if !seen.again.IsZero() {
		if problem != nil && region.Status.Forecast == nil {
			wait = seen.again.Sub(now)
		}
		wait = min(wait, seen.again.Sub(now))
	}
	return ctrl.Result{RequeueAfter: wait}, nil
}

// nextRead is when the present slot ends. A source that failed is announced by the watch on its
// ConfigMap; it is tried again now and then all the same.
func nextRead(region *carbonv1alpha1.GridRegion, problem *sourceProblem, now time.Time) time.Duration {
	if region.Spec.Source.Static != nil {
		return 0
	}
	if region.Status.Forecast == nil {
		return retrySource
	}
	series := seriesOf(&region.Status.Forecast.SeriesStatus)
	end, ok := series.SlotEnd(now)
	if !ok && now.Before(series.Start) {
		end, ok = series.Start, true
	}
	if !ok || problem != nil && end.Sub(now) > retrySource {
		return retrySource
	}
	return end.Sub(now)
}

// recordTransition tells of changes of readiness and freshness or of their reasons, each reason once, and of
// another fallback that speaks.
func (r *GridRegionReconciler) recordTransition(before, after *carbonv1alpha1.GridRegion) {
	told := ""
	for _, conditionType := range []string{carbonv1alpha1.RegionFresh, carbonv1alpha1.RegionReady} {
		was := findCondition(before.Status.Conditions, conditionType)
		is := findCondition(after.Status.Conditions, conditionType)
		if is == nil || is.Reason == told || was != nil && was.Status == is.Status && was.Reason == is.Reason && !isAnotherFallback(is, before, after) {
			continue
		}
		kind := corev1.EventTypeNormal
		if is.Status != metav1.ConditionTrue {
			kind = corev1.EventTypeWarning
		}
		r.Recorder.Eventf(after, nil, kind, is.Reason, "ReadSource", "%s", is.Message)
		told = is.Reason
	}
}

// isAnotherFallback says whether the condition is about a fallback other than the one that spoke before.
func isAnotherFallback(is *metav1.Condition, before, after *carbonv1alpha1.GridRegion) bool {
	was, now := before.Status.Forecast, after.Status.Forecast
	return is.Reason == carbonv1alpha1.ReasonFallbackInUse && was != nil && now != nil && was.Source != now.Source
}

// regionsOfConfigMap are the GridRegions whose trace is in the ConfigMap.
func (r *GridRegionReconciler) regionsOfConfigMap(ctx context.Context, object client.Object) []reconcile.Request {
	if object.GetNamespace() != r.Namespace {
		return nil
	}
	var regions carbonv1alpha1.GridRegionList
	if err := r.List(ctx, &regions); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Cannot list GridRegions for a changed ConfigMap")
		return nil
	}
	var requests []reconcile.Request
	for _, region := range regions.Items {
		for _, source := range append([]carbonv1alpha1.IntensitySource{region.Spec.Source}, region.Spec.Fallbacks...) {
			if source.Trace != nil && source.Trace.ConfigMapRef.Name == object.GetName() {
				requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Name: region.Name}})
				break
			}
		}
	}
	return requests
}
