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

// GridRegionStatus is what is known of a region's carbon intensity. It is also the cache from
// which every decision is made.
// +kubebuilder:validation:MinProperties=0
type GridRegionStatus struct {
	// conditions are Ready and Fresh.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status belongs to.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// sources are the spec's source and its fallbacks, in their order, that this status was made from: the
	// name of each and a digest of what the spec said of it. What is remembered here of a source that the
	// spec does not have any more no longer counts.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:MaxItems=5
	// +kubebuilder:validation:items:MaxLength=63
	Sources []string `json:"sources,omitempty"`

	// sourceFailure is there while the source does not answer. A fallback may speak for it.
	// +optional
	SourceFailure *SourceFailure `json:"sourceFailure,omitempty"`

	// intensity is the carbon intensity now.
	// +optional
	Intensity *IntensityStatus `json:"intensity,omitempty"`

	// forecast is what is expected from the present slot on, for at most 72 hours or 864 slots.
	// +optional
	Forecast *ForecastStatus `json:"forecast,omitempty"`

	// recent holds the intensities of the slots that ended, for at most 48 hours or 576 slots:
	// actual values where they are published, else what was last forecast.
	// +optional
	Recent *RecentStatus `json:"recent,omitempty"`

	// profile is the mean day of the last two weeks. It is used when no forecast is left.
	// +optional
	Profile *ProfileStatus `json:"profile,omitempty"`

	// issued holds the source's own forecasts as they were issued, one an hour, the last 36 of them. A
	// trace has none.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=36
	Issued []IssuedForecast `json:"issued,omitempty"`

	// accuracy is how good the issued forecasts were. Absent when the source publishes no actual values.
	// It begins anew when the source changes.
	// +optional
	Accuracy *ForecastAccuracy `json:"accuracy,omitempty"`

	// greenest is the slot with the least intensity in the forecast.
	// +optional
	Greenest *GreenestStatus `json:"greenest,omitempty"`
}

// IntensityStatus is the carbon intensity of the present slot.
type IntensityStatus struct {
	// gramsPerKWh is the carbon intensity in gCO2e/kWh.
	// +required
	GramsPerKWh Decimal `json:"gramsPerKWh,omitempty"`

	// quality says how far the value can be trusted.
	// +required
	Quality IntensityQuality `json:"quality,omitempty"`

	// source that gave the value: ukCarbonIntensity, electricityMaps, wattTime,
	// energyCharts, carbonAwareSDK, trace, static or annualMean.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Source string `json:"source,omitempty"`

	// signal says whether the value is an average or a marginal intensity.
	// +required
	Signal IntensitySignal `json:"signal,omitempty"`

	// observedAt is the start of the slot that the value belongs to.
	// +required
	ObservedAt metav1.Time `json:"observedAt,omitzero"`
}

// SeriesStatus is a carbon intensity series on a regular grid.
type SeriesStatus struct {
	// start of the first slot.
	// +required
	Start metav1.Time `json:"start,omitzero"`

	// stepSeconds is the length of a slot in seconds.
	// +required
	// +kubebuilder:validation:Minimum=1
	StepSeconds int64 `json:"stepSeconds,omitempty"`

	// gramsPerKWh holds one value in gCO2e/kWh a slot; an empty one is unknown.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=864
	GramsPerKWh []Decimal `json:"gramsPerKWh,omitempty"`
}

// RecentStatus is the series of the slots that ended.
// +kubebuilder:validation:MinProperties=0
type RecentStatus struct {
	SeriesStatus `json:",inline"`

	// qualities has one letter for each value: A for actual (published, measured), E for estimated by the
	// source afterwards, F for what was forecast, where the source has told nothing since.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=864
	// +kubebuilder:validation:Pattern=`^[AEF]*$`
	Qualities string `json:"qualities,omitempty"`

	// actualUntil is the end of the last slot with an actual value. Absent when there is none.
	// +optional
	ActualUntil *metav1.Time `json:"actualUntil,omitempty"`
}

// ForecastStatus is a series with its origin in time.
type ForecastStatus struct {
	SeriesStatus `json:",inline"`

	// source that gave it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Source string `json:"source,omitempty"`

	// fetchedAt is when the operator got the values from the source.
	// +required
	FetchedAt metav1.Time `json:"fetchedAt,omitzero"`
}

// ProfileStatus is the mean day of a region.
type ProfileStatus struct {
	// days that it is made of.
	// +required
	// +kubebuilder:validation:Minimum=1
	Days int32 `json:"days,omitempty"`

	// stepSeconds is the length of a slot in seconds: half an hour or an hour.
	// +required
	// +kubebuilder:validation:Minimum=1
	StepSeconds int64 `json:"stepSeconds,omitempty"`

	// gramsPerKWh holds one value in gCO2e/kWh a slot, from midnight UTC on.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=48
	GramsPerKWh []Decimal `json:"gramsPerKWh,omitempty"`

	// source that told the past.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Source string `json:"source,omitempty"`

	// updatedAt is when the source was asked for it; once a day.
	// +required
	UpdatedAt metav1.Time `json:"updatedAt,omitzero"`
}

// GreenestStatus is the slot with the least intensity in the forecast.
type GreenestStatus struct {
	// start of the slot.
	// +required
	Start metav1.Time `json:"start,omitzero"`

	// gramsPerKWh is the slot's carbon intensity in gCO2e/kWh.
	// +required
	GramsPerKWh Decimal `json:"gramsPerKWh,omitempty"`
}
