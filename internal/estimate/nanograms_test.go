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
	"strconv"
	"testing"
)

func TestNanogramsString(t *testing.T) {
	tests := map[Nanograms]string{
		0:              "0",
		1:              "0.000000001",
		-1:             "-0.000000001",
		12_500_000_000: "12.5",
		-3_000_000_000: "-3",
		1_000_000_010:  "1.00000001",
		math.MaxInt64:  "9223372036.854775807",
		math.MinInt64:  "-9223372036.854775808",
	}
	for n, want := range tests {
		if got := n.String(); got != want {
			t.Errorf("Nanograms(%d) is %q, want %q", int64(n), got, want)
		}
	}
}

func TestGramsToNano(t *testing.T) {
	tests := map[float64]Nanograms{0: 0, 1.5: 1_500_000_000, -2: -2_000_000_000, 4e-10: 0, 6e-10: 1, -6e-10: -1}
	for grams, want := range tests {
		got, err := GramsToNano(grams)
		if err != nil || got != want {
			t.Errorf("%v g are %d ng (%v), want %d", grams, got, err, want)
		}
	}
	for _, grams := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e11, -1e11} {
		if got, err := GramsToNano(grams); err == nil {
			t.Errorf("%v g became %d ng", grams, got)
		}
	}
}

func TestDecimal(t *testing.T) {
	tests := []struct {
		v      float64
		digits int
		want   string
	}{
		{0, 3, "0"},
		{-0.0001, 3, "0"},
		{96, 3, "96"},
		{96.5, 3, "96.5"},
		{96.12345, 3, "96.123"},
		{-96.12345, 3, "-96.123"},
		{100, 0, "100"},
		{1e21, 3, "1000000000000000000000"},
		{1.2e-8, 9, "0.000000012"},
		{math.NaN(), 3, ""},
		{math.Inf(1), 3, ""},
		{math.Inf(-1), 3, ""},
	}
	for _, tt := range tests {
		if got := Decimal(tt.v, tt.digits); got != tt.want {
			t.Errorf("Decimal(%v, %d) = %q, want %q", tt.v, tt.digits, got, tt.want)
		}
	}
}

func TestSignificant(t *testing.T) {
	tests := map[float64]string{
		0: "0", 1: "1", 0.834872695: "0.835", 12.3456: "12.3", 1234.5: "1230", -0.0000332: "-0.0000332",
		3.05152e-05: "0.0000305", 999.9: "1000", 9.999e-4: "0.001", math.NaN(): "", math.Inf(1): "",
	}
	for v, want := range tests {
		if got := Significant(v, 3); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
}

// What String writes is the very same number again.
func FuzzNanogramsString(f *testing.F) {
	for _, n := range []int64{0, 1, -1, 999_999_999, 1_000_000_000, math.MaxInt64} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n int64) {
		n /= 1024 // so that a float64 holds it exactly
		grams, err := strconv.ParseFloat(Nanograms(n).String(), 64)
		if err != nil {
			t.Fatal(err)
		}
		back, err := GramsToNano(grams)
		if err != nil || int64(back) != n {
			t.Errorf("%d ng became %d (%v)", n, back, err)
		}
	})
}
