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

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// Totals are sums over jobs. Grams are gCO2e, modelled from energy and grid intensity, not measured.
type Totals struct {
	// Jobs that finished.
	Jobs int `json:"jobs"`
	// Provisional of them have a record that may still change, because actual intensities are not
	// published yet.
	Provisional int `json:"provisional"`
	// Unknown of them ran, but their energy or intensity is not known: they are in no sum.
	Unknown int `json:"unknown"`
	// Stopped of them were ended before their end, because they or a CarbonBudget had reached their limit;
	// what they had emitted is in the sums.
	Stopped int `json:"stopped"`
	// Deleted of them are gone and known by the settled totals of a budget only, without their energy
	// and the causes of what they avoided.
	Deleted int `json:"deleted,omitempty"`
	// EnergyKWh that was consumed, in kWh.
	EnergyKWh Amount `json:"energyKWh"`
	// BaselineGrams is what immediate starts at home with the requested models would have emitted.
	BaselineGrams Amount `json:"baselineGrams"`
	// EmittedGrams is what was emitted.
	EmittedGrams Amount `json:"emittedGrams"`
	// AvoidedGrams is baseline minus emitted; negative when more was emitted.
	AvoidedGrams Amount `json:"avoidedGrams"`
	// EmbodiedGrams is the share in making the hardware, of the jobs of which it is known. It is no part
	// of the other sums.
	EmbodiedGrams Amount `json:"embodiedGrams"`
	// AvoidedBy splits AvoidedGrams by cause; the parts add up to it, but for deleted jobs.
	AvoidedBy Causes `json:"avoidedBy"`
	// Measured is what meters counted, beside what was declared; absent where there were none.
	Measured *Measured `json:"measured,omitempty"`
}

// Causes are grams avoided by moving runs to another time, to another region, and to another model.
type Causes struct {
	Time   Amount `json:"time"`
	Region Amount `json:"region"`
	Model  Amount `json:"model"`
}

// AvoidedPercent is what was avoided in percent of the baseline; 0 without a baseline.
func (t Totals) AvoidedPercent() float64 {
	if t.BaselineGrams.Sign() == 0 {
		return 0
	}
	return 100 * t.AvoidedGrams.Float64() / t.BaselineGrams.Float64()
}

// add adds other sums to these.
func (t *Totals) add(o *Totals) {
	t.Jobs += o.Jobs
	t.Provisional += o.Provisional
	t.Unknown += o.Unknown
	t.Stopped += o.Stopped
	t.Deleted += o.Deleted
	t.EnergyKWh.Add(o.EnergyKWh)
	t.BaselineGrams.Add(o.BaselineGrams)
	t.EmittedGrams.Add(o.EmittedGrams)
	t.AvoidedGrams.Add(o.AvoidedGrams)
	t.EmbodiedGrams.Add(o.EmbodiedGrams)
	t.AvoidedBy.Time.Add(o.AvoidedBy.Time)
	t.AvoidedBy.Region.Add(o.AvoidedBy.Region)
	t.AvoidedBy.Model.Add(o.AvoidedBy.Model)
	if o.Measured == nil {
		return
	}
	if t.Measured == nil {
		t.Measured = &Measured{}
	}
	t.Measured.add(o.Measured)
}

// totalsOf are the sums over one record; an error names every field that is not a number.
func totalsOf(e *carbonv1alpha1.EmissionsStatus) (Totals, error) {
	var t Totals
	var errs []error
	for _, f := range []struct {
		name string
		text carbonv1alpha1.Decimal
		to   *Amount
	}{
		{"energyKWh", e.EnergyKWh, &t.EnergyKWh},
		{"baselineGrams", e.BaselineGrams, &t.BaselineGrams},
		{"actualGrams", e.ActualGrams, &t.EmittedGrams},
		{"avoidedGrams", e.AvoidedGrams, &t.AvoidedGrams},
		{"avoidedBy.time", e.AvoidedBy.Time, &t.AvoidedBy.Time},
		{"avoidedBy.region", e.AvoidedBy.Region, &t.AvoidedBy.Region},
		{"avoidedBy.model", e.AvoidedBy.Model, &t.AvoidedBy.Model},
		{"embodiedGrams", e.EmbodiedGrams, &t.EmbodiedGrams},
	} {
		if f.text == "" && f.to == &t.EmbodiedGrams {
			continue // unknown, as it often is
		}
		amount, err := ParseAmount(f.text)
		if err != nil {
			errs = append(errs, fmt.Errorf("status.emissions.%s: %w", f.name, err))
		}
		*f.to = amount
	}
	return t, errors.Join(errs...)
}
