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

import "time"

// Attempts says how the pods of a run ended.
type Attempts struct {
	// Completed says that the run reached its end.
	Completed bool
	// Wanted is how many pods make a whole run; less than 1 counts as 1.
	Wanted int32
	// Succeeded is how many of them did, Lost how many failed or were stopped, retries included.
	Succeeded, Lost int32
	// Pauses is how often the whole run was stopped and began again.
	Pauses int
}

// Share is how many whole runs' energy the run took, 0 and above, given how long it ran and how long
// one whole run was expected to take.
//
// What succeeded counts whole. What was lost on the way, by failure or pause, counts by its time at
// the power of a run as expected (run time over expected duration), and never more than a whole
// attempt each. So a run without losses is 1, however long it took; one that failed after a quarter
// of its time is 0.25; and one that needed three attempts is between 1 and 3.
func (a Attempts) Share(ran, expected time.Duration) float64 {
	wanted := float64(max(1, a.Wanted))
	done := min(1, float64(max(0, a.Succeeded))/wanted)
	if a.Completed {
		done = 1
	}
	most := done + float64(max(0, a.Lost))/wanted + float64(max(0, a.Pauses))
	if expected <= 0 {
		return most
	}
	return min(most, max(done, ran.Seconds()/expected.Seconds()))
}
