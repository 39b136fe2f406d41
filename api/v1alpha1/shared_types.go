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

// Decimal is a decimal number as text, such as "0.0005" or "-12.5": exact, and printed by kubectl
// the way it is meant to be read (a resource.Quantity would print 0.0005 as 500u). An unknown
// number is absent, in a list the empty string, and never "0".
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:Pattern=`^(-?[0-9]+(\.[0-9]+)?)?$`
// +kubebuilder:validation:MinLength=0
type Decimal string

// IntensityQuality says how far a carbon intensity can be trusted.
// +kubebuilder:validation:Enum=Actual;Estimated;Forecast;Stale;Profile;AnnualMean
type IntensityQuality string

const (
	// QualityActual is a published, measured value.
	QualityActual IntensityQuality = "Actual"
	// QualityEstimated is a value of the past that its source estimated, for want of measurements.
	QualityEstimated IntensityQuality = "Estimated"
	// QualityForecast is a forecast that is still up to date.
	QualityForecast IntensityQuality = "Forecast"
	// QualityStale is the last good forecast of a source that does not answer any more.
	QualityStale IntensityQuality = "Stale"
	// QualityProfile is the mean of the same time of day over the last two weeks.
	QualityProfile IntensityQuality = "Profile"
	// QualityAnnualMean is a fixed or yearly figure of the zone: it knows no time of day.
	QualityAnnualMean IntensityQuality = "AnnualMean"
)

// IntensitySignal says what kind of carbon intensity a source gives. The two are never compared.
// +kubebuilder:validation:Enum=Average;Marginal
type IntensitySignal string

const (
	// SignalAverage is the mean intensity of all generation that serves a grid (location-based).
	SignalAverage IntensitySignal = "Average"
	// SignalMarginal is the intensity of the generation that answers one more kWh of demand.
	SignalMarginal IntensitySignal = "Marginal"
)
