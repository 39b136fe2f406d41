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
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

var midnight = time.Date(2026, 2, 14, 0, 0, 0, 0, time.UTC)

func minute(m int) time.Time { return midnight.Add(time.Duration(m) * time.Minute) }

func region(name string, grams ...float64) Region {
	return Region{
		Name: name,
		Estimate: forecast.Estimate{
			Quality: forecast.Forecast,
			Series:  forecast.Series{Start: midnight, Step: 30 * time.Minute, Grams: grams},
		},
	}
}

func excluded(name string) Region { return Region{Name: name, Excluded: name + " does not exist"} }

func request(regions ...Region) Request {
	none := time.Duration(0)
	return Request{
		UID: "uid", Submitted: midnight, Now: midnight, MaxDelay: 4 * time.Hour, Duration: 30 * time.Minute,
		Jitter: &none, MinimumSavingPercent: 1, Regions: regions,
	}
}

func TestChoose(t *testing.T) {
	at := func(r Request, m int) Request {
		r.Now = minute(m)
		return r
	}
	for name, c := range map[string]struct {
		request Request
		reason  Reason
		region  string
		start   int
		grams   float64
		message string
	}{
		"waits for the greenest window of the greenest region": {
			request(region("gb", 200, 150, 180, 200), region("de", 300, 300, 90, 300)),
			GreenestWindow, "de", 60, 90, "waits 1h for 90 g/kWh in de, 55 % below now",
		},
		"a tie goes to the earlier start": {
			request(region("gb", 200, 200, 100), region("de", 200, 100, 200)),
			GreenestWindow, "de", 30, 100, "waits 30m",
		},
		"a tie goes to the region named first": {
			request(region("gb", 200, 100), region("de", 200, 100)), GreenestWindow, "gb", 30, 100, "in gb",
		},
		"now is greenest": {
			request(region("gb", 100, 150, 180)), GreenestNow, "gb", 0, 100, "starts now: gb is at its greenest within 4h, 100 g/kWh",
		},
		"not worth waiting on a flat grid": {
			request(region("gb", 200, 199, 200)), SavingTooSmall, "gb", 0, 200,
			"starts now in gb at 200 g/kWh: not worth waiting here, the greenest window within 4h has 199 g/kWh, less than 1 % below",
		},
		"a flat grid": {
			request(region("kr", 400, 402, 401, 403)), GreenestNow, "kr", 0, 400,
			"starts now in kr at 400 g/kWh: not worth waiting here, within 4h no time is expected to differ by 1 %",
		},
		"a constant grid": {
			request(Region{Name: "kr", Estimate: forecast.Estimate{Series: forecast.Constant(400, midnight, minute(10_000))}}), GreenestNow, "kr", 0, 400,
			"not worth waiting here",
		},
		"a grid that is not flat": {
			request(region("gb", 400, 405, 401)), GreenestNow, "gb", 0, 400, "starts now: gb is at its greenest within 4h, 400 g/kWh",
		},
		"a grid that is flat but for a time that is too late": {
			request(region("kr", 400, 400, 400, 400, 400, 400, 400, 400, 400, 900)), GreenestNow, "kr", 0, 400, "not worth waiting here",
		},
		"no carbon at all": {
			request(region("is", 0, 0, 0)), GreenestNow, "is", 0, 0, "not worth waiting here",
		},
		"another region is greener now": {
			request(region("gb", 200, 150), region("de", 100, 150)), GreenestNow, "de", 0, 100, "starts now: de",
		},
		"a window after the latest start does not count": {
			at(request(region("gb", 200, 200, 200, 200, 200, 200, 200, 200, 200, 50)), 0), GreenestNow, "gb", 0, 200, "starts now",
		},
		"no forecast": {
			request(region("gb"), region("de")), NoForecast, "gb", 0, math.NaN(), "starts now in gb: no region has a forecast that covers a run of 30m from now on",
		},
		"the present is unknown, what comes gets greener": {
			request(region("gb", math.NaN(), 300, 200)), GreenestWindow, "gb", 60, 200, "waits 1h for 200 g/kWh in gb",
		},
		"the present is unknown, what comes gets no greener": {
			request(region("gb", math.NaN(), 200, 199, 300)), NoForecast, "gb", 0, math.NaN(), "starts now in gb: no region has",
		},
		"the present is unknown at home only": {
			request(region("gb", math.NaN(), 90), region("de", 100, 200)), GreenestWindow, "gb", 30, 90, "waits 30m for 90 g/kWh in gb",
		},
		"of an unknown present, home or not, nothing is hoped": {
			request(region("gb", math.NaN(), 120), region("de", 100, 200)), GreenestNow, "de", 0, 100, "starts now: de is at its greenest",
		},
		"the forecast is shorter than the run": {
			func() Request {
				r := request(region("gb", 300, 300), region("de", 100))
				r.Duration = 2 * time.Hour
				return r
			}(), NoForecast, "de", 0, math.NaN(), "starts now in de",
		},
		"an excluded region is not chosen": {
			request(excluded("gb"), region("de", 300, 200)), GreenestWindow, "de", 30, 200, "waits 30m for 200 g/kWh in de",
		},
		"all regions are excluded": {
			request(excluded("gb"), excluded("de")), NoRegion, "", 240, math.NaN(), "gb does not exist; de does not exist",
		},
		"run now although all regions are excluded": {
			func() Request {
				r := request(excluded("gb"))
				r.RunNow = true
				return r
			}(), NoRegion, "", 0, math.NaN(), "gb does not exist",
		},
		"no region at all": {request(), NoRegion, "", 240, math.NaN(), "no region to run in"},
		"run now": {
			func() Request {
				r := request(region("gb", 200, 100), region("de", 150, 90))
				r.RunNow = true
				return r
			}(), RunNow, "de", 0, 150, "starts now in de as asked for by the run-now annotation",
		},
		"no delay allowed": {
			func() Request {
				r := request(region("gb", 200, 100))
				r.MaxDelay = 0
				return r
			}(), NoDelayAllowed, "gb", 0, 200, "starts now in gb: maxDelay is 0s",
		},
		"the latest start has come": {
			at(request(region("gb", 1, 2, 3, 4, 5, 6, 7, 200, 300, 100)), 240), PastLatestStart, "gb", 240, 300, "its latest start has come",
		},
		"long overdue": {
			at(request(region("gb", 1, 2, 3, 4, 5, 6, 7, 200, 300, 100, 100)), 285), PastLatestStart, "gb", 285, 100, "its latest start has come",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := Choose(c.request)
			if p.Reason != c.reason || p.Region != c.region || !p.Start.Equal(minute(c.start)) {
				t.Errorf("plan = %s %q at %s; want %s %q at %s", p.Reason, p.Region, p.Start, c.reason, c.region, minute(c.start))
			}
			if p.Grams != c.grams && !(math.IsNaN(p.Grams) && math.IsNaN(c.grams)) {
				t.Errorf("grams = %v, want %v", p.Grams, c.grams)
			}
			if !strings.Contains(p.Message(), c.message) {
				t.Errorf("message = %q, want %q in it", p.Message(), c.message)
			}
			if len(p.Candidates) != len(c.request.Regions) {
				t.Errorf("%d candidates for %d regions", len(p.Candidates), len(c.request.Regions))
			}
		})
	}
}

