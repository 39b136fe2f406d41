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

// Package policy decides when and where a job starts, and with which model. It is pure: facts in,
// decision out; no cluster, no wall clock.
//
// # The choice of the start
//
// What is expected of a region is half the provider's forecast and half its mean day (forecast.Blend).
// A job may start from now until its latest start (submission plus the allowed delay). Over that time
// the policy looks, in every region that is not excluded, for the window of the expected duration with
// the least time-weighted mean carbon intensity, not only at slot boundaries. The least window of all
// regions wins; of equals the earliest, then the one in the region named first. The search is exact and
// linear in the number of slots (forecast.Series.Greenest).
//
// If waiting for it saves less than the minimum saving against the best start right now, the job
// starts right now, in the region that is best now. Otherwise the start is moved into the window's
// first slot by a phase that follows from the job's UID, so that jobs which wait for the same slot
// do not start in the same second. The phase never moves a start past the latest one, nor to a
// window that is no better than starting now.
//
// # Spreading the herd
//
// A region may take a limited number of starts in each slot (Occupancy). A job goes to the greenest
// slot with room. It never goes to a slot that is not worth waiting for: when no other has room, it
// starts at once.
//
// # Changing one's mind
//
// News replaces a plan only if they move the start by more than a slot and save enough, more each time
// (Replan), so that a start moves at most seven times.
//
// Deadlines fail open: with no forecast the job starts now and says so.
package policy
