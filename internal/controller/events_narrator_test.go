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
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// eventServer takes a moment for each Event.
type eventServer struct {
	client.Client
	scheme *runtime.Scheme
	fail   func(asked int) error

	mu    sync.Mutex
	has   []*eventsv1.Event
	asked int
}

// sent are the Events that it has so far.
func (s *eventServer) sent() []*eventsv1.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.has)
}

func (s *eventServer) Scheme() *runtime.Scheme { return s.scheme }

func (s *eventServer) Create(_ context.Context, o client.Object, _ ...client.CreateOption) error {
	time.Sleep(10 * time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.fail != nil {
		if err := s.fail(s.asked); err != nil {
			return err
		}
	}
	s.has = append(s.has, o.(*eventsv1.Event))
	return nil
}

func narrate(t *testing.T, test func(n *Narrator, server *eventServer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := &eventServer{scheme: runtime.NewScheme()}
		if err := carbonv1alpha1.AddToScheme(server.scheme); err != nil {
			t.Fatal(err)
		}
		n := &Narrator{Warnings: events.NewFakeRecorder(10), Client: server, Clock: clock.RealClock{}, Controller: "us", Instance: "us-1"}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- n.Start(ctx) }()
		test(n, server)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func tell(n *Narrator, i int) {
	n.Eventf(build.CarbonAwareJob(fmt.Sprint("job-", i), "ns").Obj(), nil, corev1.EventTypeNormal, "Planned", "Plan", "%s", fmt.Sprint(i, "%"))
}

func TestEventsAreSentOneAfterTheOther(t *testing.T) {
	narrate(t, func(n *Narrator, server *eventServer) {
		begin := time.Now()
		for i := range maxPendingEvents + 100 {
			tell(n, i)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		sent := server.sent()
		if len(sent) < 99 || len(sent) > 100 {
			t.Errorf("%d were sent in a second, each of 10 ms", len(sent))
		}
		e := sent[5]
		if e.Regarding.Name != "job-5" || e.Regarding.Kind != "CarbonAwareJob" || e.Namespace != "ns" || e.Note != "5%" || !e.EventTime.Time.Equal(begin) ||
			e.Reason != "Planned" || e.Action != "Plan" || e.Type != corev1.EventTypeNormal || e.ReportingController != "us" || e.ReportingInstance != "us-1" {
			t.Errorf("%+v", e)
		}
		time.Sleep(time.Hour)
		sent = server.sent()
		// One may have been under way when the others came.
		if more := len(sent) - maxPendingEvents; more < 0 || more > 1 {
			t.Errorf("%d were sent, want %d", len(sent), maxPendingEvents)
		}
		names := map[string]bool{}
		for _, e := range sent {
			names[e.Name] = true
		}
		if len(names) != len(sent) || !slices.IsSortedFunc(sent, func(a, b *eventsv1.Event) int { return a.EventTime.Compare(b.EventTime.Time) }) {
			t.Errorf("%d names", len(names))
		}
	})
}

func TestEventsGiveWayToOtherWork(t *testing.T) {
	for name, test := range map[string]struct {
		events int
		busy   time.Duration // how long there is much else to do
		after  time.Duration
		want   int
	}{
		"nothing else is to be done":                {1000, 0, time.Second, 100},
		"much else is to be done":                   {1000, time.Hour, time.Second, 10},
		"and is done":                               {1000, time.Second, 2 * time.Second, 109},
		"for a minute at most":                      {1000, time.Hour, 61 * time.Second, 546 + 94},
		"and not while half as many wait as may":    {maxPendingEvents/2 + 200, time.Hour, 2 * time.Second, 200},
		"which does not go on when no more so many": {maxPendingEvents/2 + 200, time.Hour, 12 * time.Second, 290},
	} {
		t.Run(name, func(t *testing.T) {
			narrate(t, func(n *Narrator, server *eventServer) {
				end := time.Now().Add(test.busy)
				n.Busy = func() bool { return time.Now().Before(end) }
				for i := range test.events {
					tell(n, i)
				}
				time.Sleep(test.after)
				synctest.Wait()
				if sent := len(server.sent()); sent < test.want-3 || sent > test.want+3 {
					t.Errorf("%d were sent after %s, want about %d", sent, test.after, test.want)
				}
			})
		})
	}
}

func TestDroppedEventsAreToldOfBeforeAllOthersAreSent(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := carbonv1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	n := &Narrator{Client: &eventServer{scheme: scheme}, Clock: clock.RealClock{}}
	for i := range maxPendingEvents + 7 {
		tell(n, i)
	}
	var log []string
	ctx := logr.NewContext(t.Context(), funcr.New(func(_, args string) { log = append(log, args) }, funcr.Options{}))
	for range maxPendingEvents/2 + 2 {
		if n.next(ctx) == nil {
			t.Fatal("none is left")
		}
	}
	if len(log) != 1 || !strings.Contains(log[0], `"number"=7`) {
		t.Errorf("logged %q", log)
	}
}

func TestEventsAreSentAgainWithoutAnAnswer(t *testing.T) {
	refusal := apierrors.NewForbidden(schema.GroupResource{Resource: "events"}, "x", errors.New("the namespace is being terminated"))
	for name, test := range map[string]struct {
		fail func(asked int) error
		want []string
	}{
		"answers get lost": {func(asked int) error {
			if asked < 4 {
				return errors.New("no answer")
			}
			return nil
		}, []string{"job-0", "job-1"}},
		"one is refused": {func(asked int) error {
			if asked == 1 {
				return refusal
			}
			return nil
		}, []string{"job-1"}},
		"no answer for long": {func(asked int) error {
			if asked <= eventRetries {
				return errors.New("no answer")
			}
			return nil
		}, []string{"job-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			narrate(t, func(n *Narrator, server *eventServer) {
				server.fail = test.fail
				tell(n, 0)
				tell(n, 1)
				time.Sleep(time.Minute)
				var about []string
				for _, e := range server.sent() {
					about = append(about, e.Regarding.Name)
				}
				if !slices.Equal(about, test.want) {
					t.Errorf("sent %q, want %q", about, test.want)
				}
			})
		})
	}
}

func TestWarningsGoToTheRecorderThatCountsThem(t *testing.T) {
	narrate(t, func(n *Narrator, server *eventServer) {
		n.Eventf(build.CarbonAwareJob("x", "ns").Obj(), nil, corev1.EventTypeWarning, "Failed", "Observe", "again")
		time.Sleep(time.Second)
		if told := <-n.Warnings.(*events.FakeRecorder).Events; len(server.sent()) > 0 || told != "Warning Failed again" {
			t.Errorf("%q, %d sent", told, len(server.sent()))
		}
	})
}
