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

package main

import (
	"context"
	"errors"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
)

// exitOpen is the exit code of a meter that ended because its breaker is open.
const exitOpen = 3

// errOpen says that the breaker is open.
var errOpen = errors.New("the breaker is open")

// How long a meter whose breaker is open has to be idle before it ends to tell so, and how often it
// looks. Meanwhile a job that heeds the refusal ends by itself.
const (
	tellAfter = 3 * time.Second
	lookEvery = 250 * time.Millisecond
)

// tellOpen ends the meter with errOpen once its breaker is open and no call is under way. The kubelet
// starts it again, and its termination message is then in the status of the pod: that is how a running
// pod tells, without a network path, that it may make no more calls.
func tellOpen(ctx context.Context, m *meter.Meter, end context.CancelCauseFunc) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	idle := time.Duration(0)
	for idle < tellAfter {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		if idle += lookEvery; !m.Idle() {
			idle = 0
		}
	}
	end(errOpen)
}
