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
	"testing"
	"time"

	testingclock "k8s.io/utils/clock/testing"
)

func TestVigilDoubtsAfterASilence(t *testing.T) {
	now := testingclock.NewFakeClock(time.Unix(1_800_000_000, 0))
	v := NewVigil(now)
	now.Step(time.Hour)
	if v.inDoubt() {
		t.Error("in doubt before it began")
	}
	v.beat()
	now.Step(maxSilence)
	if v.inDoubt() {
		t.Error("in doubt after a silence in which nobody can have taken the lease")
	}
	now.Step(time.Second)
	if !v.inDoubt() {
		t.Error("sure after a silence in which somebody else may have taken the lease")
	}
	for range int(doubtAfter/time.Second) - 1 {
		now.Step(time.Second)
		v.beat()
	}
	if !v.inDoubt() {
		t.Error("sure before the lease must have been renewed or lost")
	}
	now.Step(time.Second)
	if v.beat(); v.inDoubt() {
		t.Error("in doubt for good")
	}
	if (*Vigil)(nil).inDoubt() {
		t.Error("a nil Vigil doubts")
	}
}
