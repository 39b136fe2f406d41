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

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// EmissionsStatus is the record of a run. Grams are gCO2e, modelled from energy and grid intensity
// (average, location-based), not measured at a meter.
type EmissionsStatus struct {
	// energyKWh that the run consumed, in kWh.
	// +required
	EnergyKWh Decimal `json:"energyKWh,omitempty"`

	// declaredKWh is what spec.energy or spec.llm.workload say of such a run, in kWh, beside what was measured.
	// +optional
	DeclaredKWh Decimal `json:"declaredKWh,omitempty"`

	// energyRange is how far the energy is from certain; absent where it was declared.
	// +optional
	EnergyRange *EnergyRange `json:"energyRange,omitempty"`

	// attempts is how many whole runs the energy was counted for: 1 for a run without failed attempts
	// and pauses, less for one that ended early, more where attempts were lost. Absent where the energy
	// is power times duration, or measured.
	// +optional
	Attempts Decimal `json:"attempts,omitempty"`

	// embodiedGrams is the run's share in making the hardware that served the model, in gCO2e. It is
	// no part of the other figures: it is the same at any time and place. Absent where unknown.
	// +optional
	EmbodiedGrams Decimal `json:"embodiedGrams,omitempty"`

	// baselineGrams is what an immediate start at home with the requested model would have
	// emitted, in gCO2e.
	// +required
	BaselineGrams Decimal `json:"baselineGrams,omitempty"`

	// actualGrams is what the run emitted, in gCO2e.
	// +required
	ActualGrams Decimal `json:"actualGrams,omitempty"`

	// avoidedGrams is baseline minus actual, in gCO2e; negative when the run emitted more.
	// +required
	AvoidedGrams Decimal `json:"avoidedGrams,omitempty"`

	// avoidedBy splits avoidedGrams by cause; the parts add up to it exactly.
	// +required
	AvoidedBy AvoidedBy `json:"avoidedBy,omitzero"`

	// intensity holds the three intensities that the record is made of.
	// +required
	Intensity EmissionsIntensity `json:"intensity,omitzero"`

	// method by which the energy was found: Declared (spec.energy.kWh), PowerTimesDuration
	// (spec.energy.watts), EcoLogits-0.11 or EcoLogits-0.10 (spec.llm.workload, by that version of the
	// method), Measured (by the same method from the calls that meters counted), or MeasuredInPart
	// (some of what they counted was lost or has no known energy: the condition EmissionsRecorded says what
	// stands in for it).
	// +required
	// +kubebuilder:validation:Enum=Declared;PowerTimesDuration;EcoLogits-0.11;EcoLogits-0.10;Measured;MeasuredInPart
	Method string `json:"method,omitempty"`

	// quality of the worst intensity in the record.
	// +required
	Quality IntensityQuality `json:"quality,omitempty"`

	// finalAt is when the record became final; absent while it is provisional because actual
	// intensities are not published yet.
	// +optional
	FinalAt *metav1.Time `json:"finalAt,omitempty"`
}

// EnergyRange bounds an estimated energy, in kWh.
type EnergyRange struct {
	// minKWh is the least that it may be.
	// +required
	MinKWh Decimal `json:"minKWh,omitempty"`

	// maxKWh is the most that it may be.
	// +required
	MaxKWh Decimal `json:"maxKWh,omitempty"`
}

// AvoidedBy splits avoided emissions by cause, in gCO2e.
type AvoidedBy struct {
	// time is what moving the run to a greener time avoided.
	// +required
	Time Decimal `json:"time,omitempty"`

	// region is what moving the run to a greener region avoided.
	// +required
	Region Decimal `json:"region,omitempty"`

	// model is what using a cheaper model avoided: 0 where the energy was declared, because that says nothing
	// of models; where it was measured, by what each call asked for and got.
	// +required
	Model Decimal `json:"model,omitempty"`
}

// EmissionsIntensity holds the intensities of an emissions record, in gCO2e/kWh.
type EmissionsIntensity struct {
	// homeAtSubmission is the mean at home over a run of the same length started at the creation.
	// +required
	HomeAtSubmission Decimal `json:"homeAtSubmission,omitempty"`

	// homeAtRun is the mean at home over the real run.
	// +required
	HomeAtRun Decimal `json:"homeAtRun,omitempty"`

	// chosenAtRun is the mean in the chosen region over the real run.
	// +required
	ChosenAtRun Decimal `json:"chosenAtRun,omitempty"`

	// signal says whether these are average or marginal intensities.
	// +optional
	Signal IntensitySignal `json:"signal,omitempty"`
}
