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

// Choose decides when and where the job starts; see the package's documentation for the rules.
func Choose(r Request) Plan {
	now := forecast.CeilSecond(r.Now)
	latest := LatestStart(r.Submitted, r.MaxDelay)
	if latest.Before(now) {
		latest = now
	}
	plan := Plan{Start: now, Grams: math.NaN(), NowGrams: math.NaN(), Candidates: make([]Candidate, 0, len(r.Regions))}
	if len(r.Regions) > 0 {
		plan.NowGrams = immediate(r.Regions[0], now, r.Duration).Grams
	}

	best, bestNow := -1, -1
	var window, windowNow forecast.Window
	for i, region := range r.Regions {
		candidate := Candidate{Region: region.Name, Grams: math.NaN(), Quality: region.Quality, Excluded: region.Excluded}
		if region.Excluded == "" {
			if w := immediate(region, now, r.Duration); better(w, windowNow, bestNow) {
				bestNow, windowNow = i, w
			}
			if w, ok := region.Forecast.Greenest(now, latest, r.Duration); ok {
				candidate.Start, candidate.Grams = w.Start, w.Grams
				if better(w, window, best) {
					best, window = i, w
				}
			}
		}
		plan.Candidates = append(plan.Candidates, candidate)
	}

	switch {
	case allExcluded(r.Regions):
		plan.Start, plan.Reason = latest, NoRegion
	case r.RunNow:
		plan.Reason = RunNow
	case r.MaxDelay <= 0:
		plan.Reason = NoDelayAllowed
	case !latest.After(now):
		plan.Reason = PastLatestStart
	case best < 0 || bestNow < 0:
		plan.Reason = NoForecast
	default:
		plan.Reason = worthWaiting(window, windowNow, now, r.MinimumSavingPercent)
	}
	if plan.Reason == GreenestWindow {
		plan.wait(r, r.Regions[best], window, windowNow, latest)
	} else if plan.Reason != NoRegion {
		plan.startNow(r, bestNow, windowNow)
	}
	plan.Message = message(r, plan, window)
	return plan
}

// immediate is the window that starts right now; its mean is NaN when it is not wholly known.
func immediate(region Region, now time.Time, d time.Duration) forecast.Window {
	end := now.Add(d)
	if grams, ok := region.Forecast.Mean(now, end); ok {
		return forecast.Window{Start: now, End: end, Grams: grams}
	}
	return forecast.Window{Start: now, End: end, Grams: math.NaN()}
}

// better compares by mean, then by start; the order of the request decides the rest.
func better(w, than forecast.Window, index int) bool {
	switch {
	case math.IsNaN(w.Grams):
		return false
	case index < 0 || w.Grams < than.Grams:
		return true
	default:
		return w.Grams == than.Grams && w.Start.Before(than.Start)
	}
}

func allExcluded(regions []Region) bool {
	for _, r := range regions {
		if r.Excluded == "" {
			return false
		}
	}
	return true
}

// startNow fills the plan for an immediate start in the region that is best now.
func (p *Plan) startNow(r Request, best int, window forecast.Window) {
	if best < 0 {
		best = greenestKnown(r.Regions, p.Start)
		window = forecast.Window{Grams: math.NaN()}
	}
	region := r.Regions[best]
	p.Region, p.Quality, p.Grams = region.Name, region.Quality, window.Grams
	p.WindowStart, p.WindowEnd = window.Start, window.End
}

// greenestKnown is the region with the least intensity at t, else the first that is not excluded.
func greenestKnown(regions []Region, t time.Time) int {
	best, least := -1, math.Inf(1)
	for i, region := range regions {
		if region.Excluded != "" {
			continue
		}
		if best < 0 {
			best = i
		}
		if g, ok := region.Forecast.At(t); ok && g < least {
			best, least = i, g
		}
	}
	return best
}

// wait fills the plan for a later start in the given region.
func (p *Plan) wait(r Request, region Region, window, now forecast.Window, latest time.Time) {
	p.Region, p.Quality, p.Grams = region.Name, region.Quality, window.Grams
	p.Start, p.WindowStart, p.WindowEnd = window.Start, window.Start, window.End
	start := window.Start.Add(Phase(r.UID, phaseWidth(r.Jitter, region.Forecast, window.Start, latest)))
	if grams, ok := region.Forecast.Mean(start, start.Add(r.Duration)); ok && grams < now.Grams {
		p.Start, p.Grams = start, grams
	}
}