// randomRequest has one to three regions on different grids, with gaps, and a now in the middle.
func randomRequest(r *rand.Rand) Request {
	q := Request{
		UID: string(rune('a' + r.IntN(26))), Submitted: midnight,
		MaxDelay: time.Duration(r.IntN(200)) * time.Second, Duration: time.Duration(1+r.IntN(40)) * time.Second,
		MinimumSavingPercent: float64(r.IntN(20)),
	}
	q.Now = midnight.Add(time.Duration(r.IntN(220_000)) * time.Millisecond)
	if r.IntN(2) == 0 {
		jitter := time.Duration(r.IntN(60)) * time.Second
		q.Jitter = &jitter
	}
	for range 1 + r.IntN(3) {
		s := forecast.Series{Start: midnight, Step: time.Duration(5+r.IntN(30)) * time.Second, Grams: make([]float64, r.IntN(24))}
		for i := range s.Grams {
			s.Grams[i] = float64(r.IntN(400))
			if r.IntN(15) == 0 {
				s.Grams[i] = math.NaN()
			}
		}
		q.Regions = append(q.Regions, Region{
			Name: string(rune('A' + len(q.Regions))), Estimate: forecast.Estimate{Series: s, Quality: forecast.Forecast},
		})
	}
	return q
}

func TestChooseIsNeverOutsideItsBoundsAndNeverWorseThanNow(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	waits := 0
	for range 20000 {
		q := randomRequest(r)
		p := Choose(q)
		now, latest := forecast.CeilSecond(q.Now), LatestStart(q.Submitted, q.MaxDelay)
		if p.Start.Before(now) || p.Start.After(latest) && p.Start.After(now) {
			t.Fatalf("%+v: start %s is outside of %s to %s", q, p.Start, now, latest)
		}
		best := math.Inf(1)
		for _, region := range q.Regions {
			if g, ok := region.Estimate.Series.Mean(now, now.Add(q.Duration)); ok {
				best = min(best, g)
			}
		}
		if p.Grams > best+1e-9 {
			t.Fatalf("%+v: the plan has %v g/kWh, a start now %v", q, p.Grams, best)
		}
		if p.Reason != GreenestWindow {
			continue
		}
		waits++
		if best-p.Candidates[indexOfRegion(q.Regions, p.Region)].Grams < best*q.MinimumSavingPercent/100 {
			t.Fatalf("%+v: waits for less than the minimum saving: %+v", q, p)
		}
		for _, c := range p.Candidates {
			if w := p.Candidates[indexOfRegion(q.Regions, p.Region)]; c.Grams < w.Grams {
				t.Fatalf("%+v: the window of %s is greener than the chosen one: %+v", q, c.Region, p)
			}
		}
		if again := Choose(q); !again.Start.Equal(p.Start) || again.Region != p.Region {
			t.Fatalf("%+v: two answers: %s and %s", q, p.Start, again.Start)
		}
	}
	if waits < 2000 {
		t.Fatalf("only %d of the random jobs wait: they test too little", waits)
	}
}

