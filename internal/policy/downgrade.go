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

package policy

import (
	"fmt"
	"math"
)

// DowngradeReason says why a cheaper model was used or not.
type DowngradeReason string

// The reasons.
const (
	// DirtyGrid: the grid is dirtier than the limit, the cheaper model is used.
	DirtyGrid DowngradeReason = "DirtyGrid"
	// CleanGrid: the grid is not dirtier than the limit.
	CleanGrid DowngradeReason = "CleanGrid"
	// IntensityUnknown: nothing is known of the grid, the model stays.
	IntensityUnknown DowngradeReason = "IntensityUnknown"
)

// Downgrade says whether the cheaper model is used at an intensity (gCO2e/kWh, NaN for unknown):
// only strictly above the limit.
func Downgrade(grams, aboveGrams float64) (bool, DowngradeReason, string) {
	switch {
	case math.IsNaN(grams):
		return false, IntensityUnknown, "the carbon intensity is unknown: the requested model is kept"
	case grams > aboveGrams:
		return true, DirtyGrid, fmt.Sprintf("%.0f g/kWh is above the limit of %.0f", grams, aboveGrams)
	default:
		return false, CleanGrid, fmt.Sprintf("%.0f g/kWh is not above the limit of %.0f", grams, aboveGrams)
	}
}
