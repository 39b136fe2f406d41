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
	"fmt"
	"slices"
	"time"
)

// Replay maps a trace's time onto wall time: the trace's instant From happens at Anchor, and from
// there time runs Speed times as fast.
type Replay struct {
	From, Anchor time.Time
	Speed        int64
}

// Replay is the trace as it happens in wall time. An error says that From is outside the trace, or
// that a slot would not last a whole number of seconds.
func (t Trace) Replay(r Replay) (Trace, error) {
	if r.Speed < 1 {
		return Trace{}, fmt.Errorf("replay.speed must be at least 1, got %d", r.Speed)
	}
	if r.From.Before(t.Forecast.Start) || !r.From.Before(t.Forecast.End()) {
		return Trace{}, fmt.Errorf("replay.from (%s) is outside the trace (%s to %s)", r.From.UTC().Format(time.RFC3339),
			t.Forecast.Start.Format(time.RFC3339), t.Forecast.End().Format(time.RFC3339))
	}
	speed := time.Duration(r.Speed) // a factor
	if step := t.Forecast.Step; step%speed != 0 || step/speed%time.Second != 0 {
		return Trace{}, fmt.Errorf("replay.speed %d: a slot of %s would last %s; it must last a whole number of seconds",
			r.Speed, step, step/speed)
	}
	move := func(s Series) Series {
		if len(s.Grams) == 0 {
			return s
		}
		s.Start = CeilSecond(r.Anchor.Add(s.Start.Sub(r.From) / speed))
		s.Step /= speed
		return s
	}
	return Trace{Forecast: move(t.Forecast), Actual: move(t.Actual), Estimated: move(t.Estimated)}, nil
}

// Past is the series of the slots that ended, with one quality a slot: Actual, Estimated or, where the
// source has told nothing since, Forecast.
type Past struct {
	Series
	Qualities []Quality
}

// Of is the part of the past that has the given quality; all else in it is unknown.
func (p Past) Of(quality Quality) Series {
	part := unknown(p.Start, p.Step, len(p.Grams))
	for i, q := range p.Qualities {
		if q == quality {
			part.Grams[i] = p.Grams[i]
		}
	}
	return part
}

// ActualUntil is the end of the last slot with an actual value; zero when there is none.
func (p Past) ActualUntil() time.Time {
	for i, q := range slices.Backward(p.Qualities) {
		if q == Actual {
			return p.Start.Add(time.Duration(i+1) * p.Step)
		}
	}
	return time.Time{}
}

// Known splits a trace at now the way a provider would. The forecast holds the slots that have not
// ended, for at most horizon. recent holds the slots that ended, for at most history: actual values
// where there are some, else estimated ones, else what was forecast. A slot that ends exactly now has
// ended, one that starts exactly now has not.
func (t Trace) Known(now time.Time, horizon, history time.Duration) (forecast Series, recent Past) {
	all := t.Forecast
	if all.Step <= 0 {
		return Series{}, Past{}
	}
	present := now
	if now.After(all.Start) {
		elapsed := now.Sub(all.Start)
		present = all.Start.Add(elapsed - elapsed%all.Step)
	}
	past := all.Clip(now.Add(-history), present)
	recent.Series = Series{Start: past.Start, Step: past.Step, Grams: make([]float64, len(past.Grams))}
	recent.Qualities = make([]Quality, len(past.Grams))
	for i := range past.Grams {
		recent.Grams[i], recent.Qualities[i] = t.told(past.Start.Add(time.Duration(i)*past.Step), past.Grams[i])
	}
	return all.Clip(present, now.Add(horizon)), recent
}

// told is the best that the trace knows of the slot at t, of which was forecast what is given.
func (t Trace) told(at time.Time, was float64) (float64, Quality) {
	if grams, ok := t.Actual.At(at); ok {
		return grams, Actual
	}
	if grams, ok := t.Estimated.At(at); ok {
		return grams, Estimated
	}
	return was, Forecast
}
