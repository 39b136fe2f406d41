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
	r.Regions = ofOneSignal(r.Regions)
	now := forecast.CeilSecond(r.Now)
	latest := LatestStart(r.Submitted, r.MaxDelay)
	if latest.Before(now) {
		latest = now
	}
	plan := Plan{Start: now, Grams: math.NaN(), NowGrams: math.NaN(), Candidates: make([]Candidate, 0, len(r.Regions))}
	if len(r.Regions) > 0 {
		plan.NowGrams = immediate(r.Regions[0], now, r.Duration).Grams
	}

	best := newChoices()
	for i, region := range r.Regions {
		candidate := Candidate{Region: region.Name, Grams: math.NaN(), Quality: region.Estimate.Quality, Excluded: region.Excluded}
		if region.Excluded == "" {
			if w, ok := best.look(r, i, now, latest); ok {
				candidate.Start, candidate.Grams, candidate.Quality = w.Start, w.Grams, region.Estimate.QualityOf(w.Start, w.End)
			}
		}
		plan.Candidates = append(plan.Candidates, candidate)
	}
	plan.decide(r, now, latest, best)
	plan.request, plan.greenest, plan.crowdedOut = r, best.greenest.Grams, best.crowdedOut()
	return plan
}

// decide sets the reason, and by it where and when.
func (p *Plan) decide(r Request, now, latest time.Time, best choices) {
	switch {
	case allExcluded(r.Regions):
		p.Reason = NoRegion
		if !r.RunNow {
			p.Start = latest
		}
		return
	case r.RunNow:
		p.Reason = RunNow
	case r.MaxDelay <= 0:
		p.Reason = NoDelayAllowed
	case !latest.After(now):
		p.Reason = PastLatestStart
	case best.greenest.index < 0 || best.reference().index < 0:
		p.Reason = NoForecast
	default:
		p.Reason = best.reason(now, r.MinimumSavingPercent)
	}
	if p.Reason == GreenestWindow {
		p.wait(r, r.Regions[best.open.index], best.open.Window)
	} else {
		p.startNow(r, best.now.index, best.now.Window)
	}
}

// reason is why a job that may wait does so, or does not; there is a forecast for it.
func (best choices) reason(now time.Time, minimumSavingPercent float64) Reason {
	reason := worthWaiting(best.greenest.Window, best.reference().Window, now, minimumSavingPercent)
	switch {
	case reason != GreenestWindow && best.now.index < 0:
		return NoForecast
	case reason == GreenestWindow && !best.roomToWait(now, minimumSavingPercent):
		return SlotsFull
	}
	return reason
}

// immediate is the window that starts right now; its mean is NaN when it is not wholly known.
func immediate(region Region, now time.Time, d time.Duration) forecast.Window {
	end := now.Add(d)
	if grams, ok := region.Estimate.Series.Mean(now, end); ok {
		return forecast.Window{Start: now, End: end, Grams: grams}
	}
	return forecast.Window{Start: now, End: end, Grams: math.NaN()}
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
	p.Region, p.Grams = region.Name, window.Grams
	if !math.IsNaN(window.Grams) {
		p.Quality = region.Estimate.QualityOf(p.Start, p.Start.Add(r.Duration))
	}
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
		if g, ok := region.Estimate.Series.At(t); ok && g < least {
			best, least = i, g
		}
	}
	return best
}

// wait fills the plan for a later start in the given region.
func (p *Plan) wait(r Request, region Region, window forecast.Window) {
	p.Region, p.Quality, p.Grams = region.Name, region.Estimate.QualityOf(window.Start, window.End), window.Grams
	phase := phaseOf(r, region)
	p.Start, p.WindowStart, p.WindowEnd = window.Start, window.Start.Add(-phase), window.End.Add(-phase)
}
