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
	"regexp"
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

// defaultDowngrades maps a model to a cheaper one of its family. By the EcoLogits method (400 output
// tokens, mean of the range) gpt-4o to gpt-4o-mini saves 96 % of the energy, gpt-4.1 to gpt-4.1-mini
// 79 %, gpt-4 to gpt-4o-mini 99.6 %, a Claude Sonnet 4 to Haiku 4.5 94 %.
var defaultDowngrades = map[string]string{
	"gpt-4o":            "gpt-4o-mini",
	"gpt-4.1":           "gpt-4.1-mini",
	"gpt-4-turbo":       "gpt-4o-mini",
	"gpt-4":             "gpt-4o-mini",
	"claude-sonnet-4-5": "claude-haiku-4-5",
	"claude-sonnet-4-6": "claude-haiku-4-5",
	"claude-opus-4-5":   "claude-haiku-4-5",
	"claude-opus-4-6":   "claude-haiku-4-5",
}

// dateSuffix is how vendors mark a dated version of a model: gpt-4o-2024-08-06 and
// claude-sonnet-4-5-20250929.
var dateSuffix = regexp.MustCompile(`-(\d{4}-\d{2}-\d{2}|\d{8})$`)

// DefaultDowngrade is the cheaper model that is used when the job names none; dated versions count
// as their model. False when there is no default for the model.
func DefaultDowngrade(model string) (string, bool) {
	cheaper, ok := defaultDowngrades[dateSuffix.ReplaceAllString(model, "")]
	return cheaper, ok
}
