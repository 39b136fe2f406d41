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
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// waitingJob is one that waits for its start.
func waitingJob(name string, start time.Time) *carbonv1alpha1.CarbonAwareJob {
	caj := build.CarbonAwareJob(name, "ns").Obj()
	caj.Status.Plan = &carbonv1alpha1.PlanStatus{Start: metav1.NewTime(start)}
	caj.Status.Job = &carbonv1alpha1.JobStatus{Name: name}
	caj.Status.ObservedGeneration = caj.Generation
	return caj
}

// A clock that is set, or timers that stood still, wake the jobs that wait; a clock that goes right wakes nobody.
func TestAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := newStore()
		jobs.jobs["waits"] = waitingJob("waits", time.Now().Add(time.Hour))
		jobs.jobs["unplanned"] = build.CarbonAwareJob("unplanned", "ns").Obj()
		var ahead time.Duration
		shown := clocktesting.NewFakePassiveClock(time.Now())
		a := &alarm{reader: jobs, shown: shown, steady: clock.RealClock{}, wake: make(chan ctrlevent.GenericEvent)}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- a.Start(ctx) }()
		synctest.Wait()
		var woken []client.Object
		go func() {
			for e := range a.wake {
				woken = append(woken, e.Object)
			}
		}()
		for _, step := range []struct {
			drift time.Duration
			want  int
		}{{0, 0}, {alarmDrift / 2, 0}, {10 * time.Minute, 1}, {0, 0}, {-time.Second, 1}} {
			woken = nil
			ahead += step.drift
			for range 3 {
				shown.SetTime(time.Now().Add(alarmEvery + ahead))
				time.Sleep(alarmEvery)
				synctest.Wait()
			}
			if len(woken) != step.want || step.want == 1 && woken[0].GetName() != "waits" {
				t.Errorf("moved by %s: woke %d, want %d", step.drift, len(woken), step.want)
			}
		}
		stop()
		close(a.wake)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
