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
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Vigil notices that this process was stopped for so long (a signal, a paused machine) that another may
// lead by now. Leader election notices that too, but only a moment after the process wakes up, and what
// is granted in that moment has been granted by somebody else already.
type Vigil struct {
	clock clock.WithTicker
	mu    sync.Mutex
	// last is the last beat; zero before the first.
	last time.Time
	// doubt is until when another process may lead.
	doubt time.Time
}

// How leaders follow one another. A standby sees each renewal of the lease up to 2.2 times LeaseRetry late, counts
// LeaseDuration from there, and asks as rarely then: a leader that died is followed within 14 s. One that ends
// gives its lease back, and is followed within 2 s.
const (
	// LeaseDuration is how long nobody else may lead after a lease was renewed.
	LeaseDuration = 10 * time.Second
	// LeaseRenewal is how long a leader tries to renew its lease before it ends itself.
	LeaseRenewal = 7 * time.Second
	// LeaseRetry is how often a leader renews its lease, and a standby asks for it: every 1 to 2.2 times as long.
	LeaseRetry = 800 * time.Millisecond
)

const (
	// vigilBeat is how often the process shows itself that it is awake.
	vigilBeat = time.Second
	// maxSilence is shorter than a lease lasts, after which somebody else may take it.
	maxSilence = LeaseDuration - 3*time.Second
	// doubtAfter is longer than a leader tries to renew its lease: after it the process has renewed its own, or
	// has ended.
	doubtAfter = LeaseRenewal + 5*time.Second
)

// NewVigil is one that has not begun; until then nothing is in doubt.
func NewVigil(c clock.WithTicker) *Vigil { return &Vigil{clock: c} }

// Start keeps vigil until the context ends.
func (v *Vigil) Start(ctx context.Context) error {
	ticker := v.clock.NewTicker(vigilBeat)
	defer ticker.Stop()
	for {
		v.beat()
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C():
		}
	}
}

// NeedLeaderElection says that only a leader has something to lose.
func (v *Vigil) NeedLeaderElection() bool { return true }

func (v *Vigil) beat() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.look()
	v.last = v.clock.Now()
}

// look notices a silence. A paused machine may stop the monotonic clock, so the time of day counts too.
func (v *Vigil) look() {
	now := v.clock.Now()
	if !v.last.IsZero() && max(now.Sub(v.last), now.Round(0).Sub(v.last.Round(0))) > maxSilence {
		v.last, v.doubt = now, now.Add(doubtAfter)
	}
}

// inDoubt says whether another process may lead. A nil Vigil never doubts.
func (v *Vigil) inDoubt() bool {
	if v == nil {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.look()
	return v.clock.Now().Before(v.doubt)
}
