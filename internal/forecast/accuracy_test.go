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

package forecast

import (
	"math"
	"testing"
	"time"
)

// ahead is a forecast of n slots that is wrong by as many grams as hours lie between now and a slot.
func ahead(now time.Time, step time.Duration, n int) Series {
	s := Series{Start: now.Truncate(step), Step: step}
	for i := range n {
		s.Grams = append(s.Grams, 100+math.Floor(s.Start.Add(time.Duration(i)*step).Sub(now).Hours()))
	}
	return s
}

func flatSeries(start time.Time, step time.Duration, n int, grams float64) Series {
	s := unknown(start, step, n)
	for i := range s.Grams {
		s.Grams[i] = grams
	}
	return s
}

func TestErrorGrowsWithTheLeadTime(t *testing.T) {
	start := time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC)
	for _, step := range []time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour} {
		var kept []Issued
		var got []Accuracy
		const hours = 72
		actual := flatSeries(start, step, int(hours*time.Hour/step), 100)
		compared := start
		for h := range hours {
			now := start.Add(time.Duration(h) * time.Hour)
			until := now.Add(step - 2*time.Hour) // published late, slot by slot
			if until.After(compared) {
				got, compared = Compare(got, kept, actual.Clip(start, until), compared, until)
			}
			kept = Issue(kept, ahead(now, step, int(48*time.Hour/step)), now)
			if again := Issue(kept, ahead(now.Add(59*time.Minute), step, 10), now.Add(59*time.Minute)); len(again) != len(kept) || !again[len(again)-1].At.Equal(now) {
				t.Fatalf("%s: kept twice within an hour", step)
			}
		}
		if len(kept) != MaxIssued || len(kept[0].Forecast.Grams) != int(issuedSpan/max(step, issuedStep)) {
			t.Errorf("%s: %d forecasts of %d slots are kept", step, len(kept), len(kept[0].Forecast.Grams))
		}
		if len(got) != 4 {
			t.Fatalf("%s: %+v", step, got)
		}
		for _, a := range got {
			// Slots that begin on the hour are forecast just so long before, the others within the hour after.
			if want := a.Lead.Hours(); math.Abs(a.MeanAbsoluteError-want) > 0.01 {
				t.Errorf("%s: an error of %v at %s, want %v", step, a.MeanAbsoluteError, a.Lead, want)
			}
			slot := max(step, issuedStep)
			if want := int(((hours-3)*time.Hour+step).Truncate(slot)/slot - a.Lead/slot); a.Slots != want {
				t.Errorf("%s: %d slots at %s, want %d", step, a.Slots, a.Lead, want)
			}
		}
	}
}

func TestWhatIsNotComparedDoesNotCount(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	slot := 30 * time.Minute
	at := func(i int) time.Time { return start.Add(time.Duration(i) * slot) }
	known := flatSeries(start, slot, 8, 100)
	gap := flatSeries(start, slot, 8, 130)
	gap.Grams[4] = math.NaN()
	kept := Issue(nil, gap, start.Add(time.Minute))
	if n := len(kept[0].Forecast.Grams); n != 4 {
		t.Fatalf("%d slots were kept, want those before the gap", n)
	}
	tests := map[string]struct {
		actual   Series
		from, to time.Time
		slots    int
	}{
		"all there is":              {known, at(0), at(8), 1}, // slot 3: an hour and more after the issue, and forecast
		"nothing to compare":        {Series{}, at(0), at(8), 0},
		"from later on":             {known, at(4), at(8), 0},
		"until before":              {known, at(0), at(3), 0},
		"an actual value not known": {unknown(start, slot, 8), at(0), at(8), 0},
		"actual values of later":    {flatSeries(at(4), slot, 8, 100), at(0), at(12), 0},
	}
	for name, tt := range tests {
		slots := 0
		compared, _ := Compare(nil, kept, tt.actual, tt.from, tt.to)
		for _, a := range compared {
			slots += a.Slots
			if a.MeanAbsoluteError != 30 {
				t.Errorf("%s: %+v", name, a)
			}
		}
		if slots != tt.slots {
			t.Errorf("%s: %d slots, want %d", name, slots, tt.slots)
		}
	}
	old := []Accuracy{{Lead: time.Hour, MeanAbsoluteError: 10, Slots: 1}, {Lead: 24 * time.Hour, MeanAbsoluteError: 7, Slots: 5}}
	got, until := Compare(old, kept, known, at(0), at(8).Add(-time.Minute))
	if len(got) != 2 || !until.Equal(at(7)) || got[0] != (Accuracy{time.Hour, 20, 2}) || got[1] != old[1] {
		t.Errorf("added up to %+v", got)
	}
	if got := Issue(kept, Series{}, start.Add(2*time.Hour)); len(got) != 1 {
		t.Errorf("nothing was issued and kept: %+v", got)
	}
}

func TestAccuracyOverTwoWeeks(t *testing.T) {
	a := Accuracy{Lead: time.Hour}
	for i := range 672 + 1 {
		a.add(float64(i%2)*2, 672)
	}
	if a.Slots != 672 || math.Abs(a.MeanAbsoluteError-1) > 0.01 {
		t.Errorf("%+v", a)
	}
	for range 10 * 672 {
		a.add(9, 672)
	}
	if math.Abs(a.MeanAbsoluteError-9) > 0.01 {
		t.Errorf("what was long ago still counts: %+v", a)
	}
}
