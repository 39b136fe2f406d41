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
	"slices"
	"strings"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// ofOneSignal excludes the regions whose signal is not that of the home: average and marginal
// intensities answer different questions, and the lesser number says nothing. When nothing is known of
// the home, the first region that has a signal takes its place.
func ofOneSignal(regions []Region) []Region {
	first := slices.IndexFunc(regions, func(r Region) bool { return r.Signal != "" })
	if first < 0 {
		return regions
	}
	is := regions[first]
	of := regions
	for i, r := range regions {
		if r.Excluded == "" && r.Signal != "" && r.Signal != is.Signal {
			if &of[0] == &regions[0] {
				of = slices.Clone(regions)
			}
			of[i].Excluded = fmt.Sprintf("region %s has %s intensities, %s has %s ones: they cannot be compared",
				r.Name, signalWord(r.Signal), is.Name, signalWord(is.Signal))
		}
	}
	return of
}

func signalWord(s forecast.Signal) string { return strings.ToLower(string(s)) }
