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
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

func TestOccupancy(t *testing.T) {
	grid := region("gb", 1, 2, 3).Estimate.Series
	o := NewOccupancy(2, grid)
	for _, m := range []int{30, 59, -1, -30} {
		o.Add(minute(m))
	}
	for m, want := range map[int]bool{30: true, 45: true, 0: false, 29: false, 60: false, -1: true, -30: true, -31: false} {
		if o.Full(minute(m)) != want {
			t.Errorf("minute %d: full is %v", m, !want)
		}
	}
	o.Remove(minute(40))
	if o.Full(minute(30)) {
		t.Error("a start that was taken back still counts")
	}
	later, other := grid, grid
	later.Start, other.Step = minute(90), time.Hour
	if !o.Fits(2, grid) || !o.Fits(2, later) || o.Fits(3, grid) || o.Fits(2, other) {
		t.Error("Fits")
	}
	if later.Start = minute(95); o.Fits(2, later) {
		t.Error("Fits a grid that is shifted")
	}
	if free := NewOccupancy(0, grid); free.Full(minute(0)) {
		t.Error("no limit is full")
	}
	if none := NewOccupancy(1, forecast.Series{}); none.Full(minute(0)) {
		t.Error("no grid is full")
	}
}

func TestAFullSlotSendsAJobToTheNextBest(t *testing.T) {
	full := map[int]bool{}
	q := request(region("gb", 300, 100, 150, 400, 200), region("de", 310, 310, 310, 310, 120))
	for i := range q.Regions {
		name := q.Regions[i].Name
		q.Regions[i].Full = func(slot time.Time) bool { return name == "gb" && full[int(slot.Sub(midnight).Minutes())] }
	}
	for _, step := range []struct {
		fill    int
		region  string
		start   int
		reason  Reason
		message string
	}{
		{-1, "gb", 30, GreenestWindow, "waits 30m for 100 g/kWh in gb, 67 % below now"},
		{30, "de", 120, GreenestWindow, "waits 2h for 120 g/kWh in de, 60 % below now; the greener slots are full"},
	} {
		full[step.fill] = true
		p := Choose(q)
		if p.Region != step.region || !p.Start.Equal(minute(step.start)) || p.Reason != step.reason || p.Message != step.message {
			t.Errorf("after filling %d: %s at %s (%s): %s", step.fill, p.Region, p.Start, p.Reason, p.Message)
		}
	}
	q.Regions = q.Regions[:1]
	full[60], full[120] = true, true
	p := Choose(q)
	if p.Reason != SlotsFull || !p.Start.Equal(q.Now) || p.Grams != 300 || !strings.Contains(p.Message, "every slot within 4h that would be worth waiting for is full") {
		t.Errorf("with a dirtier slot left: %+v", p)
	}
	full[90], full[0] = true, true // also its own slot: a start now is always possible
	if p := Choose(q); p.Reason != SlotsFull || !p.Start.Equal(q.Now) {
		t.Errorf("with no slot left: %+v", p)
	}
}

// TestSpreadingKeepsItsPromises fills random grids: no slot gets more waiting jobs than the cap, no job
// starts at a time that is dirtier than now, and the same jobs get the same starts again.
func TestSpreadingKeepsItsPromises(t *testing.T) {
	fill := func(seed uint64) ([]time.Time, int) {
		r := rand.New(rand.NewPCG(seed, 5))
		limit := 1 + r.IntN(20)
		q := request(region("gb"), region("de"))
		occupied := map[string]*Occupancy{}
		for i := range q.Regions {
			q.Regions[i] = region(q.Regions[i].Name, day(r)...)
			slots := NewOccupancy(limit, q.Regions[i].Estimate.Series)
			occupied[q.Regions[i].Name], q.Regions[i].Full = slots, slots.Full
		}
		q.Jitter, q.MaxDelay = nil, 12*time.Hour
		waiting, overflows := map[string]int{}, 0
		var starts []time.Time
		for i := range 300 {
			q.UID = fmt.Sprintf("uid-%d", i)
			q.Now = minute(i)
			q.Submitted = q.Now
			p := Choose(q)
			occupied[p.Region].Add(p.Start)
			starts = append(starts, p.Start)
			if p.Reason == SlotsFull {
				overflows++
			}
			if p.Start.Equal(q.Now) {
				continue
			}
			if p.Grams >= p.NowGrams {
				t.Fatalf("job %d waits for %v g/kWh, now it is %v", i, p.Grams, p.NowGrams)
			}
			slot := fmt.Sprint(p.Region, p.Start.Truncate(30*time.Minute))
			if waiting[slot]++; waiting[slot] > limit {
				t.Fatalf("%d jobs wait for slot %s, the cap is %d", waiting[slot], slot, limit)
			}
		}
		return starts, overflows
	}
	overflows := 0
	for seed := range uint64(50) {
		starts, full := fill(seed)
		overflows += full
		again, _ := fill(seed)
		for i := range starts {
			if !starts[i].Equal(again[i]) {
				t.Fatalf("seed %d, job %d: %s, then %s", seed, i, starts[i], again[i])
			}
		}
	}
	if overflows == 0 {
		t.Error("no slot was ever short: the test shows nothing")
	}
}
