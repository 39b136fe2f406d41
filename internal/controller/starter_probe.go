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
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
	// patience is how long probes that end in errors keep jobs from trying: the starts might get through all the same.
	patience = time.Minute
)

// probe is in the queue in place of a job when the API server is to be asked whether it is well.
var probe = reconcile.Request{NamespacedName: types.NamespacedName{Name: "probe"}}

// call gives jobs their turn now.
func (r *Starter) call(jobs []dueRequest) {
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
func (r *Starter) failed(req reconcile.Request, caj *carbonv1alpha1.CarbonAwareJob, now time.Time) {
	queue := r.queue.Load()
	if ask, pause := r.overdue.fail(caj, queue != nil && queue.NumRequeues(req) > 0, now); ask && queue != nil {
		queue.AddWithOpts(priorityqueue.AddOpts{After: pause, Priority: new(probePriority)}, probe)
	}
}

// ask asks the API server whether it is well: whether it reads etcd and knows what we may do. It is asked for what no
// user can deny us, and what the operator lists anyway.
func (r *Starter) ask(ctx context.Context) ctrl.Result {
	asking, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	err := r.APIReader.List(asking, &carbonv1alpha1.GridRegionList{}, client.MatchingFields{"metadata.name": probe.Name}, client.Limit(1))
	called, again, news := r.overdue.judge(answerOf(err), r.Clock.Now())
	r.call(called)
	switch log := ctrl.LoggerFrom(ctx); {
	case news && !again:
		log.Info("The API server is back: starts go on", "jobs", len(called))
	case news && len(called) > 0:
		log.Info("The API server still does not say that it is well: starts are tried all the same", "jobs", len(called), "reason", truncate(err.Error()))
	case news:
		log.Info("The API server is away: starts wait", "reason", truncate(err.Error()))
	}
	if again {
		return ctrl.Result{RequeueAfter: probePause}
	}
	return ctrl.Result{}
}

func answerOf(err error) answer {
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return well
	case errors.As(err, &status), errors.Is(err, context.DeadlineExceeded):
		return unwell
	default:
		return silent
	}
}
