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

// Condition types and reasons of a GridRegion.
const (
	// RegionReady is True when the region has a carbon intensity that decisions can be based on.
	RegionReady = "Ready"
	// RegionFresh is True when the source, or a fallback that speaks for it, covers the present.
	RegionFresh = "Fresh"

	// ReasonForecastAvailable (Ready, Fresh): the source answers and covers the present.
	ReasonForecastAvailable = "ForecastAvailable"
	// ReasonStaticIntensity (Ready, Fresh): the intensity is one constant.
	ReasonStaticIntensity = "StaticIntensity"
	// ReasonConfigMapNotFound: the trace's ConfigMap or key does not exist.
	ReasonConfigMapNotFound = "ConfigMapNotFound"
	// ReasonMalformedTrace: the trace cannot be read; the message names the line.
	ReasonMalformedTrace = "MalformedTrace"
	// ReasonTraceEnded: the trace does not cover the present.
	ReasonTraceEnded = "TraceDoesNotCoverNow"
	// ReasonSourceUnavailable: the source cannot be reached or refuses to answer.
	ReasonSourceUnavailable = "SourceUnavailable"
	// ReasonMalformedAnswer: the source answered, but not with what can be believed.
	ReasonMalformedAnswer = "MalformedAnswer"
	// ReasonForecastNotBegun (Fresh): the source answered with a forecast that begins later than now.
	ReasonForecastNotBegun = "ForecastNotBegun"
	// ReasonCredentialsRefused: the source's credentials are missing, not accepted, or do not allow
	// what is asked for.
	ReasonCredentialsRefused = "CredentialsRefused"
	// ReasonFallbackInUse (Fresh): the source does not answer, one of its fallbacks does.
	ReasonFallbackInUse = "FallbackInUse"
	// ReasonProfileInUse (Ready): no forecast is left, the mean day of the last two weeks is used.
	ReasonProfileInUse = "ProfileInUse"
	// ReasonAnnualMeanInUse (Ready): nothing better is known than the mean of a year.
	ReasonAnnualMeanInUse = "AnnualMeanInUse"
)
