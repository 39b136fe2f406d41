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

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestReplan(t *testing.T) {
	// Slots of half an hour: the old start is at 120 minutes, with 100 g/kWh.
	seen := request(region("gb", 300, 98, 99.5, 90, 100, 300, 60, 30), region("de", 300, 95, 95, 95, 95, 95, 95, 95), region("fr"))
	plan := func(region string, m int, grams float64) Plan {
		return Plan{Region: region, Start: minute(m), Grams: grams}
	}
	for name, c := range map[string]struct {
		old  Decision
		next Plan
		now  time.Time
		want bool
		only bool // the one plan that is left
	}{
		"a greener start far away":             {Decision{"gb", minute(120), 0}, plan("gb", 180, 60), minute(0), true, false},
		"a slot away":                          {Decision{"gb", minute(120), 0}, plan("gb", 90, 90), minute(0), false, false},
		"earlier":                              {Decision{"gb", minute(120), 0}, plan("gb", 30, 98), minute(0), true, false},
		"too little greener":                   {Decision{"gb", minute(120), 0}, plan("gb", 60, 99.5), minute(0), false, false},
		"not greener":                          {Decision{"gb", minute(120), 0}, plan("gb", 0, 100), minute(0), false, false},
		"another region":                       {Decision{"gb", minute(120), 0}, plan("de", 120, 95), minute(0), true, false},
		"the second time must save 2 %":        {Decision{"gb", minute(120), 1}, plan("gb", 30, 98), minute(0), true, false},
		"the third time must save 4 %":         {Decision{"gb", minute(120), 2}, plan("gb", 30, 98), minute(0), false, false},
		"the seventh time must save 64 %":      {Decision{"gb", minute(120), 6}, plan("gb", 210, 30), minute(0), true, false},
		"there is no eighth time":              {Decision{"gb", minute(120), 7}, plan("gb", 210, 0), minute(0), false, false},
		"too close to the start":               {Decision{"gb", minute(120), 0}, plan("gb", 180, 60), minute(120).Add(-Freeze + 1), false, false},
		"just far enough from it":              {Decision{"gb", minute(120), 0}, plan("gb", 180, 60), minute(120).Add(-Freeze), true, false},
		"its start has come":                   {Decision{"gb", minute(120), 0}, plan("gb", 180, 60), minute(121), false, false},
		"nothing is known any more":            {Decision{"gb", minute(120), 0}, plan("gb", 0, math.NaN()), minute(0), false, false},
		"nothing is known of the old one":      {Decision{"fr", minute(120), 0}, plan("gb", 180, 60), minute(0), true, true},
		"its region is gone":                   {Decision{"nl", minute(120), 7}, plan("gb", 0, 300), minute(0), true, true},
		"there was no region, and is none yet": {Decision{"", minute(240), 0}, plan("", 240, math.NaN()), minute(0), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := seen
			r.Now = c.now
			if got, improves := Replan(c.old, c.next, r); got != c.want || improves != (c.want && !c.only) {
				t.Errorf("Replan = %v, improves %v, want %v", got, improves, c.want)
			}
		})
	}
}

// TestReplanningDoesNotThrash revises forecasts of two regions every half hour, wildly, and follows the
// plan until its start.
func TestReplanningDoesNotThrash(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	jobs, moves, quietMoves := 2000, 0, 0
	for range jobs {
		noise := []float64{0.003, 0.1, 2}[r.IntN(3)] // of the mean; the last one leaves nothing of the old forecast
		base := [][]float64{day(r), day(r)}
		q := request(region("gb"), region("de"))
		q.MaxDelay = time.Duration(1+r.IntN(24*60)) * time.Minute
		q.MinimumSavingPercent = float64(r.IntN(3))
		if noise > 0.01 {
			q.Jitter, q.UID = nil, string(rune('a'+r.IntN(26)))
		}
		var old Decision
		for q.Now = midnight; ; q.Now = q.Now.Add(30 * time.Minute) {
			for i, b := range base {
				grams := make([]float64, len(b))
				for j := range grams {
					grams[j] = b[j] * max(0.01, 1+noise*(r.Float64()-0.5))
				}
				q.Regions[i] = region(q.Regions[i].Name, grams...)
			}
			next := Choose(q)
			if q.Now.Equal(midnight) {
				old = Decision{Region: next.Region, Start: next.Start}
				continue
			}
			if !q.Now.Before(old.Start) {
				break
			}
			if moved, _ := Replan(old, next, q); moved {
				was, _ := q.Regions[indexOfRegion(q.Regions, old.Region)].Estimate.Series.Mean(old.Start, old.Start.Add(q.Duration))
				if next.Grams > was*0.99 {
					t.Fatalf("moved from %v to %v g/kWh", was, next.Grams)
				}
				moves++
				if noise < 0.01 {
					quietMoves++
				}
				old = Decision{Region: next.Region, Start: next.Start, Improvements: old.Improvements + 1}
			}
			if old.Start.After(LatestStart(q.Submitted, q.MaxDelay)) {
				t.Fatalf("start %s is after the latest start", old.Start)
			}
			if old.Improvements > 7 {
				t.Fatalf("moved %d times", old.Improvements)
			}
		}
	}
	if quietMoves > 0 {
		t.Errorf("%d moves for forecasts that change by less than the minimum saving", quietMoves)
	}
	if moves < jobs/10 {
		t.Errorf("only %d moves: the test shows too little", moves)
	}
	t.Logf("%d moves of %d jobs", moves, jobs)
}

// day is two days of a grid with a daily rhythm.
func day(r *rand.Rand) []float64 {
	grams := make([]float64, 96)
	for i := range grams {
		grams[i] = 200 + 80*math.Sin(float64(i)*2*math.Pi/48) + 40*r.Float64()
	}
	return grams
}

func TestAPlanKeepsItsSlotWhenOthersFillIt(t *testing.T) {
	q := request(region("gb", 300, 300, 100, 200, 300))
	slots := NewOccupancy(1, q.Regions[0].Estimate.Series)
	q.Regions[0].Room = slots
	first := Choose(q)
	slots.Add(first.Start)
	slots.Remove(first.Start) // a job's own place is not in its way
	if again := Choose(q); !again.Start.Equal(first.Start) {
		t.Errorf("%s became %s", first.Start, again.Start)
	}
	slots.Add(first.Start) // somebody took it in the meantime: what is left is no better than the old plan
	if moved, _ := Replan(Decision{Region: "gb", Start: first.Start}, Choose(q), q); moved {
		t.Error("a plan was given up for a dirtier one")
	}
}