// threeRegions is a request over three regions with two days of half hours each.
func threeRegions() Request {
	r := rand.New(rand.NewPCG(9, 10))
	q := Request{UID: "uid", Submitted: midnight, Now: midnight, MaxDelay: 24 * time.Hour, Duration: 30 * time.Minute, MinimumSavingPercent: 1}
	for _, name := range []string{"gb", "de", "fr"} {
		grams := make([]float64, 96)
		for i := range grams {
			grams[i] = 100 + 200*r.Float64()
		}
		q.Regions = append(q.Regions, region(name, grams...))
	}
	return q
}

// TestPlanningAsksForLittleMemory: thousands of jobs are planned anew with every forecast.
func TestPlanningAsksForLittleMemory(t *testing.T) {
	for name, q := range map[string]Request{"any number of starts": threeRegions(), "a cap on starts": withRoom(threeRegions())} {
		if n := testing.AllocsPerRun(1000, func() { _ = Choose(q) }); n > 3 {
			t.Errorf("%s: a plan over three regions takes %v allocations", name, n)
		}
	}
}

func withRoom(q Request) Request {
	for i := range q.Regions {
		q.Regions[i].Room = NewOccupancy(400, q.Regions[i].Estimate.Series)
	}
	return q
}

func BenchmarkChoose(b *testing.B) {
	q := threeRegions()
	b.ReportAllocs()
	for b.Loop() {
		_ = Choose(q)
	}
}
