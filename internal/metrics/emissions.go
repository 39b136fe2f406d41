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

package metrics

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
)

// Record is a final emissions record, in gCO2e and kWh.
type Record struct {
	EnergyKWh                 float64
	Baseline, Actual          float64
	ByTime, ByRegion, ByModel float64
}

// The scenarios. What was avoided by a cause is the difference of two neighbours, so that counters,
// which cannot fall, tell of causes that may have avoided less than nothing.
const (
	scenarioBaseline = "baseline"
	scenarioTime     = "own_time"
	scenarioRegion   = "own_time_and_region"
	scenarioActual   = "actual"
)

var (
	recordedGrams = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ecotracker_recorded_grams_total",
		Help: "Grams of CO2e of finally recorded runs in four scenarios: baseline (at once, at home, with the model asked for), " +
			"own_time (at the time of the run), own_time_and_region (and in its region), actual (and with its model). " +
			"Avoided by time, region and model are the differences from one to the next.",
	}, []string{"scenario"})
	recordedEnergy = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "ecotracker_recorded_energy_kwh_total", Help: "Energy in kWh of finally recorded runs.",
	})
	recordedRuns = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "ecotracker_recorded_runs_total", Help: "Runs whose emissions record became final.",
	})
	stoppedRuns = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "ecotracker_stopped_runs_total", Help: "Runs that were stopped, because they or a CarbonBudget that terminates had reached their limit.",
	})
)

func init() {
	register(recordedGrams, recordedEnergy, recordedRuns, stoppedRuns)
	for _, s := range []string{scenarioBaseline, scenarioTime, scenarioRegion, scenarioActual} {
		recordedGrams.WithLabelValues(s) // from 0 on, so that the first run is an increase
	}
}

// Recorded counts a record that became final. It is called after the record was written, once: a crash
// between the two leaves the record out of the counters, and never in them twice.
func Recorded(r Record) {
	recordedRuns.Inc()
	add(recordedEnergy, r.EnergyKWh)
	add(recordedGrams.WithLabelValues(scenarioBaseline), r.Baseline)
	add(recordedGrams.WithLabelValues(scenarioTime), r.Baseline-r.ByTime)
	add(recordedGrams.WithLabelValues(scenarioRegion), r.Baseline-r.ByTime-r.ByRegion)
	add(recordedGrams.WithLabelValues(scenarioActual), r.Actual)
}

// RunStopped counts a run that was stopped. It is called after that was written, once.
func RunStopped() { stoppedRuns.Inc() }

// add adds what is not negative but for rounding, and leaves out what is not known.
func add(c prometheus.Counter, v float64) {
	if !math.IsNaN(v) {
		c.Add(max(0, v))
	}
}
