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

// Package forecast holds carbon intensity as series on a regular grid: what is known of it, what is
// expected, and where its greenest windows lie.
//
// The package is pure: it knows no cluster, no wall clock and starts no goroutine. All intensities
// are in gCO2e/kWh; unknown is NaN, never 0.
package forecast
