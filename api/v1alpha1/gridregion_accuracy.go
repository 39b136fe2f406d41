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

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// IssuedForecast is a forecast as the source gave it at one time.
type IssuedForecast struct {
	// issuedAt is when the operator got it.
	// +required
	IssuedAt metav1.Time `json:"issuedAt,omitzero"`

	// start of the first slot, the one that contains issuedAt.
	// +required
	Start metav1.Time `json:"start,omitzero"`

	// stepSeconds is the length of a slot in seconds: half an hour, or longer where the source has
	// longer slots.
	// +required
	// +kubebuilder:validation:Minimum=1
	StepSeconds int64 `json:"stepSeconds,omitempty"`

	// gramsPerKWh holds one value a slot in whole gCO2e/kWh, without gaps, for at most 26 hours.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=52
	// +kubebuilder:validation:items:Minimum=0
	// +kubebuilder:validation:items:Maximum=5000
	GramsPerKWh []int32 `json:"gramsPerKWh,omitempty"`
}

// ForecastAccuracy is how far a source's forecasts were from the actual intensities that it published
// later.
type ForecastAccuracy struct {
	// comparedUntil is the end of the last slot that was compared.
	// +required
	ComparedUntil metav1.Time `json:"comparedUntil,omitzero"`

	// leadTimes holds the error by how long before a slot its forecast was issued, shortest first.
	// +optional
	// +listType=map
	// +listMapKey=hours
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	LeadTimes []LeadTimeAccuracy `json:"leadTimes,omitempty"`
}

// LeadTimeAccuracy is the error of the forecasts of one lead time.
type LeadTimeAccuracy struct {
	// hours before a slot that its forecast was issued.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=72
	Hours int32 `json:"hours,omitempty"`

	// meanAbsoluteErrorGramsPerKWh in gCO2e/kWh, over about the last two weeks.
	// +required
	MeanAbsoluteErrorGramsPerKWh Decimal `json:"meanAbsoluteErrorGramsPerKWh,omitempty"`

	// slots that it is the mean of.
	// +required
	// +kubebuilder:validation:Minimum=1
	Slots int32 `json:"slots,omitempty"`
}
