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

// Package estimate finds the energy of a run and turns it, with carbon intensities, into emissions. It
// is pure: no cluster, no wall clock. Energy is in kWh, intensity in gCO2e/kWh, emissions in nanograms
// of CO2e, so that sums are exact.
//
// The energy of calls of a language model follows the EcoLogits methodology: a Catalog knows the
// models and the data centres of their providers, Catalog.Lookup finds one by the name under which it
// is called, and Model.Inference estimates what calls of it take.
package estimate
