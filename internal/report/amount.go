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

package report

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/inf.v0"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// Amount is an exact decimal number of grams of CO2e or of kWh. The zero value is 0.
type Amount struct{ dec inf.Dec }

// ParseAmount reads a decimal number of a status; an error for anything else, the empty text (which
// stands for unknown) included.
func ParseAmount(text carbonv1alpha1.Decimal) (Amount, error) {
	var a Amount
	if _, ok := a.dec.SetString(string(text)); !ok {
		return Amount{}, fmt.Errorf("%q is not a decimal number", string(text))
	}
	return a, nil
}

// Add adds b to a. The sum is a number of its own: copies of a, which share its digits, stay as they
// are.
func (a *Amount) Add(b Amount) { a.dec = *new(inf.Dec).Add(&a.dec, &b.dec) }

// Sign is -1, 0 or 1.
func (a Amount) Sign() int { return a.dec.Sign() }

// String is the number with every digit and without trailing zeros: "12.5".
func (a Amount) String() string {
	text := a.dec.String()
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		return "0"
	}
	return text
}

// Fixed is the number with so many digits after the point, rounded half away from zero, with commas
// between thousands: "1,234.50".
func (a Amount) Fixed(digits int) string {
	text := new(inf.Dec).Round(&a.dec, inf.Scale(digits), inf.RoundHalfUp).String() //nolint:gosec // digits is 0 to 9
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if strings.Trim(whole+fraction, "0") == "" {
		sign = ""
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + whole + fraction
}

// Float64 is the nearest float, for charts and ratios only.
func (a Amount) Float64() float64 {
	v, err := strconv.ParseFloat(a.dec.String(), 64)
	if err != nil {
		return 0 // cannot be: what inf prints is a number
	}
	return v
}

// MarshalJSON writes the number as a string with every digit, as the API does.
func (a Amount) MarshalJSON() ([]byte, error) { return json.Marshal(a.String()) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (a *Amount) UnmarshalJSON(data []byte) error {
	var text carbonv1alpha1.Decimal
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("an amount is a string: %w", err)
	}
	parsed, err := ParseAmount(text)
	*a = parsed
	return err
}

// significant is how many digits the largest number of a column shows at least.
const significant = 6

// digitsFor is how many digits after the point numbers up to the given one need to show the
// significant digits: 0 to 9.
func digitsFor(largest Amount) int {
	v := largest.Float64()
	if v < 0 {
		v = -v
	}
	digits := significant - 1
	for ; v >= 10 && digits > 0; v /= 10 {
		digits--
	}
	for ; v > 0 && v < 1 && digits < 9; v *= 10 {
		digits++
	}
	return digits
}
