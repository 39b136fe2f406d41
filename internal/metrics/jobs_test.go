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
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func compare(t *testing.T, c prometheus.Collector, want string) {
	t.Helper()
	if err := testutil.CollectAndCompare(c, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.CollectAndLint(c); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}

func TestJobsAreCountedWhenAsked(t *testing.T) {
	jobs, known := Jobs{ByStatus: map[string]int{"Waiting": 3, "Suspended": 1}, Overdue: 2}, true
	c := jobCollector(func() (Jobs, bool) { return jobs, known })
	compare(t, c, `
# HELP ecotracker_jobs CarbonAwareJobs that exist, by their STATUS (the reason of the condition Ready). Counted by the leader.
# TYPE ecotracker_jobs gauge
ecotracker_jobs{status="Suspended"} 1
ecotracker_jobs{status="Waiting"} 3
# HELP ecotracker_jobs_overdue CarbonAwareJobs whose latest start has passed without a start, those held by a person or a budget left out. Counted by the leader.
# TYPE ecotracker_jobs_overdue gauge
ecotracker_jobs_overdue 2
`)
	known = false
	if got := testutil.CollectAndCount(c); got != 0 {
		t.Errorf("a manager that is not the leader tells %d metrics", got)
	}
}

// The scenarios are neighbours: each difference is what one cause avoided, also when that is negative.
func TestAvoidedIsTheDifferenceOfTwoScenarios(t *testing.T) {
	scenarios := []string{scenarioBaseline, scenarioTime, scenarioRegion, scenarioActual}
	read := func() (grams [4]float64) {
		for i, s := range scenarios {
			grams[i] = testutil.ToFloat64(recordedGrams.WithLabelValues(s))
		}
		return grams
	}
	before := read()
	Recorded(Record{EnergyKWh: 1, Baseline: 100, ByTime: -20, ByRegion: 50, ByModel: 10, Actual: 60})
	after := read()
	for i, want := range []float64{100, 120, 70, 60} {
		if got := after[i] - before[i]; got != want {
			t.Errorf("%s rose by %v, want %v", scenarios[i], got, want)
		}
	}
}

func TestOwnEnergyIsPricedByTheIntensityOfItsTime(t *testing.T) {
	cpu, grams, known := 0.0, 0.0, false
	c := &operatorCollector{
		cpuSeconds:  func() (float64, bool) { return cpu, true },
		gramsPerKWh: func() (float64, bool) { return grams, known },
	}
	kWhOf := func(seconds float64) float64 { return seconds * 4.26 * 1.185 / 3.6e6 }
	emitted := func() float64 {
		testutil.CollectAndCount(c)
		return c.emittedGrams
	}
	near := func(got, want float64) {
		t.Helper()
		if got < want-1e-12 || got > want+1e-12 {
			t.Errorf("emitted %v g, want %v", got, want)
		}
	}
	cpu = 1000 // unknown so far
	near(emitted(), 0)
	cpu, grams, known = 2000, 100, true // caught up on
	near(emitted(), kWhOf(2000)*100)
	near(emitted(), kWhOf(2000)*100) // nothing new
	cpu, grams = 3000, 300
	near(emitted(), kWhOf(2000)*100+kWhOf(1000)*300)
	if seconds, ok := ownCPUSeconds(); !ok || seconds < 0 {
		t.Logf("SKIPPED: the CPU time of a process is not known here (%v, %t)", seconds, ok)
	}
}

func TestBudgetsAreTold(t *testing.T) {
	c := budgetCollector(func() []Budget {
		return []Budget{{Namespace: "nlp", Name: "team", Limit: 100, Consumed: 60, Reserved: 25, NearLimit: true}}
	})
	compare(t, c, `
# HELP ecotracker_budget_consumed_grams Grams of CO2e emitted by runs that ended in the present period; 0 again when the next begins.
# TYPE ecotracker_budget_consumed_grams gauge
ecotracker_budget_consumed_grams{budget="team",namespace="nlp"} 60
# HELP ecotracker_budget_limit_grams What the jobs of a CarbonBudget may emit in a period, in grams of CO2e. Told by the leader, as all of budgets.
# TYPE ecotracker_budget_limit_grams gauge
ecotracker_budget_limit_grams{budget="team",namespace="nlp"} 100
# HELP ecotracker_budget_near_limit 1 while warnAtPercent of the limit is consumed or reserved, else 0.
# TYPE ecotracker_budget_near_limit gauge
ecotracker_budget_near_limit{budget="team",namespace="nlp"} 1
# HELP ecotracker_budget_reserved_grams Grams of CO2e set aside for jobs that run or are about to.
# TYPE ecotracker_budget_reserved_grams gauge
ecotracker_budget_reserved_grams{budget="team",namespace="nlp"} 25
`)
}

func TestLatenessIsNeverNegative(t *testing.T) {
	JobStarted(-time.Second)
	if problems, err := testutil.CollectAndLint(lateness); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}

func TestStoppedRunsAreCounted(t *testing.T) {
	before := testutil.ToFloat64(stoppedRuns)
	RunStopped()
	if got := testutil.ToFloat64(stoppedRuns) - before; got != 1 {
		t.Errorf("counted %v", got)
	}
}
