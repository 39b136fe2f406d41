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

package report

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// metered is a finished job whose record is made of what its meter counted.
func metered(r *rand.Rand, i int, namespace string, kWh, grams, declared carbonv1alpha1.Decimal) *carbonv1alpha1.CarbonAwareJob {
	caj := finishedJob(r, i)
	caj.Namespace = namespace
	caj.Status.Meter = &carbonv1alpha1.MeterStatus{Calls: 1000, InputTokens: 5000, OutputTokens: 2000, PodsRead: 1}
	e := caj.Status.Emissions
	e.Method, e.EnergyKWh, e.ActualGrams, e.DeclaredKWh = "Measured", kWh, grams, declared
	e.Intensity.ChosenAtRun = "300.5"
	return caj
}

// What meters counted stands beside what was declared of the same jobs, and of no others.
func TestDeclaredAgainstMeasured(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	workload := metered(r, 1, "nlp", "0.2", "60.1", "0.4")
	workload.Spec.LLM = &carbonv1alpha1.LLMSpec{Workload: &carbonv1alpha1.WorkloadSpec{Calls: 1500, OutputTokensPerCall: 2}}
	energy, undeclared := metered(r, 2, "nlp", "0.1", "30.05", "0.05"), metered(r, 3, "vision", "0.3", "90.15", "")
	undeclared.Status.Emissions.Method = "MeasuredInPart"
	byPower := metered(r, 4, "vision", "7", "2103.5", "")
	byPower.Status.Emissions.Method = "PowerTimesDuration"
	report := reportOf(time.Time{}, []*carbonv1alpha1.CarbonAwareJob{workload, energy, undeclared, byPower, finishedJob(r, 5)}, append([][]Dimension{{ByNamespace}}, PageGroupings()...)...)

	const note = "meters counted the calls of 3 jobs: 3,000 calls with 15,000 input and 6,000 output tokens, 0.600000 kWh, 180.300 g; " +
		"of 2 of them something was declared: 1,500 calls with 3,000 output tokens, 0.450000 kWh, 135.225 g, " +
		"where 1,000 calls with 2,000 output tokens, 0.300000 kWh, 90.1500 g were measured"
	var table, page, text bytes.Buffer
	for _, err := range []error{report.WriteTable(&table, false, 0), report.WriteHTML(&page), report.WriteJSON(&text)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(table.String(), note+"\n") || !strings.Contains(page.String(), note) {
		t.Errorf("the note is missing:\n%s", table.String())
	}
	if !strings.Contains(text.String(), `"emittedGrams": "135.225"`) {
		t.Errorf("the JSON has no declared grams:\n%s", text.String())
	}
	for _, g := range report.Groupings[0].Groups {
		want := map[string]int{"nlp": 2, "vision": 1}[g.Values[0]]
		if got := g.Measured; (got == nil) != (want == 0) || got != nil && got.Jobs != want {
			t.Errorf("%s: %+v", g.Values[0], got)
		}
	}
}

func TestNothingMeasuredIsNotTold(t *testing.T) {
	report := reportOf(time.Time{}, seeded(3), []Dimension{ByNamespace})
	if notes := strings.Join(report.Notes, "\n"); strings.Contains(notes, "meter") || report.Total.Measured != nil {
		t.Errorf("got %s", notes)
	}
	broken := metered(rand.New(rand.NewPCG(1, 1)), 1, "nlp", "0.2", "60", "much")
	report = reportOf(time.Time{}, []*carbonv1alpha1.CarbonAwareJob{broken}, []Dimension{ByNamespace})
	if notes := strings.Join(report.Notes, "\n"); !strings.Contains(notes, "declaredKWh") || report.Total.Jobs != 0 {
		t.Errorf("got %s", notes)
	}
}
