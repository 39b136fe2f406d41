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
// Jobs that wait for the same slot must not start in the same second. So each job has a phase that
// follows from its UID, from 0 to a slot, and looks only at the starts with that phase: it gets the
// greenest start that it could really have, and a herd spreads evenly over a slot's length around the
// greenest time. Before their latest start, jobs spread over its last five minutes.
//
// If waiting saves less than the minimum saving against the best start right now, the job starts right
// now, in the region that is best now.
//
// # Spreading the herd
//
// A region may take a limited number of starts in each slot, and its share of them in each minute
// (Occupancy). A job goes to the greenest time with room. It never goes to a time that is not worth
// waiting for: when no other has room, it starts at once.
//
// # Changing one's mind
//
// News replaces a plan only if they move the start by more than a slot and save enough, more each time
// (Replan), so that a start moves at most seven times.
//
// Deadlines fail open: with no forecast the job starts now and says so. Where a forecast begins later than now
// and nothing else is known of the present, a job waits only for what is greener than the first window known.
package policy
