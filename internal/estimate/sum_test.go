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

package estimate

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestSumIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var sum Sum
	want := new(big.Int)
	var added []Nanograms
	for range 10_000 {
		if n := len(added); n > 0 && random.IntN(3) == 0 {
			last := added[n-1]
			added = added[:n-1]
			sum.Subtract(last)
			want.Sub(want, big.NewInt(int64(last)))
		} else {
			next := Nanograms(random.Int64N(2e15) - 1e15)
			added = append(added, next)
			sum.Add(next)
			want.Add(want, big.NewInt(int64(next)))
		}
		if got := big.NewInt(int64(sum.Total())); got.Cmp(want) != 0 {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

// What is more than can be told never looks like little.
func TestSumBeyondWhatCanBeTold(t *testing.T) {
	var sum Sum
	for range 5 {
		sum.Add(math.MaxInt64)
	}
	if sum.Total() != math.MaxInt64 {
		t.Errorf("got %v", sum.Total())
	}
	for range 5 {
		sum.Subtract(math.MaxInt64)
	}
	if sum.Total() != 0 {
		t.Errorf("got %v after all was taken away", sum.Total())
	}
}
