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

// message says in one sentence what the plan is and why.
func message(r Request, p Plan, best choices) string {
	switch p.Reason {
	case GreenestWindow:
		full := ""
		if best.crowdedOut() {
			full = "; the greener slots are full"
		}
		return fmt.Sprintf("waits %s for %s in %s%s%s", ShortDuration(p.Start.Sub(r.Now)), intensity(p.Grams), p.Region, againstNow(p), full)
	case GreenestNow:
		return fmt.Sprintf("starts now: %s is at its greenest within %s, %s", p.Region, ShortDuration(r.MaxDelay), intensity(p.Grams))
	case SavingTooSmall:
		return fmt.Sprintf("starts now in %s at %s: not worth waiting here, the greenest window within %s has %s, less than %.0f %% below",
			p.Region, intensity(p.Grams), ShortDuration(r.MaxDelay), intensity(best.greenest.Grams), r.MinimumSavingPercent)
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
		return noRegion(r)
	}
	return ""
}

func noRegion(r Request) string {
	if len(r.Regions) == 0 {
		return "no region to run in"
	}
	why := make([]string, 0, len(r.Regions))
	for _, region := range r.Regions {
		why = append(why, region.Excluded)
	}
	return strings.Join(why, "; ")
}

func againstNow(p Plan) string {
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
