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
	"strings"
	"time"
)

// Message says in one sentence what the plan is and why. It is made when it is asked for: most plans change
// nothing, and nobody reads them.
func (p *Plan) Message() string {
	r := &p.request
	switch p.Reason {
	case GreenestWindow:
		full := ""
		if p.crowdedOut {
			full = "; the greener slots are full"
		}
		return fmt.Sprintf("waits %s for %s in %s%s%s", ShortDuration(p.Start.Sub(r.Now)), intensity(p.Grams), p.Region, p.againstNow(), full)
	case GreenestNow:
		if p.isFlat() {
			return fmt.Sprintf("starts now in %s at %s: not worth waiting here, within %s no time is expected to differ by %.0f %%",
				p.Region, intensity(p.Grams), ShortDuration(r.MaxDelay), max(r.MinimumSavingPercent, leastImprovement))
		}
		return fmt.Sprintf("starts now: %s is at its greenest within %s, %s", p.Region, ShortDuration(r.MaxDelay), intensity(p.Grams))
	case SavingTooSmall:
		return fmt.Sprintf("starts now in %s at %s: not worth waiting here, the greenest window within %s has %s, less than %.0f %% below",
			p.Region, intensity(p.Grams), ShortDuration(r.MaxDelay), intensity(p.greenest), r.MinimumSavingPercent)
	case SlotsFull:
		return fmt.Sprintf("starts now in %s at %s: every slot within %s that would be worth waiting for is full",
			p.Region, intensity(p.Grams), ShortDuration(r.MaxDelay))
	case NoForecast:
		return fmt.Sprintf("starts now in %s: no region has a forecast that covers a run of %s from now on", p.Region, ShortDuration(r.Duration))
	case RunNow:
		return fmt.Sprintf("starts now in %s as asked for by the run-now annotation", p.Region)
	case NoDelayAllowed:
		return fmt.Sprintf("starts now in %s: maxDelay is 0s", p.Region)
	case PastLatestStart:
		return fmt.Sprintf("starts now in %s: its latest start has come", p.Region)
	case NoRegion:
		return noRegion(r.Regions)
	}
	return ""
}

// isFlat says whether the intensity of the plan's region hardly changes in the time in which the job could run.
func (p *Plan) isFlat() bool {
	i := indexOfRegion(p.request.Regions, p.Region)
	latest := LatestStart(p.request.Submitted, p.request.MaxDelay)
	s := p.request.Regions[i].Estimate.Series.Clip(p.Start, latest.Add(p.request.Duration))
	least, most := math.Inf(1), math.Inf(-1)
	for _, g := range s.Grams {
		if !math.IsNaN(g) {
			least, most = min(least, g), max(most, g)
		}
	}
	return (most-least)*100 < max(p.request.MinimumSavingPercent, leastImprovement)*least || most == least
}

func noRegion(regions []Region) string {
	if len(regions) == 0 {
		return "no region to run in"
	}
	why := make([]string, 0, len(regions))
	for _, region := range regions {
		why = append(why, region.Excluded)
	}
	return strings.Join(why, "; ")
}

func (p *Plan) againstNow() string {
	if math.IsNaN(p.NowGrams) || p.NowGrams <= 0 || p.Grams > p.NowGrams {
		return ""
	}
	return fmt.Sprintf(", %.0f %% below now", 100*(1-p.Grams/p.NowGrams))
}

func intensity(grams float64) string {
	if math.IsNaN(grams) {
		return "unknown intensity"
	}
	return fmt.Sprintf("%.0f g/kWh", grams)
}

// ShortDuration writes a duration the way people do: "2h10m", "35m", "40s"; seconds are left out
// from one hour on.
func ShortDuration(d time.Duration) string {
	d = max(0, d).Round(time.Second)
	if d >= time.Hour {
		d = d.Round(time.Minute)
	}
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case h > 0 && m > 0:
		return fmt.Sprintf("%dh%dm", h, m)
	case h > 0:
		return fmt.Sprintf("%dh", h)
	case m > 0 && s > 0:
		return fmt.Sprintf("%dm%ds", m, s)
	case m > 0:
		return fmt.Sprintf("%dm", m)
	default:
		return fmt.Sprintf("%ds", s)
	}
}
