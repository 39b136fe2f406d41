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

import "math"

// Sum adds up masses without overflow, exactly to the nanogram. Its zero value is an empty sum.
type Sum struct{ grams, nano int64 }

// Add adds a mass.
func (s *Sum) Add(n Nanograms) {
	s.grams += int64(n) / nanoPerGram
	s.nano += int64(n) % nanoPerGram
	s.grams += s.nano / nanoPerGram
	s.nano %= nanoPerGram
}

// Subtract takes a mass away that was added before.
func (s *Sum) Subtract(n Nanograms) {
	s.grams -= int64(n) / nanoPerGram
	s.nano -= int64(n) % nanoPerGram
	s.grams += s.nano / nanoPerGram
	s.nano %= nanoPerGram
}

// Total is the sum; one beyond what Nanograms can hold is the largest or least that they can.
func (s *Sum) Total() Nanograms {
	const limit = int64(math.MaxInt64)/nanoPerGram - 1
	switch {
	case s.grams > limit:
		return math.MaxInt64
	case s.grams < -limit:
		return -math.MaxInt64
	}
	return Nanograms(s.grams*nanoPerGram + s.nano)
}
