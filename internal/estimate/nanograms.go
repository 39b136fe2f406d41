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
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Nanograms is a mass of CO2e in 1e-9 g, up to about 9,200 tonnes. Integers add up exactly.
type Nanograms int64

const nanoPerGram = 1e9

// GramsToNano rounds grams to nanograms; an error for NaN, infinity and masses that do not fit.
func GramsToNano(grams float64) (Nanograms, error) {
	nano := math.Round(grams * nanoPerGram)
	if math.IsNaN(nano) || math.Abs(nano) >= math.MaxInt64 {
		return 0, fmt.Errorf("%v g is not a mass that can be recorded", grams)
	}
	return Nanograms(nano), nil
}

// String is the mass in grams as a decimal number without trailing zeros: "12.5", "-0.000000001".
func (n Nanograms) String() string {
	if n == math.MinInt64 {
		return "-9223372036.854775808"
	}
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	text := fmt.Sprintf("%d.%09d", n/nanoPerGram, n%nanoPerGram)
	return sign + strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// Decimal writes a number with at most the given digits after the point, without trailing zeros and
// never with an exponent; NaN and infinities become the empty string, which stands for unknown.
func Decimal(v float64, digits int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		return "0"
	}
	return text
}

// Significant writes a number for people: so many significant digits, never with an exponent. NaN and
// infinities become the empty string.
func Significant(v float64, digits int) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return Decimal(v, 0)
	}
	magnitude := int(math.Floor(math.Log10(math.Abs(v)))) + 1
	unit := math.Pow10(max(0, magnitude-digits))
	if unit > 1 {
		return Decimal(math.Round(v/unit)*unit, 0)
	}
	return Decimal(v, max(0, digits-magnitude))
}
