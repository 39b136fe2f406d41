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
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// choice is the best window so far and its region's index; -1 while there is none.
type choice struct {
	forecast.Window
	index int
}

// consider compares by mean, then by start; the order of the request decides the rest.
func (c *choice) consider(index int, w forecast.Window) {
	if math.IsNaN(w.Grams) {
		return
	}
	if c.index < 0 || w.Grams < c.Grams || w.Grams == c.Grams && w.Start.Before(c.Start) {
		c.Window, c.index = w, index
	}
}

// choices are the best windows of all regions: a start right now, the soonest one for a present that is unknown,
// the greenest one, and the greenest one that is not in a full slot.
type choices struct{ now, soonest, greenest, open choice }

func newChoices() choices {
	none := choice{index: -1}
	return choices{now: none, soonest: none, greenest: none, open: none}
}

// reference is what waiting is measured against: the best start right now. Where nothing is known of the present
// it is the soonest window that is known, so that nobody waits for a gain over the unknown.
func (c *choices) reference() choice {
	if c.now.index >= 0 {
		return c.now
	}
	return c.soonest
}

// sooner keeps the earlier of two windows.
func (c *choice) sooner(index int, w forecast.Window) {
	if c.index < 0 || w.Start.Before(c.Start) {
		c.Window, c.index = w, index
	}
}

// look considers the starts in a region, and gives its greenest one that is not in a full slot.
func (c *choices) look(r Request, index int, now, latest time.Time) (forecast.Window, bool) {
	region := r.Regions[index]
	c.now.consider(index, immediate(region, now, r.Duration))
	if c.now.index < 0 {
		if w, ok := region.Estimate.Series.Soonest(now, latest, r.Duration); ok {
			c.soonest.sooner(index, w)
		}
	}
	search := forecast.Search{Earliest: now, Latest: latest, Duration: r.Duration, Phase: phaseOf(r, region)}
	if region.Room != nil {
		search.Parts = region.Room.parts
	}
	w, ok := region.Estimate.Series.Greenest(search)
	if !ok {
		return w, false
	}
	c.greenest.consider(index, w)
	if region.Room != nil && w.Start.After(now) {
		search.Full = region.Room.Full
		if w, ok = region.Estimate.Series.Greenest(search); !ok {
			return w, false
		}
	}
	c.open.consider(index, w)
	return w, true
}

// roomToWait says whether a slot that is not full is worth waiting for too.
func (c *choices) roomToWait(now time.Time, minimumPercent float64) bool {
	return c.open.index >= 0 && worthWaiting(c.open.Window, c.reference().Window, now, minimumPercent) == GreenestWindow
}

// crowdedOut says whether a greener window is in a full slot.
func (c *choices) crowdedOut() bool {
	return c.open.index < 0 || c.open.Grams > c.greenest.Grams
}
