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
	"sort"
	"time"
)

// Period is how long emissions are counted before counting begins anew.
type Period string

// The periods. Weeks begin on Monday (ISO 8601).
const (
	PeriodDaily   Period = "Daily"
	PeriodWeekly  Period = "Weekly"
	PeriodMonthly Period = "Monthly"
	// PeriodTotal never begins anew.
	PeriodTotal Period = "Total"
)

// Bounds are the start and the end of the period that contains t, in the time zone: start is part
// of it, end is the start of the next one. Both are the first instant of a civil day there, so a
// day at which clocks are changed has 23 or 25 hours. Both are zero for PeriodTotal.
func (p Period) Bounds(t time.Time, zone *time.Location) (start, end time.Time) {
	year, month, day := t.In(zone).Date()
	switch p {
	case PeriodDaily:
		return startOfDay(year, month, day, zone), startOfDay(year, month, day+1, zone)
	case PeriodWeekly:
		const daysOfWeek = 7
		monday := day - (int(t.In(zone).Weekday())+daysOfWeek-1)%daysOfWeek
		return startOfDay(year, month, monday, zone), startOfDay(year, month, monday+daysOfWeek, zone)
	case PeriodMonthly:
		return startOfDay(year, month, 1, zone), startOfDay(year, month+1, 1, zone)
	default:
		return time.Time{}, time.Time{}
	}
}

// startOfDay is the first instant of a civil day. That is not always midnight: where clocks are
// put forward at midnight the day begins at one o'clock, and where a day is left out it begins with
// the next one.
func startOfDay(year int, month time.Month, day int, zone *time.Location) time.Time {
	// Normalized in UTC, where every day exists.
	want := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	from := want.Add(-36 * time.Hour) // zones are at most 14 hours ahead of UTC
	seconds := sort.Search(int((72*time.Hour)/time.Second), func(i int) bool {
		y, m, d := from.Add(time.Duration(i) * time.Second).In(zone).Date()
		return !time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Before(want)
	})
	return from.Add(time.Duration(seconds) * time.Second).In(zone)
}
