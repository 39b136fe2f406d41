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

// Search says which windows are looked at.
type Search struct {
	// Earliest and Latest start.
	Earliest, Latest time.Time
	// Duration of the window, in whole seconds.
	Duration time.Duration
	// Phase moves every start but one at Earliest by a time that is the caller's own, so that those who
	// look for the same window do not start in the same second; in whole seconds. Each caller gets the
	// greenest of the starts that it could really have.
	Phase time.Duration
	// Parts of a slot at whose boundaries windows may start too, so that a slot can be filled evenly; they
	// must be whole seconds long. 0 counts as 1.
	Parts int
	// Full says that nothing more may start at a time; nil for never.
	Full func(start time.Time) bool
}

// lastMoments is over how much time before Latest those with a phase are spread who would start at Latest.
const lastMoments = 5 * time.Minute

// Greenest is the window with the least time-weighted mean intensity among all those that start in
// [Earliest, Latest] and that the series covers without a gap; the earliest one of equals. False when
// there is none.
//
// As a function of its start, the mean is piecewise linear with kinks only where the window's start
// or end meets a slot boundary, so its minimum lies at such a kink or at a bound: two candidates a
// slot are enough. With a phase, those candidates are the kinks moved by it, Earliest itself, and a time
// in the last minutes before Latest.
// Starts are whole seconds: Earliest is rounded up, because a start must never be before its bound.
// Time is linear in the number of slots.
func (s Series) Greenest(q Search) (Window, bool) {
	s, from, to, ok := s.bounded(q)
	if !ok {
		return Window{}, false
	}
	var slots [smallSeries + 1]float64
	var unknown [smallSeries + 1]int32
	sums := newPrefix(s, slots[:], unknown[:])
	best, grams := time.Duration(-1), math.Inf(1)
	consider := func(offset time.Duration) {
		if offset < from || offset > to {
			return
		}
		mean := sums.mean(offset, offset+q.Duration)
		if mean < grams-epsilon || mean < grams+epsilon && offset < best {
			if q.Full == nil || !q.Full(s.Start.Add(offset)) {
				best, grams = offset, mean
			}
		}
	}
	consider(from)
	kinks(s.Step/time.Duration(max(1, q.Parts)), from-q.Phase, to-q.Phase, q.Duration, func(kink time.Duration) { consider(kink + q.Phase) })
	consider(to - q.Phase%lastMoments)
	if best < 0 {
		return Window{}, false
	}
	start := s.Start.Add(best)
	return Window{Start: start, End: start.Add(q.Duration), Grams: grams}, true
}

// bounded is the part of the series that the windows of a search lie in, a day's start does not need the
// sums of three, and the offsets from its start between which they may start.
func (s Series) bounded(q Search) (part Series, from, to time.Duration, ok bool) {
	if s.Step <= 0 || q.Duration <= 0 || len(s.Grams) == 0 || q.Latest.Before(s.Start) {
		return s, 0, 0, false
	}
	from = max(0, CeilSecond(q.Earliest).Sub(s.Start))
	to = min(q.Latest.Sub(s.Start).Truncate(time.Second), s.End().Sub(s.Start)-q.Duration)
	if from > to {
		return s, 0, 0, false
	}
	before := from.Truncate(s.Step)
	return s.Clip(s.Start.Add(before), s.Start.Add(to+q.Duration)), from - before, to - before, true
}

// kinks visits the offsets from a grid's start at which a window of length d starts or ends at a boundary
// of the grid.
func kinks(step, from, to, d time.Duration, visit func(time.Duration)) {
	for start := ceilTo(from, step); start <= to; start += step {
		visit(start)
	}
	if d%step == 0 {
		return // they end at a boundary too
	}
	for end := ceilTo(from+d, step); end-d <= to; end += step {
		visit(end - d)
	}
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

// ceilTo is the least multiple of step that is not below d.
func ceilTo(d, step time.Duration) time.Duration {
	rest := d % step
	if rest > 0 {
		return d - rest + step
	}
	return d - rest
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
