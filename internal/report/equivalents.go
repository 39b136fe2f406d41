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

// Equivalent makes grams tangible.
type Equivalent struct {
	// Of says what is compared: emitted or avoided.
	Of string `json:"of"`
	// Value in Unit.
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Source of the factor.
	Source string `json:"source"`
}

// The average passenger vehicle emits 400 g of CO2 a mile at the tailpipe: US EPA, "Tailpipe
// Greenhouse Gas Emissions from a Typical Passenger Vehicle", EPA-420-F-23-014, June 2023. A mile
// is 1.609344 km.
const (
	gramsPerMile = 400
	kmPerMile    = 1.609344
	// GramsPerKm of an average passenger vehicle, about 248.5 gCO2/km.
	GramsPerKm = gramsPerMile / kmPerMile

	carSource = "US EPA, EPA-420-F-23-014 (June 2023): 400 g CO2 per mile at the tailpipe of an average passenger vehicle"
	carUnit   = "km driven by an average passenger vehicle"
)

// equivalents of what was emitted and of what was avoided, each under its name.
func equivalents(t *Totals) []Equivalent {
	return []Equivalent{
		{Of: "emitted", Value: t.EmittedGrams.Float64() / GramsPerKm, Unit: carUnit, Source: carSource},
		{Of: "avoided", Value: t.AvoidedGrams.Float64() / GramsPerKm, Unit: carUnit, Source: carSource},
	}
}

// forPeople names what is compared, and how much of the unit it is: never less than nothing.
func (e Equivalent) forPeople() (of, value string) {
	if e.Value < 0 {
		return "emitted beyond the baseline", quantity(-e.Value)
	}
	return e.Of, quantity(e.Value)
}
