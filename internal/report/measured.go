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
	"errors"
	"fmt"
	"slices"

	"gopkg.in/inf.v0"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// Work is what jobs did, or were said to do.
type Work struct {
	// Jobs that it is about.
	Jobs int `json:"jobs"`
	// Calls of models, those refused included.
	Calls int64 `json:"calls"`
	// OutputTokens of the answers.
	OutputTokens int64 `json:"outputTokens"`
	// EnergyKWh in kWh.
	EnergyKWh Amount `json:"energyKWh"`
	// EmittedGrams in gCO2e.
	EmittedGrams Amount `json:"emittedGrams"`
}

func (w *Work) add(o *Work) {
	w.Jobs += o.Jobs
	w.Calls += o.Calls
	w.OutputTokens += o.OutputTokens
	w.EnergyKWh.Add(o.EnergyKWh)
	w.EmittedGrams.Add(o.EmittedGrams)
}

// Measured is what meters counted, and what had been declared.
type Measured struct {
	// Work of the jobs whose records are made of the calls that meters counted.
	Work

	// InputTokens of the prompts.
	InputTokens int64 `json:"inputTokens"`
	// Declared is what was declared of some of these jobs: their energy, at the intensity of the run, and
	// the calls of those with an llm.workload.
	Declared Work `json:"declared"`
	// OfThose is what was measured of the same jobs; Calls and OutputTokens are of those with an
	// llm.workload.
	OfThose Work `json:"ofThose"`
}

func (m *Measured) add(o *Measured) {
	m.Work.add(&o.Work)
	m.InputTokens += o.InputTokens
	m.Declared.add(&o.Declared)
	m.OfThose.add(&o.OfThose)
}

// measuredOf is what the meters of a job counted; nil where its record is not made of that. The totals
// are those of the record.
func measuredOf(caj *carbonv1alpha1.CarbonAwareJob, t *Totals) (*Measured, error) {
	e, counted := caj.Status.Emissions, caj.Status.Meter
	if counted == nil || !slices.Contains([]string{"Measured", "MeasuredInPart"}, e.Method) {
		return nil, nil //nolint:nilnil // most jobs have no meter, which is no error
	}
	m := &Measured{
		Work:        Work{Jobs: 1, Calls: counted.Calls, OutputTokens: counted.OutputTokens, EnergyKWh: t.EnergyKWh, EmittedGrams: t.EmittedGrams},
		InputTokens: counted.InputTokens,
	}
	if e.DeclaredKWh == "" {
		return m, nil
	}
	declared, err := ParseAmount(e.DeclaredKWh)
	intensity, alsoErr := ParseAmount(e.Intensity.ChosenAtRun)
	if err := errors.Join(err, alsoErr); err != nil {
		return nil, fmt.Errorf("status.emissions.declaredKWh, intensity.chosenAtRun: %w", err)
	}
	m.Declared = Work{Jobs: 1, EnergyKWh: declared}
	m.Declared.EmittedGrams.dec = *new(inf.Dec).Mul(&declared.dec, &intensity.dec)
	m.OfThose = Work{Jobs: 1, EnergyKWh: t.EnergyKWh, EmittedGrams: t.EmittedGrams}
	if llm := caj.Spec.LLM; llm != nil && llm.Workload != nil {
		m.Declared.Calls, m.Declared.OutputTokens = llm.Workload.Calls, llm.Workload.Calls*llm.Workload.OutputTokensPerCall
		m.OfThose.Calls, m.OfThose.OutputTokens = counted.Calls, counted.OutputTokens
	}
	return m, nil
}

// note says what was measured, and what had been declared.
func (m *Measured) note() string {
	text := fmt.Sprintf("meters counted the calls of %s: %s calls with %s input and %s output tokens, %s",
		jobs(m.Jobs), thousands(m.Calls), thousands(m.InputTokens), thousands(m.OutputTokens), m.amounts())
	if m.Declared.Jobs == 0 {
		return text
	}
	return fmt.Sprintf("%s; of %s of them something was declared: %s, where %s were measured", text, thousands(int64(m.Declared.Jobs)), m.Declared.text(), m.OfThose.text())
}

func (w *Work) text() string {
	if w.Calls == 0 {
		return w.amounts()
	}
	return fmt.Sprintf("%s calls with %s output tokens, %s", thousands(w.Calls), thousands(w.OutputTokens), w.amounts())
}

func (w *Work) amounts() string {
	return fmt.Sprintf("%s kWh, %s g", w.EnergyKWh.Fixed(digitsFor(w.EnergyKWh)), w.EmittedGrams.Fixed(digitsFor(w.EmittedGrams)))
}

func jobs(count int) string {
	if count == 1 {
		return "1 job"
	}
	return thousands(int64(count)) + " jobs"
}

func thousands(n int64) string {
	var a Amount
	a.dec.SetUnscaled(n)
	return a.Fixed(0)
}
