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
	"slices"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// Region is a grid with its history: what was forecast, and what it really was.
type Region struct {
	Name  string
	Trace forecast.Trace
}

// history tells the past of a region as it unfolded: at every time only what was published by then.
// It is the only way from a trace to a policy.
type history struct {
	trace forecast.Trace
	// late is how long after the end of a slot its actual value is published.
	late time.Duration
	// known are the last two answers, of one slot each: jobs come by the thousand in a slot.
	known [2]Knowledge
}

// Knowledge is what was published of a region at one time: copies, behind which the trace cannot be
// reached.
type Knowledge struct {
	// from and until bound what it is about; published is the end of the last actual value.
	from, until, published time.Time
	// issue is which of the issued forecasts was the last one; -1 where they are not told, or none was there yet.
	issue int
	// ahead is the forecast of the slots that had not ended.
	ahead forecast.Series
	// meanDay is the mean day of the last 14 days, as far as it was published.
	meanDay forecast.Profile
}

// at is what was known at t for a decision about the time until the given one: the forecast from the
// slot that contains t on, and the mean day. Actual values count once their slot ended and they are
// published.
func (h *history) at(t, until time.Time) *Knowledge {
	step := h.trace.Forecast.Step
	slot := floorTo(t, h.trace.Forecast.Start, step)
	published := floorTo(t.Add(-h.late), h.trace.Actual.Start, step)
	until = floorTo(until.Add(step-1), h.trace.Forecast.Start, step) // whole slots: one answer does for all jobs of a slot
	issue := h.lastIssue(t)
	for i := range h.known {
		if k := &h.known[i]; k.issue == issue && k.from.Equal(slot) && k.until.Equal(until) && k.published.Equal(published) {
			return k
		}
	}
	k := Knowledge{from: slot, until: until, published: published, issue: issue, ahead: h.issued(issue).Clip(slot, until)}
	k.ahead.Grams = slices.Clone(k.ahead.Grams)
	if h.known[0].from.Equal(slot) && h.known[0].published.Equal(published) {
		k.meanDay = h.known[0].meanDay
	} else {
		past := h.trace.Actual.Clip(slot.Add(-forecast.HistoryDays*24*time.Hour), published) // what a source is asked for
		k.meanDay, _ = forecast.ProfileOf(past)
	}
	h.known[1], h.known[0] = h.known[0], k
	return &h.known[0]
}

// lastIssue is the last forecast that was issued by t, as an index; -1 for none.
func (h *history) lastIssue(t time.Time) int {
	after, _ := slices.BinarySearchFunc(h.trace.Issued, t, func(i forecast.Issued, t time.Time) int {
		if i.At.After(t) {
			return 1
		}
		return -1
	})
	return after - 1
}

// issued is the forecast of an issue. Histories that do not tell them have one for all times: the last word on
// every slot.
func (h *history) issued(issue int) forecast.Series {
	switch {
	case len(h.trace.Issued) == 0:
		return h.trace.Forecast
	case issue < 0:
		return forecast.Series{}
	}
	return h.trace.Issued[issue].Forecast
}

// Forecast is what the provider had forecast.
func (k *Knowledge) Forecast() forecast.Estimate {
	return forecast.Estimate{Series: k.ahead, Quality: forecast.Forecast}
}

// Estimate is what the operator makes of it.
func (k *Knowledge) Estimate() forecast.Estimate {
	return forecast.Blend(k.ahead, forecast.Forecast, k.meanDay, k.from, k.until)
}

// floorTo is the last point of a grid that is not after t.
func floorTo(t, origin time.Time, step time.Duration) time.Time {
	rest := t.Sub(origin) % step
	if rest < 0 {
		rest += step
	}
	return t.Add(-rest)
}
