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

package replay

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// seed of the herd: the same jobs every time.
const seed = 1729

// The hours of an office, UTC.
const (
	officeOpens  = 9 * time.Hour
	officeCloses = 17 * time.Hour
)

// submissions are the jobs of the days, in the order of their submission: one a slot, or a herd.
func submissions(days []time.Time, step time.Duration, o Options) []job {
	var jobs []job
	if o.JobsPerDay == 0 {
		for n, day := range days {
			for t := day; t.Before(day.Add(24 * time.Hour)); t = t.Add(step) {
				jobs = append(jobs, job{uid: t.Format(time.RFC3339), submitted: t, day: n})
			}
		}
		return jobs
	}
	r := rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // jobs, not secrets
	opens, width := time.Duration(0), 24*time.Hour
	if o.Arrivals == OfficeHours {
		opens, width = officeOpens, officeCloses-officeOpens
	}
	for n, day := range days {
		first := len(jobs)
		for range o.JobsPerDay {
			at := day.Add(opens + time.Duration(r.Int64N(int64(width/time.Second)))*time.Second)
			jobs = append(jobs, job{uid: fmt.Sprintf("%016x-%016x", r.Uint64(), r.Uint64()), submitted: at, day: n})
		}
		slices.SortStableFunc(jobs[first:], func(a, b job) int { return a.submitted.Compare(b.submitted) })
	}
	return jobs
}
