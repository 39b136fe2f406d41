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

package estimate

import (
	"testing"
	"time"
)

func TestShare(t *testing.T) {
	const half = 30 * time.Minute
	tests := []struct {
		name          string
		attempts      Attempts
		ran, expected time.Duration
		want          float64
	}{
		{"completed at once", Attempts{Completed: true, Wanted: 1, Succeeded: 1}, half, half, 1},
		{"completed in a third of the time", Attempts{Completed: true, Wanted: 1, Succeeded: 1}, 10 * time.Minute, half, 1},
		{"completed, but slowly", Attempts{Completed: true, Wanted: 1, Succeeded: 1}, 5 * half, half, 1},
		{"completed at the third attempt, all of them long", Attempts{Completed: true, Wanted: 1, Succeeded: 1, Lost: 2}, 5 * half, half, 3},
		{"completed at the third attempt, two thirds longer", Attempts{Completed: true, Wanted: 1, Succeeded: 1, Lost: 2}, 45 * time.Minute, half, 1.5},
		{"completed in time in spite of a crash", Attempts{Completed: true, Wanted: 1, Succeeded: 1, Lost: 1}, 20 * time.Minute, half, 1},
		{"failed after a quarter", Attempts{Wanted: 1, Lost: 1}, half / 4, half, 0.25},
		{"failed late", Attempts{Wanted: 1, Lost: 1}, 3 * half, half, 1},
		{"failed after a crash loop", Attempts{Wanted: 1, Lost: 7}, 6 * time.Minute, half, 0.2},
		{"failed with most pods done", Attempts{Wanted: 4, Succeeded: 3, Lost: 1}, half / 10, half, 0.75},
		{"failed with most pods done, late", Attempts{Wanted: 4, Succeeded: 3, Lost: 1}, 2 * half, half, 1},
		{"paused halfway and begun again", Attempts{Completed: true, Wanted: 1, Succeeded: 1, Pauses: 1}, 45 * time.Minute, half, 1.5},
		{"ended before a pod was counted", Attempts{}, half, half, 0},
		{"nobody knows how long it takes", Attempts{Completed: true, Lost: 2, Wanted: 2}, half, 0, 2},
		{"more done than wanted", Attempts{Wanted: 1, Succeeded: 5}, half, half, 1},
		{"nonsense", Attempts{Wanted: -1, Succeeded: -2, Lost: -3, Pauses: -4}, half, half, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.attempts.Share(tt.ran, tt.expected); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
