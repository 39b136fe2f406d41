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

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// meteredPods are the pods that the operator's cache holds, and what it keeps of them: those with a
// meter, without their spec.
func meteredPods() cache.ByObject {
	metered, err := labels.NewRequirement(carbonv1alpha1.LabelMeter, selection.Exists, nil)
	if err != nil {
		panic(err) // a constant that is no label key
	}
	return cache.ByObject{Label: labels.NewSelector().Add(*metered), Transform: stripPod}
}

// stripPod leaves of a pod what the operator reads.
func stripPod(object any) (any, error) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return object, nil // the tombstone of one
	}
	pod.ManagedFields, pod.Spec = nil, corev1.PodSpec{}
	status := pod.Status
	pod.Status = corev1.PodStatus{Phase: status.Phase, Reason: status.Reason, Conditions: status.Conditions}
	for _, c := range status.InitContainerStatuses {
		if c.Name == meterContainer {
			pod.Status.InitContainerStatuses = []corev1.ContainerStatus{c}
		}
	}
	return pod, nil
}

// podNews brings back the job of a pod whose meter has news. What was deleted is noted first, while this
// process leads: another has its own notes.
func (r *CarbonAwareJobReconciler) podNews(leads <-chan struct{}) handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	bring := func(object client.Object, q queue) {
		if pod, ok := object.(*corev1.Pod); ok {
			q.Add(reconcile.Request{NamespacedName: jobOfPod(pod)})
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e ctrlevent.CreateEvent, q queue) { bring(e.Object, q) },
		UpdateFunc: func(_ context.Context, e ctrlevent.UpdateEvent, q queue) {
			before, ok := e.ObjectOld.(*corev1.Pod)
			after, also := e.ObjectNew.(*corev1.Pod)
			if ok && also && hasNews(before, after) {
				bring(after, q)
			}
		},
		DeleteFunc: func(_ context.Context, e ctrlevent.DeleteEvent, q queue) {
			select {
			case <-leads:
				r.Departed(e.Object)
			default:
			}
			bring(e.Object, q)
		},
	}
}

// Departed notes the last state of a metered pod that was deleted.
func (r *CarbonAwareJobReconciler) Departed(object client.Object) {
	if pod, ok := object.(*corev1.Pod); ok {
		r.departed.note(pod)
	}
}

// DepartedPods is how many deleted pods are in memory because their numbers are not on record yet.
func (r *CarbonAwareJobReconciler) DepartedPods() int { return r.departed.count() }

// hasNews says whether a change of a pod concerns its meter.
func hasNews(before, after *corev1.Pod) bool {
	return before.Status.Phase != after.Status.Phase ||
		before.Annotations[carbonv1alpha1.AnnotationCounted] != after.Annotations[carbonv1alpha1.AnnotationCounted] ||
		!equality.Semantic.DeepEqual(before.Status.InitContainerStatuses, after.Status.InitContainerStatuses)
}
