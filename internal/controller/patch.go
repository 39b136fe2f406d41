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
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// conflictRetry is how long to wait for the cache after a write met a newer object.
const conflictRetry = 100 * time.Millisecond

// patchStatus writes the status of after over that of before, and only if nobody wrote the object
// since it was read: what was decided on an old object must not overwrite a newer one.
func patchStatus(ctx context.Context, c client.StatusClient, after, before client.Object) error {
	return c.Status().Patch(ctx, after, statusPatch{before})
}

// statusPatch is a lockedPatch of two objects that differ in their status alone: the rest, which is most of them, is not
// written out to be compared.
type statusPatch struct{ before client.Object }

// Type is that of a merge patch.
func (statusPatch) Type() types.PatchType { return types.MergePatchType }

// Data is the patch as JSON.
func (p statusPatch) Data(after client.Object) ([]byte, error) {
	return lockedPatch(onlyStatus(p.before)).Data(onlyStatus(after))
}

// onlyStatus is an object with the status and the resource version of another, and nothing else.
func onlyStatus(o client.Object) client.Object {
	version := metav1.ObjectMeta{ResourceVersion: o.GetResourceVersion()}
	switch o := o.(type) {
	case *carbonv1alpha1.CarbonAwareJob:
		return &carbonv1alpha1.CarbonAwareJob{ObjectMeta: version, Status: o.Status}
	case *carbonv1alpha1.CarbonBudget:
		return &carbonv1alpha1.CarbonBudget{ObjectMeta: version, Status: o.Status}
	case *carbonv1alpha1.GridRegion:
		return &carbonv1alpha1.GridRegion{ObjectMeta: version, Status: o.Status}
	}
	return o
}

// lockedPatch is a merge patch against before that fails when the object changed in between.
func lockedPatch(before client.Object) client.Patch {
	return client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
}

// ignoreConflict turns a conflict into a quiet retry: somebody else was faster, and the cache will
// show it in a moment. So is it when something has gone, which need not be the object of the pass.
func ignoreConflict(err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return ctrl.Result{RequeueAfter: conflictRetry}, nil
	}
	return ctrl.Result{}, err
}

// specChanges lets through what a person changed, not our own writes of status.
func specChanges() builder.ForOption { return builder.WithPredicates(changesByOthers()) }

func changesByOthers() predicate.Predicate {
	return predicate.Or(
		predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, predicate.LabelChangedPredicate{},
		predicate.Funcs{UpdateFunc: func(e ctrlevent.UpdateEvent) bool { return isAnother(e.ObjectOld, e.ObjectNew) }})
}

// isAnother says whether an object was created in the place of one that was deleted while nobody watched, which
// is shown as a change of that, or has lost its status.
func isAnother(was, is client.Object) bool {
	return was.GetUID() != is.GetUID() || observedGeneration(is) < observedGeneration(was)
}

func observedGeneration(o client.Object) int64 {
	switch o := o.(type) {
	case *carbonv1alpha1.CarbonAwareJob:
		return o.Status.ObservedGeneration
	case *carbonv1alpha1.CarbonBudget:
		return o.Status.ObservedGeneration
	case *carbonv1alpha1.GridRegion:
		return o.Status.ObservedGeneration
	}
	return 0
}
