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

func TestOccupancyCountsBySlotAndPart(t *testing.T) {
	grid := region("gb", 1, 2, 3).Estimate.Series
	one := NewOccupancy(1, grid)
	for _, m := range []int{30, -1} {
		one.Add(minute(m))
	}
	for m, want := range map[int]bool{30: true, 59: true, 0: false, 29: false, 60: false, -1: true, -30: true, -31: false} {
		if one.Full(minute(m)) != want {
			t.Errorf("minute %d: full is %v", m, !want)
		}
	}
	one.Remove(minute(40))
	if one.Full(minute(30)) {
		t.Error("a start that was taken back still counts")
	}
	for _, limit := range []int{1, 2, 3, 4, 5, 7, 8, 13, 416} {
		o, taken := NewOccupancy(limit, grid), 0
		perMinute := map[int]int{}
		for second := range 1800 * 3 { // three rounds of asking
			at := midnight.Add(-time.Hour + time.Duration(second%1800)*time.Second)
			for !o.Full(at) && perMinute[second%1800/60] < limit/5+1 {
				o.Add(at)
				taken++
				perMinute[second%1800/60]++
			}
		}
		if taken != limit {
			t.Errorf("a slot with a limit of %d took %d", limit, taken)
		}
	}
}

func TestOccupancyFits(t *testing.T) {
	grid := region("gb", 1, 2, 3).Estimate.Series
	o := NewOccupancy(2, grid)
	later, shifted, longer := grid, grid, grid
	later.Start, shifted.Start, longer.Step = minute(90), minute(95), time.Hour
	if !o.Fits(2, grid) || !o.Fits(2, later) || o.Fits(3, grid) || o.Fits(2, shifted) || o.Fits(2, longer) || o.Fits(0, grid) {
		t.Error("it fits another grid or limit, or not its own")
	}
	for _, none := range []*Occupancy{NewOccupancy(0, grid), NewOccupancy(-1, grid), NewOccupancy(1, forecast.Series{})} {
		none.Add(midnight)
		none.Remove(midnight)
		if none.Full(midnight) || none.Fits(1, grid) || !none.Fits(0, grid) || !none.Fits(1, forecast.Series{}) {
			t.Error("what counts nothing is full, or fits what counts")
		}
	}
}

func TestAFullSlotSendsAJobToTheNextBest(t *testing.T) {
	q := request(region("gb", 300, 100, 150, 400, 200), region("de", 310, 310, 310, 310, 120))
	full := func(minutes ...int) {
		for _, m := range minutes {
			for !q.Regions[0].Room.Full(minute(m)) {
				q.Regions[0].Room.Add(minute(m))
			}
		}
	}
	q.Regions[0].Room = NewOccupancy(1, q.Regions[0].Estimate.Series)
	for _, step := range []struct {
		fill    []int
		region  string
		start   int
		reason  Reason
		message string
	}{
		{nil, "gb", 30, GreenestWindow, "waits 30m for 100 g/kWh in gb, 67 % below now"},
		{[]int{30}, "de", 120, GreenestWindow, "waits 2h for 120 g/kWh in de, 60 % below now; the greener slots are full"},
	} {
		full(step.fill...)
		p := Choose(q)
		if p.Region != step.region || !p.Start.Equal(minute(step.start)) || p.Reason != step.reason || p.Message() != step.message {
			t.Errorf("after filling %v: %s at %s (%s): %s", step.fill, p.Region, p.Start, p.Reason, p.Message())
		}
	}
	q.Regions = q.Regions[:1]
	full(60, 120)
	p := Choose(q)
	if p.Reason != SlotsFull || !p.Start.Equal(q.Now) || p.Grams != 300 || !strings.Contains(p.Message(), "every slot within 4h that would be worth waiting for is full") {
		t.Errorf("with a dirtier slot left: %+v", p)
	}
	full(90, 0) // also its own slot: a start now is always possible
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
		for i := range q.Regions {
			q.Regions[i] = region(q.Regions[i].Name, day(r)...)
			q.Regions[i].Room = NewOccupancy(limit, q.Regions[i].Estimate.Series)
		}
		q.Jitter, q.MaxDelay = nil, 12*time.Hour
		waiting, overflows := map[string]int{}, 0
		var starts []time.Time
		for i := range 300 {
			q.UID = fmt.Sprintf("uid-%d", i)
			q.Now = minute(i)
			q.Submitted = q.Now
			p := Choose(q)
			q.Regions[indexOfRegion(q.Regions, p.Region)].Room.Add(p.Start)
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
