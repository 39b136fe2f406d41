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

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

type requests = workqueue.TypedRateLimitingInterface[reconcile.Request]

// budgetsOfJob maps every change of a job to the budgets in which it counts or counted, after
// countDelay.
func budgetsOfJob(ledger *Ledger) handler.EventHandler {
	add := func(queue requests, job client.Object) {
		for _, name := range ledger.budgetsOf(job.GetNamespace(), job.GetLabels()) {
			queue.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: job.GetNamespace(), Name: name}}, countDelay)
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e ctrlevent.CreateEvent, queue requests) { add(queue, e.Object) },
		UpdateFunc: func(_ context.Context, e ctrlevent.UpdateEvent, queue requests) {
			add(queue, e.ObjectOld)
			add(queue, e.ObjectNew)
		},
		DeleteFunc: func(_ context.Context, e ctrlevent.DeleteEvent, queue requests) { add(queue, e.Object) },
	}
}

// jobsOfBudget maps every change of a budget to the jobs for which it may mean something.
func jobsOfBudget(ledger *Ledger) handler.EventHandler {
	add := func(queue requests, budget client.Object) {
		for _, key := range ledger.stirred(budget.GetNamespace()) {
			queue.Add(reconcile.Request{NamespacedName: key})
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e ctrlevent.CreateEvent, queue requests) {
			ledger.heard(client.ObjectKeyFromObject(e.Object))
			add(queue, e.Object)
		},
		UpdateFunc: func(_ context.Context, e ctrlevent.UpdateEvent, queue requests) { add(queue, e.ObjectNew) },
		DeleteFunc: func(_ context.Context, e ctrlevent.DeleteEvent, queue requests) {
			ledger.dropBudget(client.ObjectKeyFromObject(e.Object), e.Object.GetUID())
			add(queue, e.Object)
		},
	}
}
