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
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// Occupancy counts the starts that are planned in one region, slot by slot of its estimate, so that
// no slot takes more than a cap: the water-filling of the starts over the green slots. A job goes to
// the greenest slot with room (Request, Region.Full); when none is left that is worth waiting for it
// starts at once, so a start is never moved to a time that is dirtier than now. The order in which
// jobs are planned decides who gets the greener slot.
//
// The zero Occupancy is not usable; make one with NewOccupancy. It is not safe for concurrent use.
type Occupancy struct {
	limit  int
	origin time.Time
	step   time.Duration
	starts map[int64]int
}

// NewOccupancy counts starts on the grid of a series, at most limit a slot; a limit below 1 means no
// limit.
func NewOccupancy(limit int, grid forecast.Series) *Occupancy {
	return &Occupancy{limit: limit, origin: grid.Start, step: grid.Step, starts: map[int64]int{}}
}

// Fits says whether the slots of a series are those that are counted, and the limit is the same.
func (o *Occupancy) Fits(limit int, grid forecast.Series) bool {
	return o.limit == limit && o.step == grid.Step && (o.step <= 0 || grid.Start.Sub(o.origin)%o.step == 0)
}

// Add counts a start at t; Remove takes it back.
func (o *Occupancy) Add(t time.Time) {
	if o.step > 0 {
		o.starts[o.slot(t)]++
	}
}

// Remove takes back a start at t that was added.
func (o *Occupancy) Remove(t time.Time) {
	if o.step <= 0 {
		return
	}
	slot := o.slot(t)
	if o.starts[slot]--; o.starts[slot] <= 0 {
		delete(o.starts, slot)
	}
}

// Full says whether the slot that contains t has as many starts as it may have.
func (o *Occupancy) Full(t time.Time) bool {
	return o.limit > 0 && o.step > 0 && o.starts[o.slot(t)] >= o.limit
}

func (o *Occupancy) slot(t time.Time) int64 {
	since := t.Sub(o.origin)
	slot := since / o.step
	if since < 0 && since%o.step != 0 {
		slot-- // towards the past, not towards zero
	}
	return int64(slot)
}
