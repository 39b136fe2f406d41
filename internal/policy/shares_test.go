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
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
)

func TestShares(t *testing.T) {
	type grams = []estimate.Nanograms
	for name, c := range map[string]struct {
		left  estimate.Nanograms
		held  grams
		slots int
		want  grams
	}{
		"nobody runs":                         {100, nil, 2, grams{}},
		"each keeps its share":                {100, grams{50, 50}, 2, grams{50, 50}},
		"a new one gets what nobody holds":    {90, grams{50, 50}, 2, grams{50, 40}},
		"more may come":                       {90, grams{50}, 2, grams{50}},
		"the last one gets all":               {90, grams{50}, 1, grams{90}},
		"two last ones get equal parts more":  {90, grams{20, 50}, 2, grams{30, 60}},
		"nothing is left":                     {0, grams{50, 50}, 2, grams{0, 0}},
		"more was used than there was":        {-5, grams{50}, 1, grams{0}},
		"a share that somebody wrote by hand": {90, grams{-7, 50}, 3, grams{0, 50}},
	} {
		if got := Shares(c.left, c.held, c.slots); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// Whatever happens, pods that use up their shares and no more emit no more than the limit together.
func TestSharesNeverPassTheLimit(t *testing.T) {
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 1))
		limit, slots := estimate.Nanograms(random.Int64N(1000)), 1+random.IntN(4)
		var ended estimate.Nanograms
		var held []estimate.Nanograms
		for range 30 {
			if len(held) < slots && random.IntN(2) == 0 {
				held = append(held, limit/estimate.Nanograms(slots))
			}
			held = Shares(limit-ended, held, slots)
			if len(held) > 0 && random.IntN(2) == 0 {
				i := random.IntN(len(held))
				ended += estimate.Nanograms(random.Int64N(int64(held[i]) + 1))
				held = slices.Delete(held, i, i+1)
			}
			sum := ended
			for _, h := range held {
				sum += h
			}
			if sum > limit {
				t.Fatalf("seed %d: %d may be emitted, the limit is %d", seed, sum, limit)
			}
		}
	}
}
