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
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// Arrivals says at which times of the day jobs are submitted.
type Arrivals string

// The arrivals.
const (
	// EverySlot submits one job at the start of every slot: the protocol of the paper.
	EverySlot Arrivals = "every-slot"
	// Uniform spreads the jobs of a day over all of it.
	Uniform Arrivals = "uniform"
	// OfficeHours spreads them over 09:00 to 17:00 UTC.
	OfficeHours Arrivals = "office-hours"
)

// MaxJobs is how many jobs of a herd are replayed at most: 10,000 a day for a year, which take 2.5 GB of memory.
const MaxJobs = 4_000_000

// maxEnergyKWh of a job: more than the world uses in a year, and far from where sums overflow.
const maxEnergyKWh = 1e15

// Options of a replay.
type Options struct {
	// MaxDelay is how long a job may wait, Duration how long it runs; both in whole seconds.
	MaxDelay, Duration time.Duration
	// EnergyKWh of a job, in kWh, above 0 and at most 1e15.
	EnergyKWh float64
	// ActualsAfter is how long after the end of a slot its actual intensity is published.
	ActualsAfter time.Duration
	// JobsPerDay is the size of the herd; 0 for one job a slot.
	JobsPerDay int
	// Arrivals of the herd.
	Arrivals Arrivals
	// MaxStartsPerWindow is how many starts a slot of a region takes by the default policy; 0: any number.
	MaxStartsPerWindow int
	// Progress is told how many of how many decisions are made; nil for nobody.
	Progress func(done, total int)
}

// OptionError says which of the Options, by its name, cannot be what it is, and what it can be.
type OptionError struct{ Option, Problem string }

// Error is the whole sentence.
func (e *OptionError) Error() string { return e.Option + " " + e.Problem }

func (o Options) validate() error {
	wrong := func(option, format string, args ...any) error {
		return &OptionError{option, fmt.Sprintf(format, args...)}
	}
	switch {
	case o.MaxDelay < 0 || o.MaxDelay%time.Second != 0:
		return wrong("MaxDelay", "must be whole seconds and not negative, such as 4h, got %s", o.MaxDelay)
	case o.Duration < time.Second || o.Duration%time.Second != 0:
		return wrong("Duration", "must be whole seconds and at least one, such as 30m, got %s", o.Duration)
	case math.IsNaN(o.EnergyKWh) || o.EnergyKWh <= 0 || o.EnergyKWh > maxEnergyKWh:
		return wrong("EnergyKWh", "must be above 0 and at most %g, got %v", maxEnergyKWh, o.EnergyKWh)
	case o.ActualsAfter < 0:
		return wrong("ActualsAfter", "must not be negative, got %s: nothing is published before its slot ended", o.ActualsAfter)
	case o.JobsPerDay < 0:
		return wrong("JobsPerDay", "must not be negative, got %d", o.JobsPerDay)
	case o.MaxStartsPerWindow < 0:
		return wrong("MaxStartsPerWindow", "must not be negative, got %d", o.MaxStartsPerWindow)
	}
	return nil
}

// fits refuses a herd that is too large to be kept in memory.
func (o Options) fits(days int) error {
	if most := MaxJobs / days; o.JobsPerDay > most {
		return &OptionError{"JobsPerDay", fmt.Sprintf("must be at most %d for the %d days of this history, got %d", most, days, o.JobsPerDay)}
	}
	return nil
}

// job is one of the jobs that are replayed, on one of the days.
type job struct {
	uid       string
	submitted time.Time
	day       int
}

// wholeDays are the midnights of the complete UTC days on which every job can be judged: the actual
// intensity of all regions is known from midnight until a job of the last slot has waited and run. Days
// with gaps are left out and counted.
func wholeDays(regions []Region, o Options) (days []time.Time, gaps int) {
	home := regions[0].Trace.Actual
	first := home.Start.Truncate(24 * time.Hour)
	if first.Before(home.Start) {
		first = first.Add(24 * time.Hour)
	}
	for day := first; day.Before(home.End()); day = day.Add(24 * time.Hour) {
		last := day.Add(24*time.Hour - home.Step)
		if o.JobsPerDay > 0 {
			last = day.Add(24 * time.Hour)
		}
		until := last.Add(o.MaxDelay + o.Duration)
		known, reached := true, true
		for _, r := range regions {
			_, ok := r.Trace.Actual.Mean(day, until)
			known = known && ok
			reached = reached && !r.Trace.Actual.Start.After(day) && !r.Trace.Actual.End().Before(until)
		}
		if known {
			days = append(days, day)
		} else if reached {
			gaps++
		}
	}
	return days, gaps
}

// check refuses what cannot be replayed, in words that say what to change.
func check(regions []Region, o Options) error {
	if err := o.validate(); err != nil {
		return err
	}
	if len(regions) == 0 {
		return errors.New("no region to replay")
	}
	for i, r := range regions {
		if r.Trace.Actual.Empty() {
			return fmt.Errorf("region %s: the trace has no intensity_actual: without it nothing can be judged", r.Name)
		}
		if step := r.Trace.Forecast.Step; (24*time.Hour)%step != 0 {
			return fmt.Errorf("region %s: a slot of %s does not divide the day", r.Name, step)
		}
		if slices.ContainsFunc(regions[:i], func(other Region) bool { return other.Name == r.Name }) {
			return fmt.Errorf("region %s is there twice", r.Name)
		}
	}
	return nil
}

// truth are the regions as they really were.
func truth(regions []Region) []forecast.Series {
	actual := make([]forecast.Series, 0, len(regions))
	for _, r := range regions {
		actual = append(actual, r.Trace.Actual)
	}
	return actual
}
