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
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// The names of the policies.
const (
	Now     = "now"
	Argmin  = "argmin"
	Default = "default"
	Oracle  = "oracle"
)

// Names are the policies in the order of a table.
func Names() []string { return []string{Now, Argmin, Default, Oracle} }

// The default settings of a CarbonAwareJob, and the jitter of the paper's decorator.
const (
	minimumSavingPercent = 1
	paperJitter          = 5 * time.Minute
)

// start is where and when a job starts; region is an index.
type start struct {
	region int
	at     time.Time
}

// decider decides on one job after the other, in the order of their submission.
type decider func(j job) start

// ask turns a request into a start, by the code that the operator runs.
func ask(r policy.Request) start {
	plan := policy.Choose(r)
	for i, region := range r.Regions {
		if region.Name == plan.Region {
			return start{i, plan.Start}
		}
	}
	return start{0, plan.Start}
}

func startNow(j job) start { return start{0, j.submitted} }

// argmin is the planner of the paper: it compares the forecasts at the start, whatever the duration. Its
// decorator spreads by up to five minutes within the slot, which means nothing for one job a slot.
func argmin(grid *grid, o Options) decider {
	request := grid.request(o)
	none := time.Duration(0)
	request.Duration, request.Jitter = time.Second, &none
	return func(j job) start {
		request.UID, request.Submitted, request.Now = j.uid, j.submitted, j.submitted
		for i := range request.Regions {
			request.Regions[i].Estimate = grid.known(i, j.submitted, o).Forecast()
		}
		s := ask(request)
		if o.JobsPerDay > 0 && s.at.After(j.submitted) {
			width := min(paperJitter, policy.LatestStart(j.submitted, o.MaxDelay).Sub(s.at))
			if end, ok := request.Regions[s.region].Estimate.Series.SlotEnd(s.at); ok {
				width = min(width, end.Sub(s.at))
			}
			s.at = s.at.Add(policy.Phase(j.uid, width))
		}
		return s
	}
}

// byDefault is the operator with its default settings. One job a slot has no phase: there is nobody to
// keep out of the way of.
func byDefault(grid *grid, o Options) decider {
	request := grid.request(o)
	request.MinimumSavingPercent = minimumSavingPercent
	if o.JobsPerDay == 0 {
		none := time.Duration(0)
		request.Jitter = &none
	}
	for i, r := range grid.regions {
		request.Regions[i].Room = policy.NewOccupancy(o.MaxStartsPerWindow, r.Trace.Forecast)
	}
	return func(j job) start {
		request.UID, request.Submitted, request.Now = j.uid, j.submitted, j.submitted
		for i := range request.Regions {
			request.Regions[i].Estimate = grid.known(i, j.submitted, o).Estimate()
		}
		s := ask(request)
		request.Regions[s.region].Room.Add(s.at)
		return s
	}
}

// oracle knows what nobody can: the actual intensities to come.
func oracle(grid *grid, actual []forecast.Series, o Options) decider {
	request := grid.request(o)
	none := time.Duration(0)
	request.Jitter = &none
	return func(j job) start {
		request.UID, request.Submitted, request.Now = j.uid, j.submitted, j.submitted
		for i := range request.Regions {
			request.Regions[i].Estimate = forecast.Estimate{Series: actual[i], Quality: forecast.Actual}
		}
		return ask(request)
	}
}

// grid is what the policies share: the regions as they unfold.
type grid struct {
	regions   []Region
	histories []history
}

func newGrid(regions []Region, o Options) *grid {
	g := &grid{regions: regions}
	for _, r := range regions {
		g.histories = append(g.histories, history{trace: r.Trace, late: o.ActualsAfter})
	}
	return g
}

// request is a request without the facts of a job.
func (g *grid) request(o Options) policy.Request {
	r := policy.Request{MaxDelay: o.MaxDelay, Duration: o.Duration}
	for _, region := range g.regions {
		r.Regions = append(r.Regions, policy.Region{Name: region.Name, Signal: forecast.Average})
	}
	return r
}

// known is what was known of a region when a job was submitted.
func (g *grid) known(region int, submitted time.Time, o Options) *Knowledge {
	return g.histories[region].at(submitted, submitted.Add(o.MaxDelay+o.Duration))
}
