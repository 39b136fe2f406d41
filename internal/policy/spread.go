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

// partOfSlot is how long at least the parts are in which the starts of a slot are counted.
const partOfSlot = time.Minute

// Occupancy counts the starts that are planned in one region, slot by slot of its estimate, so that
// no slot takes more than a limit: guarded water-filling of the greenest times. A job goes to the
// greenest time with room (Region.Room); when none is left that is worth waiting for it starts at once,
// so a start is never moved to a time that is dirtier than now. The order in which jobs are planned
// decides who gets the greener time.
//
// A slot is filled evenly: each of its minutes takes its share of the limit. A small limit has longer parts,
// one for each start.
//
// Make one with NewOccupancy; nil is one without a limit. It is not safe for concurrent use.
type Occupancy struct {
	limit, parts int
	origin       time.Time
	part         time.Duration
	starts       map[int64]int
}

// longestSlot is how long a slot can be in which starts are counted: a constant has no slots to spread over.
const longestSlot = 24 * time.Hour

// NewOccupancy counts starts on the grid of a series, at most limit a slot; nil when the limit is below 1
// or the series has no slots, or is constant.
func NewOccupancy(limit int, grid forecast.Series) *Occupancy {
	if !canCount(limit, grid) {
		return nil
	}
	parts := max(1, min(limit, int(grid.Step/partOfSlot)))
	for grid.Step%(time.Duration(parts)*time.Second) != 0 {
		parts--
	}
	return &Occupancy{limit: limit, parts: parts, origin: grid.Start, part: grid.Step / time.Duration(parts), starts: map[int64]int{}}
}

func canCount(limit int, grid forecast.Series) bool {
	return limit >= 1 && grid.Step > 0 && grid.Step <= longestSlot
}

// Fits says whether the slots of a series are those that are counted, and the limit is the same.
func (o *Occupancy) Fits(limit int, grid forecast.Series) bool {
	if o == nil || !canCount(limit, grid) {
		return o == nil && !canCount(limit, grid)
	}
	return o.limit == limit && o.IsOn(grid)
}

// IsOn says whether the slots of a series are those that are counted; nil counts none.
func (o *Occupancy) IsOn(grid forecast.Series) bool {
	if o == nil || grid.Step <= 0 {
		return false
	}
	return o.Slot() == grid.Step && grid.Start.Sub(o.origin)%grid.Step == 0
}

// Slot is how long the slots are; the longest in which starts can be counted for nil.
func (o *Occupancy) Slot() time.Duration {
	if o == nil {
		return longestSlot
	}
	return o.part * time.Duration(o.parts)
}

// Add counts a start at t.
func (o *Occupancy) Add(t time.Time) {
	if o != nil {
		o.starts[o.index(t)]++
	}
}

// Remove takes back a start at t that was added.
func (o *Occupancy) Remove(t time.Time) {
	if o == nil {
		return
	}
	i := o.index(t)
	if o.starts[i]--; o.starts[i] <= 0 {
		delete(o.starts, i)
	}
}

// Full says whether the part of the slot that contains t has as many starts as it may have.
func (o *Occupancy) Full(t time.Time) bool {
	if o == nil {
		return false
	}
	i := o.index(t)
	within := int(i%int64(o.parts)+int64(o.parts)) % o.parts
	share := (within+1)*o.limit/o.parts - within*o.limit/o.parts // the shares add up to the limit
	return o.starts[i] >= share
}

// index counts the parts from the origin on.
func (o *Occupancy) index(t time.Time) int64 {
	since := t.Sub(o.origin)
	i := since / o.part
	if since%o.part < 0 {
		i-- // towards the past, not towards zero
	}
	return int64(i)
}
