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

package policy

import "time"

// Freeze is the time before a start in which it is not moved any more: whoever starts the job may
// already be at it.
const Freeze = 5 * time.Second

// Decision is the part of an earlier plan that Replan needs.
type Decision struct {
	Region string
	Start  time.Time
}

// Replan says whether a new plan takes the place of an earlier one whose job has not started: only
// if the start moves by more than a slot (step), or the region changes; never once the old start
// has come, or is closer than Freeze. So forecasts that wander a little write nothing.
func Replan(old Decision, next Plan, now time.Time, step time.Duration) bool {
	if old.Start.Sub(now) < Freeze {
		return false
	}
	if next.Region != old.Region {
		return true
	}
	return next.Start.Sub(old.Start).Abs() > step
}
