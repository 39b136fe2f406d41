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
	"math"
	"testing"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

func TestPhaseIsSpreadEvenlyOverUIDs(t *testing.T) {
	const jobs, buckets = 10_000, 30
	width := 30 * time.Minute
	counts := make([]int, buckets)
	for i := range jobs {
		uid := fmt.Sprintf("7c1d5c4e-0000-4000-8000-%012d", i) // neighbours, as an API server could make them
		phase := Phase(uid, width)
		if phase < 0 || phase >= width || phase%time.Second != 0 {
			t.Fatalf("Phase(%s) = %s", uid, phase)
		}
		if Phase(uid, width) != phase {
			t.Fatalf("Phase(%s) changes", uid)
		}
		counts[phase/time.Minute]++
	}
	// Chi-square with 29 degrees of freedom: above 58 has a probability of 0.1 %.
	expected, chi := float64(jobs)/buckets, 0.0
	for _, n := range counts {
		chi += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	if chi > 58 {
		t.Errorf("chi-square = %.1f for %v: the phases are not even", chi, counts)
	}
}

func TestPhaseOfANarrowWidthIsZero(t *testing.T) {
	for _, width := range []time.Duration{-time.Hour, 0, time.Second, 2*time.Second - 1} {
		if got := Phase("uid", width); got != 0 {
			t.Errorf("Phase(%s) = %s", width, got)
		}
	}
}

func TestPhaseWidth(t *testing.T) {
	gb := region("gb", 300, 100, 300)
	duration := func(d time.Duration) *time.Duration { return &d }
	for name, c := range map[string]struct {
		jitter   *time.Duration
		maxDelay time.Duration
		want     time.Duration
	}{
		"a slot":                      {nil, 4 * time.Hour, 30 * time.Minute},
		"a smaller jitter":            {duration(5 * time.Minute), 4 * time.Hour, 5 * time.Minute},
		"a larger jitter":             {duration(5 * time.Hour), 4 * time.Hour, 30 * time.Minute},
		"no more than a job may wait": {nil, 12 * time.Minute, 12 * time.Minute},
		"no jitter":                   {duration(0), 4 * time.Hour, 0},
		"a job that may not wait":     {nil, 0, 0},
	} {
		if got := phaseWidth(Request{Jitter: c.jitter, MaxDelay: c.maxDelay}, gb); got != c.want {
			t.Errorf("%s: width = %s, want %s", name, got, c.want)
		}
	}
}

// TestAHerdSpreadsOverASlotAroundTheGreenestTime: jobs that are submitted together and wait for the same
// slot start in a band of its length, evenly, or in the last minutes before their latest start, and none at a time that is dirtier than now.
func TestAHerdSpreadsOverASlotAroundTheGreenestTime(t *testing.T) {
	const jobs = 30_000
	for name, c := range map[string]struct {
		grams              []float64
		first, last, width int // minutes
	}{
		"greenest in the middle":   {[]float64{300, 250, 100, 200, 300}, 45, 75, 30},
		"the next one is as green": {[]float64{300, 250, 100, 100, 300}, 60, 90, 30},
		"just before a peak":       {[]float64{300, 250, 240, 100, 900}, 60, 90, 30},
		"falling to the end":       {[]float64{300, 250, 200, 150, 140, 130, 120, 110, 100, 90}, 235, 240, 5},
	} {
		starts := map[int]int{}
		for i := range jobs {
			q := request(region("gb", c.grams...))
			q.UID, q.Jitter = fmt.Sprintf("uid-%d", i), nil
			p := Choose(q)
			if p.Grams > 297 {
				t.Fatalf("%s: waits for %v g/kWh", name, p.Grams)
			}
			starts[int(p.Start.Sub(midnight).Minutes())]++
		}
		for m, n := range starts {
			if n > jobs/c.width*5/4 {
				t.Errorf("%s: %d starts in minute %d", name, n, m)
			}
			if m < c.first-15 || m > c.last+15 {
				t.Errorf("%s: %d starts in minute %d, far from the greenest time", name, n, m)
			}
		}
	}
}

func TestWorthWaiting(t *testing.T) {
	later, now := forecast.Window{Start: minute(30), Grams: 99}, forecast.Window{Start: minute(0), Grams: 100}
	if got := worthWaiting(later, now, minute(0), 1); got != GreenestWindow {
		t.Errorf("exactly the minimum: %s", got)
	}
	if got := worthWaiting(later, now, minute(0), 1.01); got != SavingTooSmall {
		t.Errorf("below the minimum: %s", got)
	}
	if got := worthWaiting(later, now, minute(0), 0); got != GreenestWindow {
		t.Errorf("no minimum: %s", got)
	}
	if got := worthWaiting(now, now, minute(0), 0); got != GreenestNow {
		t.Errorf("no saving: %s", got)
	}
}

func TestDowngradeOnlyAboveTheLimit(t *testing.T) {
	for name, c := range map[string]struct {
		grams  float64
		want   bool
		reason DowngradeReason
	}{
		"dirty":        {301, true, DirtyGrid},
		"at the limit": {300, false, CleanGrid},
		"clean":        {12, false, CleanGrid},
		"unknown":      {math.NaN(), false, IntensityUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			if got, reason, _ := Downgrade(c.grams, 300); got != c.want || reason != c.reason {
				t.Errorf("Downgrade(%v) = %v, %s", c.grams, got, reason)
			}
		})
	}
}

func TestShortDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", -time.Hour: "0s", 40*time.Second + 400*time.Millisecond: "40s", 59*time.Second + 600*time.Millisecond: "1m",
		35 * time.Minute: "35m", 90 * time.Second: "1m30s", time.Hour: "1h", 2*time.Hour + 10*time.Minute + 3*time.Second: "2h10m",
		59*time.Minute + 59*time.Second + 600*time.Millisecond: "1h", 49 * time.Hour: "49h",
	} {
		if got := ShortDuration(d); got != want {
			t.Errorf("ShortDuration(%s) = %q, want %q", d, got, want)
		}
	}
}
