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
	"time"
)

// Window is a time of some length with its mean carbon intensity in gCO2e/kWh.
type Window struct {
	Start, End time.Time
	Grams      float64
}

// Greenest is the window of length d with the least time-weighted mean intensity among all those
// that start in [earliest, latest] and that the series covers without a gap; the earliest one of
// equals. False when there is none.
//
// As a function of its start, the mean is piecewise linear with kinks only where the window's start
// or end meets a slot boundary, so its minimum lies at such a kink or at a bound: two candidates a
// slot are enough. Starts are whole seconds: the first one is earliest rounded up, because a start
// must never be before its bound. Time is linear in the number of slots.
func (s Series) Greenest(earliest, latest time.Time, d time.Duration) (Window, bool) {
	return s.GreenestOpen(earliest, latest, d, nil)
}

// GreenestOpen is Greenest without the starts in slots that are full, as full says of each slot's
// start; nil means none. Starts just before a full slot that are no kink are not considered.
func (s Series) GreenestOpen(earliest, latest time.Time, d time.Duration, full func(slot time.Time) bool) (Window, bool) {
	if s.Step <= 0 || d <= 0 || len(s.Grams) == 0 {
		return Window{}, false
	}
	from, to := CeilSecond(earliest).Sub(s.Start), latest.Sub(s.Start).Truncate(time.Second)
	from, to = max(from, 0), min(to, s.End().Sub(s.Start)-d)
	if latest.Before(s.Start) || from > to {
		return Window{}, false
	}
	first := from / s.Step * s.Step
	s = s.Clip(s.Start.Add(first), s.Start.Add(to+d)) // a day's start does not need the sums of three
	from, to = from-first, to-first
	var slots [smallSeries + 1]float64
	var unknown [smallSeries + 1]int32
	sums := newPrefix(s, slots[:], unknown[:])
	best, found := Window{Grams: math.Inf(1)}, false
	consider := func(offset time.Duration) {
		if offset < from || offset > to {
			return
		}
		if grams := sums.mean(offset, offset+d); grams < best.Grams-epsilon {
			if full != nil && full(s.Start.Add(offset-offset%s.Step)) {
				return
			}
			start := s.Start.Add(offset)
			best, found = Window{Start: start, End: start.Add(d), Grams: grams}, true
		}
	}
	// Both kinds of kink are walked in order of time, so that the earliest of equals wins.
	consider(from)
	starts := from - from%s.Step + s.Step
	ends := ceilTo(from+d, s.Step) - d
	for starts <= to || ends <= to {
		if starts <= ends {
			consider(starts)
			starts += s.Step
		} else {
			consider(ends)
			ends += s.Step
		}
	}
	consider(to)
	return best, found
}

// smallSeries is how many slots are looked at without asking for memory: four days of half hours.
const smallSeries = 192

// epsilon is the difference in gCO2e/kWh below which two means count as equal, so that rounding
// errors do not put a start off.
const epsilon = 1e-9

// CeilSecond is the first whole second that is not before t: API times have no smaller unit, and
// nothing may start before its time.
func CeilSecond(t time.Time) time.Time {
	if floor := t.Truncate(time.Second); floor.Before(t) {
		return floor.Add(time.Second)
	}
	return t
}

func ceilTo(d, step time.Duration) time.Duration {
	if rest := d % step; rest != 0 {
		return d - rest + step
	}
	return d
}

// prefix answers means over a series in constant time. Gaps are counted apart: a NaN in the sums
// would spoil everything behind it.
type prefix struct {
	series Series
	sum    []float64 // sum[i]: value x seconds of the slots before i
	gaps   []int32   // gaps[i]: unknown slots before i
}

// newPrefix uses the two buffers, zeroed ones, if they are long enough.
func newPrefix(s Series, sum []float64, gaps []int32) prefix {
	if n := len(s.Grams) + 1; n > len(sum) || n > len(gaps) {
		sum, gaps = make([]float64, n), make([]int32, n)
	}
	p := prefix{series: s, sum: sum, gaps: gaps}
	seconds := s.Step.Seconds()
	for i, g := range s.Grams {
		p.sum[i+1], p.gaps[i+1] = p.sum[i], p.gaps[i]
		if math.IsNaN(g) {
			p.gaps[i+1]++
		} else {
			p.sum[i+1] += g * seconds
		}
	}
	return p
}

// mean over [from, to), offsets from the series' start; NaN when it touches a gap.
func (p prefix) mean(from, to time.Duration) float64 {
	step := p.series.Step
	first, last := int(from/step), int(ceilTo(to, step)/step)
	if p.gaps[last] > p.gaps[first] {
		return math.NaN()
	}
	return (p.until(to) - p.until(from)) / (to - from).Seconds()
}

func (p prefix) until(offset time.Duration) float64 {
	i := int(offset / p.series.Step)
	sum := p.sum[i]
	if rest := offset - time.Duration(i)*p.series.Step; rest > 0 && !math.IsNaN(p.series.Grams[i]) {
		sum += p.series.Grams[i] * rest.Seconds()
	}
	return sum
}
