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
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/reference"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// maxPendingEvents is how many may wait, about a kilobyte each. The next ones are dropped: the status
	// says the same.
	maxPendingEvents = 20000
	// eventRetries is how often an Event is sent again when there was no answer, after eventRetry each time.
	eventRetries = 10
	eventRetry   = time.Second
	eventTimeout = 10 * time.Second
	// busyPause follows each Event while jobs wait to be looked at: there are five Events for the seven writes of a life.
	busyPause = 100 * time.Millisecond
	// mostBusy is how late Events become because of that. Some jobs may wait for ever, and the others' must be told of.
	mostBusy = time.Minute
)

// Narrator sends the Events that tell of a change, which happen once, one after the other, and slowly while there
// is much else to do: each costs the API server as much as a status write, and thousands at a time must not delay
// those. Warnings may repeat; the
// recorder of client-go counts them. It would also keep everything that it has sent for six minutes.
type Narrator struct {
	// Warnings records what may repeat.
	Warnings events.EventRecorder
	// Client creates Events. It should have no cache.
	Client client.Client
	Clock  clock.PassiveClock
	// Controller and Instance say who reports.
	Controller, Instance string
	// Busy says whether there is so much to do that Events should wait for it, if it is set. They do for mostBusy, and
	// unless half as many wait as may: late Events are better than dropped ones.
	Busy func() bool

	mu      sync.Mutex
	pending []*eventsv1.Event
	dropped int
	last    int64
	// news has an element when there may be something pending.
	news chan struct{}
}

// Eventf implements events.EventRecorder.
func (n *Narrator) Eventf(regarding, related runtime.Object, eventtype, reason, action, note string, args ...any) {
	about, err := reference.GetReference(n.Client.Scheme(), regarding)
	if err != nil || related != nil || eventtype != corev1.EventTypeNormal {
		n.Warnings.Eventf(regarding, related, eventtype, reason, action, note, args...)
		return
	}
	now, number := n.Clock.Now(), n.number()
	namespace := about.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	n.add(&eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%s.%x", about.Name, number)},
		EventTime:  metav1.NewMicroTime(now), Regarding: *about,
		Type: eventtype, Reason: reason, Action: action, Note: fmt.Sprintf(note, args...),
		ReportingController: n.Controller, ReportingInstance: n.Instance,
	})
}

// number is part of the name of an Event: the time in nanoseconds, but never the same twice.
func (n *Narrator) number() int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last = max(n.last+1, n.Clock.Now().UnixNano())
	return n.last
}

func (n *Narrator) add(e *eventsv1.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.pending) >= maxPendingEvents {
		n.dropped++
		return
	}
	n.pending = append(n.pending, e)
	select {
	case n.bell() <- struct{}{}:
	default:
	}
}

// bell is the channel of the news.
func (n *Narrator) bell() chan struct{} {
	if n.news == nil {
		n.news = make(chan struct{}, 1)
	}
	return n.news
}

// NeedLeaderElection says that every process sends its Events.
func (n *Narrator) NeedLeaderElection() bool { return false }

// Start sends Events until the context ends.
func (n *Narrator) Start(ctx context.Context) error {
	n.mu.Lock()
	bell := n.bell()
	n.mu.Unlock()
	for {
		for e := n.next(ctx); e != nil && ctx.Err() == nil; e = n.next(ctx) {
			n.send(ctx, e)
			n.giveWay(ctx)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-bell:
		}
	}
}

// giveWay lets more important things go first.
func (n *Narrator) giveWay(ctx context.Context) {
	if n.Busy == nil || !n.Busy() || n.isUrgent() {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(busyPause):
	}
}

// isUrgent says whether the next Event has waited long, or many wait.
func (n *Narrator) isUrgent() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.pending) > maxPendingEvents/2 || len(n.pending) > 0 && n.Clock.Since(n.pending[0].EventTime.Time) > mostBusy
}

// next is the Event that has waited longest; nil for none.
func (n *Narrator) next(ctx context.Context) *eventsv1.Event {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dropped > 0 && len(n.pending) <= maxPendingEvents/2 {
		ctrl.LoggerFrom(ctx).Info("Dropped Events: too many waited to be sent", "number", n.dropped)
		n.dropped = 0
	}
	if len(n.pending) == 0 {
		n.pending = nil // and the memory of many
		return nil
	}
	e := n.pending[0]
	n.pending[0] = nil
	n.pending = n.pending[1:]
	return e
}

// send creates an Event. What the API server refuses is not sent again: mostly its namespace is about to go.
func (n *Narrator) send(ctx context.Context, e *eventsv1.Event) {
	var err error
	for range eventRetries {
		once, cancel := context.WithTimeout(ctx, eventTimeout)
		err = n.Client.Create(once, e.DeepCopy())
		cancel()
		if err == nil || refused(err) || apierrors.IsNotFound(err) || apierrors.IsAlreadyExists(err) {
			break
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(eventRetry):
		}
	}
	if client.IgnoreAlreadyExists(err) != nil {
		ctrl.LoggerFrom(ctx).V(1).Info("An Event was not recorded", "object", e.Regarding.Name, "namespace", e.Namespace, "reason", e.Reason, "error", err.Error())
	}
}
