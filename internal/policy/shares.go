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

import "github.com/ecotracker-dev/ecotracker-operator/internal/estimate"

// Shares divides what is left of a limit between the pods that count against it, each by itself. held
// is what each was told before, in the order of their creation, and slots how many pods may still run at
// the same time. A pod keeps its share as long as that is there: taking from it what it may have used
// would stop it too early, and giving the same grams twice would pass the limit. What nobody holds goes to
// the pods in equal parts once no more of them can come. The shares never add up to more than left.
func Shares(left estimate.Nanograms, held []estimate.Nanograms, slots int) []estimate.Nanograms {
	shares := make([]estimate.Nanograms, len(held))
	left = max(0, left)
	for i, h := range held {
		shares[i] = min(max(0, h), left)
		left -= shares[i]
	}
	if n := estimate.Nanograms(len(held)); n > 0 && len(held) >= slots {
		for i := range shares {
			shares[i] += left / n
		}
	}
	return shares
}
