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
	"runtime/debug"
	"testing"

	"github.com/go-logr/logr"
)

func TestTheEnvironmentSaysHowMuchGarbageMayGather(t *testing.T) {
	before := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	for environment, want := range map[string]int{"": garbagePercent, "200": 100} { // who set it in the environment told Go itself
		debug.SetGCPercent(100)
		t.Setenv("GOGC", environment)
		limitMemory(logr.Discard())
		if got := debug.SetGCPercent(100); got != want {
			t.Errorf("GOGC=%q: %d, not %d", environment, got, want)
		}
	}
}

func TestHowMuchGarbageMayGather(t *testing.T) {
	for live, want := range map[uint64]struct{ atRest, busy int }{
		0: {200, 200}, 1 << 20: {200, 200}, 32 << 20: {100, 100}, 64 << 20: {50, 100}, 1 << 30: {50, 100},
	} {
		before := memory{live: live, allocated: 1 << 40}
		atRest, busy := memory{live: live, allocated: before.allocated + live/50}, memory{live: live, allocated: before.allocated + live/10}
		if got := garbagePercentFor(atRest, before); got != want.atRest {
			t.Errorf("%d live bytes, at rest: %d %%, not %d", live, got, want.atRest)
		}
		if got := garbagePercentFor(busy, before); got != want.busy {
			t.Errorf("%d live bytes, busy: %d %%, not %d", live, got, want.busy)
		}
		busy.grows = true
		if got := garbagePercentFor(busy, before); got != want.atRest {
			t.Errorf("%d live bytes, busy, and they grow: %d %%, not %d", live, got, want.atRest)
		}
	}
}

func TestWhatIsLiveGrows(t *testing.T) {
	const mb = 1 << 20
	for name, test := range map[string]struct {
		before, now memory
		want        bool
	}{
		"more than before":              {memory{live: 100 * mb}, memory{live: 110 * mb}, true},
		"a little more":                 {memory{live: 100 * mb, grows: true}, memory{live: 102 * mb}, false},
		"less":                          {memory{live: 100 * mb, grows: true}, memory{live: 50 * mb}, false},
		"not collected since it grew":   {memory{live: 100 * mb, grows: true}, memory{live: 100 * mb}, true},
		"not collected since it stayed": {memory{live: 100 * mb}, memory{live: 100 * mb}, false},
	} {
		if is := test.now.growsSince(test.before); is != test.want {
			t.Errorf("%s: %t", name, is)
		}
	}
}

func TestMemoryIsGivenBackWhenIdle(t *testing.T) {
	const mb = 1 << 20
	before := memory{live: 100 * mb, held: 150 * mb, allocated: 1000 * mb}
	for name, test := range map[string]struct {
		now  memory
		want bool
	}{
		"idle, with much garbage":   {memory{live: 100 * mb, held: 150 * mb, allocated: 1001 * mb}, true},
		"idle, with little garbage": {memory{live: 100 * mb, held: 110 * mb, allocated: 1001 * mb}, false},
		"at work":                   {memory{live: 100 * mb, held: 150 * mb, allocated: 1020 * mb}, false},
	} {
		if is := test.now.isWasteful(before); is != test.want {
			t.Errorf("%s: %t", name, is)
		}
	}
}
