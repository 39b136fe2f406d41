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

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/reference"
	ctrl "sigs.k8s.io/controller-runtime"
)

const (
	// eventRate and eventBurst are how many Events a second are sent, and how many at once before that. Each
	// costs the API server as much as a status write; thousands at a time must not delay those.
	eventRate  = 100
	eventBurst = 200
	// maxPendingEvents is how many may wait, some hundred bytes each. The next ones are dropped: the status
	// says the same.
	maxPendingEvents = 20000
)

// PacedRecorder sends Events one after the other and not too many a second, beside what is waited for.
type PacedRecorder struct {
	to     events.EventRecorder
	scheme *runtime.Scheme
	pace   *rate.Limiter

	mu      sync.Mutex
	pending []func()
	dropped int
	// news has an element when there may be something pending.
	news chan struct{}
}

// NewPacedRecorder is one that sends by another recorder.
func NewPacedRecorder(to events.EventRecorder, scheme *runtime.Scheme) *PacedRecorder {
	return &PacedRecorder{to: to, scheme: scheme, pace: rate.NewLimiter(eventRate, eventBurst), news: make(chan struct{}, 1)}
}

// Eventf implements events.EventRecorder. It keeps a reference to the object and not the object.
func (r *PacedRecorder) Eventf(regarding, related runtime.Object, eventtype, reason, action, note string, args ...any) {
	about, err := reference.GetReference(r.scheme, regarding)
	if err != nil { // the recorder says what is wrong with it
		r.to.Eventf(regarding, related, eventtype, reason, action, note, args...)
		return
	}
	text := fmt.Sprintf(note, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pending) >= maxPendingEvents {
		r.dropped++
		return
	}
	r.pending = append(r.pending, func() { r.to.Eventf(about, related, eventtype, reason, action, "%s", text) })
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// NeedLeaderElection says that every process sends its Events.
func (r *PacedRecorder) NeedLeaderElection() bool { return false }

// Start sends Events until the context ends, and what is left then at once.
func (r *PacedRecorder) Start(ctx context.Context) error {
	for {
		for send := r.next(ctx); send != nil; send = r.next(ctx) {
			_ = r.pace.Wait(ctx) // it only fails when the context ends
			send()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.news:
		}
	}
}

// next is the Event that has waited longest; nil for none.
func (r *PacedRecorder) next(ctx context.Context) func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pending) == 0 {
		if r.dropped > 0 {
			ctrl.LoggerFrom(ctx).Info("Dropped Events: too many waited to be sent", "number", r.dropped)
		}
		r.pending, r.dropped = nil, 0 // and the memory of many
		return nil
	}
	send := r.pending[0]
	r.pending[0] = nil
	r.pending = r.pending[1:]
	return send
}
