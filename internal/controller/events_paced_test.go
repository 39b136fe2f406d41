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
	"slices"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// sent is a recorder that keeps what it is sent, and when.
type sent struct {
	events.EventRecorder
	about, notes []string
	at           []time.Time
}

func (s *sent) Eventf(regarding, _ runtime.Object, _, _, _, note string, args ...any) {
	s.about, s.at = append(s.about, regarding.(*corev1.ObjectReference).Name), append(s.at, time.Now())
	s.notes = append(s.notes, fmt.Sprintf(note, args...))
}

func TestEventsAreSentInOrderAndNotAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scheme := runtime.NewScheme()
		if err := carbonv1alpha1.AddToScheme(scheme); err != nil {
			t.Fatal(err)
		}
		to := &sent{}
		r := NewPacedRecorder(to, scheme)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Start(ctx) }()
		begin := time.Now()
		for i := range eventBurst + maxPendingEvents + 100 {
			if i == eventBurst {
				synctest.Wait()
			}
			r.Eventf(build.CarbonAwareJob(fmt.Sprint("job-", i), "ns").Obj(), nil, corev1.EventTypeNormal, "Planned", "Plan", "%s", fmt.Sprint(i, "%"))
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if want := eventBurst + 10*eventRate; len(to.notes) != want || to.about[5] != "job-5" || to.notes[5] != "5%" {
			t.Errorf("%d sent in 10 s, want %d: %q ...", len(to.notes), want, to.notes[:min(7, len(to.notes))])
		}
		if at := to.at[eventBurst-1]; !at.Equal(begin) {
			t.Errorf("the first ones were sent %s late", at.Sub(begin))
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		// One more may have been under way when the others came.
		if more := len(to.notes) - eventBurst - maxPendingEvents; more < 0 || more > 1 || !slices.IsSortedFunc(to.at, time.Time.Compare) {
			t.Errorf("%d sent in the end, want %d", len(to.notes), eventBurst+maxPendingEvents)
		}
	})
}
