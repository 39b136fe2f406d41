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

package forecast

import (
	_ "embed" // the table
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// The table holds the carbon intensity of a country's yearly electricity mix in gCO2e/kWh, by ISO
// 3166-1 alpha-3 code: the countries that host public cloud regions and their neighbours. The figures
// are those that EcoLogits 0.11 (https://ecologits.ai) publishes per zone, rounded to whole grams;
// they are some years old, and good for a last resort.
//
//go:embed annualmean.csv
var annualMeanTable string

var annualMeans = sync.OnceValue(func() map[string]float64 {
	means := map[string]float64{}
	for line := range strings.Lines(annualMeanTable) {
		zone, text, _ := strings.Cut(strings.TrimSpace(line), ",")
		if grams, err := strconv.ParseFloat(text, 64); err == nil { // the header is no number
			means[zone] = grams
		}
	}
	return means
})

// MeanOfYear is the mean carbon intensity of a country's electricity in gCO2e/kWh, by its ISO 3166-1
// alpha-3 code such as GBR. An error says that the table does not have the country.
func MeanOfYear(zone string) (float64, error) {
	grams, ok := annualMeans()[zone]
	if !ok {
		return 0, fmt.Errorf("no annual mean is known for %q: it must be an ISO 3166-1 alpha-3 code such as GBR", zone)
	}
	return grams, nil
}
