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

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// ModelTableReconciler tells, by Events on the ConfigMap that extends the table of models, what of it
// is used. Those who need the table read it themselves: a ConfigMap that changed is in force at once.
type ModelTableReconciler struct {
	Models   *ModelTable
	Client   client.Reader
	Recorder events.EventRecorder
}

// SetupWithManager registers the reconciler: it runs for changes of that one ConfigMap.
func (r *ModelTableReconciler) SetupWithManager(mgr ctrl.Manager) error {
	err := ctrl.NewControllerManagedBy(mgr).
		Named("modeltable").
		For(&corev1.ConfigMap{}, r.Models.changes()).
		Complete(r)
	if err != nil {
		return fmt.Errorf("setting up the controller of the table of models: %w", err)
	}
	return nil
}

// Reconcile reads the table and says what came of it.
func (r *ModelTableReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	if req.NamespacedName != r.Models.ConfigMap {
		return ctrl.Result{}, nil
	}
	facts, err := r.Models.read(ctx)
	if err != nil {
		return ctrl.Result{}, err
	}
	configMap := &corev1.ConfigMap{}
	if err := r.Client.Get(ctx, req.NamespacedName, configMap); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	kind, reason := corev1.EventTypeNormal, "ModelsRead"
	note := fmt.Sprintf("%d models of %d providers are known", len(facts.catalog.Models()), len(facts.catalog.Providers()))
	if facts.problem != nil {
		kind, reason = corev1.EventTypeWarning, "ModelsLeftOut"
		note += "; left out: " + oneLine(facts.problem)
	}
	ctrl.LoggerFrom(ctx).Info("Read the table of models", "result", note)
	r.Recorder.Eventf(configMap, nil, kind, reason, "ReadModels", "%s", truncate(note))
	return ctrl.Result{}, nil
}

// changes lets through the changes of the ConfigMap that extends the table.
func (t *ModelTable) changes() builder.Predicates {
	return builder.WithPredicates(
		predicate.ResourceVersionChangedPredicate{},
		predicate.NewPredicateFuncs(func(o client.Object) bool { return t != nil && client.ObjectKeyFromObject(o) == t.ConfigMap }))
}

// jobsOfModels are the jobs for which a change of the table of models can make a difference.
func jobsOfModels(c client.Reader) handler.MapFunc {
	return func(ctx context.Context, _ client.Object) []reconcile.Request {
		var jobs carbonv1alpha1.CarbonAwareJobList
		if err := c.List(ctx, &jobs, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "Cannot list the CarbonAwareJobs for a changed table of models")
			return nil
		}
		var requests []reconcile.Request
		for i := range jobs.Items {
			caj := &jobs.Items[i]
			if caresAboutModels(caj) && !recordIsFinal(caj) {
				requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: caj.Namespace, Name: caj.Name}})
			}
		}
		return requests
	}
}

// caresAboutModels says whether the energy of a job follows from the table of models.
func caresAboutModels(caj *carbonv1alpha1.CarbonAwareJob) bool {
	return caj.Spec.LLM != nil && caj.Spec.LLM.Workload != nil || isMetered(caj)
}
