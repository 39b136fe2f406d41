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

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

const (
	// probePause is the time between two probes, probeTimeout what one may take.
	probePause   = time.Second
	probeTimeout = 15 * time.Second
	// patience is how long failing probes keep jobs from trying: the starts might get through where a probe does not.
	patience = time.Minute
	// parkedLook is when a parked job looks whether it is still to wait. It is called before that.
	parkedLook = patience
)

// probe is in the queue in place of a job when the API server is to be asked whether it is well.
var probe = reconcile.Request{NamespacedName: types.NamespacedName{Name: "probe"}}

// call gives jobs their turn now.
func (r *Starter) call(jobs []reconcile.Request) {
	if queue := r.queue.Load(); queue != nil {
		queue.call(jobs)
	}
}

// called says whether a job was called after its present turn was given to it: it has another, in the order of the call.
func (r *Starter) called(req reconcile.Request) bool {
	queue := r.queue.Load()
	return queue != nil && queue.isCalled(req)
}

// failed notes a job whose start failed, and sees to it that somebody asks whether the API server is well.
func (r *Starter) failed(caj *carbonv1alpha1.CarbonAwareJob, now time.Time) {
	ask, pause := r.overdue.fail(caj, now)
	if queue := r.queue.Load(); queue != nil && ask {
		queue.AddWithOpts(priorityqueue.AddOpts{After: pause, Priority: new(callPriority)}, probe)
	}
}

// ask asks the API server whether it is well: whether it reads etcd and knows what we may do. It is asked for what no
// user can deny us, and what the operator lists anyway.
func (r *Starter) ask(ctx context.Context) ctrl.Result {
	asking, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	err := r.APIReader.List(asking, &carbonv1alpha1.GridRegionList{}, client.MatchingFields{"metadata.name": probe.Name}, client.Limit(1))
	called, again, news := r.overdue.judge(err == nil, r.Clock.Now())
	if news && again {
		ctrl.LoggerFrom(ctx).Info("The API server is away: starts wait", "reason", truncate(err.Error()))
	}
	if again {
		return ctrl.Result{RequeueAfter: probePause}
	}
	if news {
		ctrl.LoggerFrom(ctx).Info("Starts go on after an outage", "jobs", len(called))
		r.call(called)
	}
	return ctrl.Result{}
}
