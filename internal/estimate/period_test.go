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
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata"
)

func TestPeriodBounds(t *testing.T) {
	for _, row := range []struct {
		name, zone, at, start, end string
		period                     Period
		hours                      float64
	}{
		{"a day", "UTC", "2026-03-05T12:00:00Z", "2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z", PeriodDaily, 24},
		{"its first instant", "UTC", "2026-03-05T00:00:00Z", "2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z", PeriodDaily, 24},
		{"its last instant", "UTC", "2026-03-05T23:59:59Z", "2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z", PeriodDaily, 24},
		{"a day elsewhere", "Asia/Tokyo", "2026-03-05T15:00:00Z", "2026-03-06T00:00:00+09:00", "2026-03-07T00:00:00+09:00", PeriodDaily, 24},
		{"the day clocks go forward", "Europe/Amsterdam", "2026-03-29T12:00:00Z", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", PeriodDaily, 23},
		{"the day clocks go back", "Europe/Amsterdam", "2026-10-25T12:00:00Z", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", PeriodDaily, 25},
		{"a day without midnight", "Africa/Cairo", "2026-04-24T12:00:00Z", "2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00", PeriodDaily, 23},
		{"a day with two midnights", "America/Havana", "2026-11-01T12:00:00Z", "2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00", PeriodDaily, 25},
		{"the day before a day that was left out", "Pacific/Apia", "2011-12-30T00:00:00Z", "2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00", PeriodDaily, 24},
		{"a week from Monday", "UTC", "2026-03-05T12:00:00Z", "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z", PeriodWeekly, 168},
		{"a week seen on Sunday", "UTC", "2026-03-08T23:00:00Z", "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z", PeriodWeekly, 168},
		{"a week seen on Monday", "UTC", "2026-03-09T00:00:00Z", "2026-03-09T00:00:00Z", "2026-03-16T00:00:00Z", PeriodWeekly, 168},
		{"a week over a new year", "UTC", "2026-12-31T12:00:00Z", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z", PeriodWeekly, 168},
		{"the week clocks go forward", "America/New_York", "2026-03-08T12:00:00Z", "2026-03-02T00:00:00-05:00", "2026-03-09T00:00:00-04:00", PeriodWeekly, 167},
		{"a leap month", "UTC", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z", PeriodMonthly, 29 * 24},
		{"December", "UTC", "2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z", PeriodMonthly, 31 * 24},
		{"the month clocks go back", "Europe/Amsterdam", "2026-10-31T23:30:00Z", "2026-11-01T00:00:00+01:00", "2026-12-01T00:00:00+01:00", PeriodMonthly, 30 * 24},
	} {
		t.Run(row.name, func(t *testing.T) {
			zone, err := time.LoadLocation(row.zone)
			if err != nil {
				t.Fatal(err)
			}
			start, end := row.period.Bounds(parseTime(t, row.at), zone)
			if !start.Equal(parseTime(t, row.start)) || !end.Equal(parseTime(t, row.end)) {
				t.Errorf("got %s to %s\nwant %s to %s", start, end, row.start, row.end)
			}
			if hours := end.Sub(start).Hours(); hours != row.hours {
				t.Errorf("it has %v hours, want %v", hours, row.hours)
			}
		})
	}
}

func TestPeriodTotalHasNoBounds(t *testing.T) {
	start, end := PeriodTotal.Bounds(time.Unix(0, 0), time.UTC)
	if !start.IsZero() || !end.IsZero() {
		t.Errorf("got %s to %s", start, end)
	}
}

// Periods follow each other without a gap, and every instant belongs to exactly one.
func TestPeriodsTileTime(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"UTC", "Europe/Amsterdam", "Africa/Cairo", "America/Havana", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for range 200 {
			at := time.Unix(1_577_836_800+random.Int64N(20*365*86400), 0)
			for _, period := range []Period{PeriodDaily, PeriodWeekly, PeriodMonthly} {
				start, end := period.Bounds(at, zone)
				if at.Before(start) || !at.Before(end) {
					t.Fatalf("%s in %s: %s is not in its period %s to %s", period, name, at, start, end)
				}
				next, _ := period.Bounds(end, zone)
				_, last := period.Bounds(start.Add(-time.Second), zone)
				if !next.Equal(end) || !last.Equal(start) {
					t.Fatalf("%s in %s around %s: %s to %s, neighbours end at %s and begin at %s", period, name, at, start, end, last, next)
				}
			}
		}
	}
}

func parseTime(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
