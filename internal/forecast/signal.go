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

package forecast

// Signal says what kind of carbon intensity a series holds. Two series of different signals are never
// compared, added or averaged with each other.
type Signal string

const (
	// Average is the mean intensity of all generation that serves a grid (location-based).
	Average Signal = "Average"
	// Marginal is the intensity of the generation that answers one more kWh of demand.
	Marginal Signal = "Marginal"
)
