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
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// Result of a replay.
type Result struct {
	// Scenarios is the number of jobs, Days that of the days on which they were submitted.
	Scenarios int `json:"scenarios"`
	Days      int `json:"days"`
	// Policies by name.
	Policies map[string]Outcome `json:"policies"`

	// FirstDay and LastDay on which jobs were submitted; DaysWithGaps were left out.
	FirstDay     time.Time `json:"-"`
	LastDay      time.Time `json:"-"`
	DaysWithGaps int       `json:"-"`
}

// Outcome is what a policy achieved. Grams are gCO2e, modelled from declared energy and the grid's
// actual intensity.
type Outcome struct {
	// Grams that all jobs emitted.
	Grams float64 `json:"grams"`
	// ReductionPercent against starting at once, OracleCapturePercent of what the oracle saves; nil
	// when there is nothing to save.
	ReductionPercent     float64  `json:"reductionPercent"`
	OracleCapturePercent *float64 `json:"oracleCapturePercent"`
	// DaysWorse is the number of days on which more was emitted than by starting at once.
	DaysWorse int `json:"daysWorse"`
	// MeanDelayHours and MedianDelayHours that jobs waited.
	MeanDelayHours   float64 `json:"meanDelayHours"`
	MedianDelayHours float64 `json:"medianDelayHours"`
	// WorseThanNowPercent of the jobs emitted more than by starting at once.
	WorseThanNowPercent float64 `json:"worseThanNowPercent"`
	// PeakStartsPerMinute is the number of starts in the busiest minute.
	PeakStartsPerMinute int `json:"peakStartsPerMinute"`

	// Runs of the jobs, in the order of their submission.
	Runs []Run `json:"-"`
}

// Run is what became of one job under a policy.
type Run struct {
	// Day of the submission, from 0.
	Day              int
	Submitted, Start time.Time
	// Region in which it ran, as an index.
	Region int
	// GramsPerKWh is the actual mean intensity over the run, in gCO2e/kWh.
	GramsPerKWh float64
}

// tolerance below which two emissions are equal, in gCO2e/kWh.
const tolerance = 1e-9

// ErrNoDay says that the history is too short, or has too many gaps, for the delay and the duration.
var ErrNoDay = errors.New("no day to replay")

// Replay runs the given policies over the history of regions, the first of which is home. An error says
// what is wrong with the regions or the options (an *OptionError), that there is no day to replay (ErrNoDay), or that
// the context ended.
func Replay(ctx context.Context, regions []Region, o Options, policies []string) (Result, error) {
	if err := check(regions, o); err != nil {
		return Result{}, err
	}
	days, gaps := wholeDays(regions, o)
	if len(days) == 0 {
		return Result{}, fmt.Errorf("%w: a day counts if the actual intensity is known from midnight UTC until the last job has waited %s and run %s",
			ErrNoDay, o.MaxDelay, o.Duration)
	}
	if err := o.fits(len(days)); err != nil {
		return Result{}, err
	}
	jobs := submissions(days, regions[0].Trace.Actual.Step, o)
	result := Result{
		Scenarios: len(jobs), Days: len(days), Policies: map[string]Outcome{},
		FirstDay: days[0], LastDay: days[len(days)-1], DaysWithGaps: gaps,
	}
	all := policies
	for _, reference := range []string{Now, Oracle} {
		if !slices.Contains(all, reference) {
			all = append(slices.Clone(all), reference)
		}
	}
	runs := map[string][]Run{}
	for i, name := range all {
		decide, err := deciderOf(name, regions, o)
		if err != nil {
			return Result{}, err
		}
		runs[name], err = follow(ctx, jobs, decide, truth(regions), o, func(done int) {
			if o.Progress != nil {
				o.Progress(i*len(jobs)+done, len(all)*len(jobs))
			}
		})
		if err != nil {
			return Result{}, err
		}
	}
	for _, name := range policies {
		result.Policies[name] = judge(runs[name], runs[Now], runs[Oracle], o.EnergyKWh)
	}
	return result, nil
}

func deciderOf(name string, regions []Region, o Options) (decider, error) {
	grid := newGrid(regions, o)
	switch name {
	case Now:
		return startNow, nil
	case Argmin:
		return argmin(grid, o), nil
	case Default:
		return byDefault(grid, o), nil
	case Oracle:
		return oracle(grid, truth(regions), o), nil
	}
	return nil, fmt.Errorf("there is no policy %q: choose among %v", name, Names())
}

// Job is one that is decided on by itself.
type Job struct {
	UID       string
	Submitted time.Time
}

// Start is where, as an index of the regions, and when a job starts.
type Start struct {
	Region int
	At     time.Time
}

// Decide are the starts of some jobs by a policy, in the order of their submission: what a replay would let them do.
func Decide(regions []Region, o Options, name string, jobs ...Job) ([]Start, error) {
	if err := check(regions, o); err != nil {
		return nil, err
	}
	decide, err := deciderOf(name, regions, o)
	if err != nil {
		return nil, err
	}
	starts := make([]Start, 0, len(jobs))
	for _, j := range jobs {
		s := decide(job{uid: j.UID, submitted: j.Submitted})
		starts = append(starts, Start{s.region, s.at})
	}
	return starts, nil
}

// follow lets every job run as decided.
func follow(ctx context.Context, jobs []job, decide decider, actual []forecast.Series, o Options, done func(int)) ([]Run, error) {
	const often = 1000
	runs := make([]Run, 0, len(jobs))
	for i, j := range jobs {
		if i%often == 0 {
			if ctx.Err() != nil {
				return nil, fmt.Errorf("stopped: %w", ctx.Err())
			}
			done(i)
		}
		s := decide(j)
		grams, ok := actual[s.region].Mean(s.at, s.at.Add(o.Duration))
		if !ok {
			grams = math.NaN() // cannot be: the days were chosen so that it is known
		}
		runs = append(runs, Run{Day: j.day, Submitted: j.submitted, Start: s.at, Region: s.region, GramsPerKWh: grams})
	}
	done(len(jobs))
	return runs, nil
}
