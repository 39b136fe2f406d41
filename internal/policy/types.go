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
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// Region is what is known of one region at the time of the decision.
type Region struct {
	// Name of the region.
	Name string
	// Estimate of its carbon intensity, from the slot that contains now on.
	Estimate forecast.Estimate
	// Signal of the estimate; empty when the region does not exist.
	Signal forecast.Signal
	// Room counts the starts of other jobs in the slots of the estimate; nil when the region takes any
	// number.
	Room *Occupancy
	// Excluded says why the region cannot be chosen; empty when it can.
	Excluded string
}

// Request holds the facts from which a start is chosen.
type Request struct {
	// UID of the job; it alone sets the phase.
	UID string
	// Submitted is when the job was created, Now the time of the decision.
	Submitted, Now time.Time
	// MaxDelay is how long after Submitted the job may start; Duration how long it runs (whole
	// seconds, at least one).
	MaxDelay, Duration time.Duration
	// Jitter bounds the phase; nil means a slot, 0 none.
	Jitter *time.Duration
	// MinimumSavingPercent is what waiting must save, 0 to 100.
	MinimumSavingPercent float64
	// RunNow starts the job at once.
	RunNow bool
	// Regions that were asked for; the first is the job's home.
	Regions []Region
}

// Reason says in one word why a start was chosen.
type Reason string

// The reasons.
const (
	// GreenestWindow: the job waits for the greenest window.
	GreenestWindow Reason = "GreenestWindow"
	// GreenestNow: no later window is greener than now.
	GreenestNow Reason = "GreenestNow"
	// SavingTooSmall: the greenest window saves less than the minimum.
	SavingTooSmall Reason = "SavingTooSmall"
	// SlotsFull: waiting would be worth it, but all slots for which it would are full.
	SlotsFull Reason = "SlotsFull"
	// NoForecast: nothing is known of the next hours, the job starts now.
	NoForecast Reason = "NoForecast"
	// RunNow: a person asked for it.
	RunNow Reason = "RunNow"
	// NoDelayAllowed: the job may not wait.
	NoDelayAllowed Reason = "NoDelayAllowed"
	// PastLatestStart: the latest start has come.
	PastLatestStart Reason = "PastLatestStart"
	// NoRegion: every region is excluded; the job starts at its latest start.
	NoRegion Reason = "NoRegion"
)

// Candidate is the greenest start in one region, among the slots that are not full.
type Candidate struct {
	// Region is the region's name.
	Region string
	// Start that the job would have there; zero when there is none.
	Start time.Time
	// Grams is the mean over the run in gCO2e/kWh; NaN when unknown.
	Grams float64
	// Quality of what is known of the window.
	Quality forecast.Quality
	// Excluded says why the region cannot be chosen; empty when it can.
	Excluded string
}

// Plan is the decision.
type Plan struct {
	// Region to run in; empty when there is none.
	Region string
	// Start is a whole second, never before Request.Now, and never after the latest start unless
	// that has passed already.
	Start time.Time
	// WindowStart and WindowEnd bound the window that the start belongs to: Start is WindowStart moved
	// by the job's phase. Zero when there is none.
	WindowStart, WindowEnd time.Time
	// Grams is the mean expected over the run, in gCO2e/kWh; NaN when unknown.
	Grams float64
	// NowGrams is the mean expected at home for a start right now, in gCO2e/kWh; NaN when unknown.
	NowGrams float64
	// Quality of what is known of the run's time in the chosen region.
	Quality forecast.Quality
	// Reason in a word; Message says it in a sentence.
	Reason Reason
	// Candidates in the order of the request, the chosen region among them.
	Candidates []Candidate

	// For Message: what the plan was made for, the mean of the greenest window, full or not, and whether that is
	// a greener one than the chosen.
	request    Request
	greenest   float64
	crowdedOut bool
}

// LatestStart is the time at which a job starts at the latest.
func LatestStart(submitted time.Time, maxDelay time.Duration) time.Time {
	return submitted.Add(maxDelay)
}
