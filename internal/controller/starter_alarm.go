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
	"time"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

const (
	// alarmEvery is how often the clocks are compared, alarmDrift by how much they may differ.
	alarmEvery = 5 * time.Second
	alarmDrift = 50 * time.Millisecond
)

// alarm wakes the Starter when the clock that starts go by moves against the timers, which stand still while a
// machine is suspended and do not hear of a clock that is set. Without it every waiting job would have to look
// at the clock now and then.
type alarm struct {
	reader client.Reader
	// shown is the clock that starts go by, steady the one that timers go by.
	shown  clock.PassiveClock
	steady clock.WithTicker
	wake   chan ctrlevent.GenericEvent
}

// Start compares the clocks until the context ends.
func (a *alarm) Start(ctx context.Context) error {
	ticker := a.steady.NewTicker(alarmEvery)
	defer ticker.Stop()
	shown, steady := a.shown.Now(), a.steady.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C():
		}
		drift := a.shown.Since(shown) - a.steady.Since(steady)
		if drift.Abs() <= alarmDrift {
			continue
		}
		now, then := a.shown.Now(), a.steady.Now()
		if err := a.ring(ctx); err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "The clock was set, and the starts do not know yet")
			continue
		}
		shown, steady = now, then
	}
}

// ring has the Starter look at all jobs that wait for their start.
func (a *alarm) ring(ctx context.Context) error {
	var jobs carbonv1alpha1.CarbonAwareJobList
	if err := a.reader.List(ctx, &jobs, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("listing CarbonAwareJobs: %w", err)
	}
	for i := range jobs.Items {
		caj := &jobs.Items[i]
		if !awaitsStart(caj) {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case a.wake <- ctrlevent.GenericEvent{Object: caj}:
		}
	}
	return nil
}

// remind has a job that is due ask its budgets, if it never has: the timer by which it asks may have stood still, and
// the alarm wakes the Starter only; or news of a budget may have been missed.
func (r *Starter) remind(caj *carbonv1alpha1.CarbonAwareJob) {
	planner := r.planner.Load()
	if planner != nil && findCondition(caj.Status.Conditions, carbonv1alpha1.ConditionWithinBudget) == nil {
		planner.Add(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(caj)})
	}
}
