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
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"time"
)

// EnergyCharts is the API of Fraunhofer ISE for European countries (https://api.energy-charts.info),
// average intensities in slots whose length follows from the answer: quarters of an hour for most. It needs no
// key. Its forecast reaches to the end of the
// day, or of the next one from the afternoon on. Country is an ISO 3166-1 alpha-2 code in small
// letters, such as de.
type EnergyCharts struct{ Country string }

const (
	energyChartsBase = "https://api.energy-charts.info/co2eq"
	energyChartsGrid = 15 * time.Minute // of what is asked for
	energyChartsSpan = 48 * time.Hour
)

// Name is energyCharts.
func (EnergyCharts) Name() string { return "energyCharts" }

// Cadence is half an hour, twice the length of most slots, because the API asks for restraint.
func (EnergyCharts) Cadence() time.Duration { return 2 * energyChartsGrid }

// Read asks for the last and the next 48 hours, in one call.
func (s EnergyCharts) Read(ctx context.Context, client *http.Client, now time.Time) (Trace, error) {
	return s.read(ctx, client, now, now.Add(-energyChartsSpan), now.Add(energyChartsSpan))
}

// History asks for the last 14 days.
func (s EnergyCharts) History(ctx context.Context, client *http.Client, now time.Time) (Series, error) {
	trace, err := s.read(ctx, client, now, now.Add(-HistoryDays*day), now)
	return trace.actualElseForecast(), err
}

func (s EnergyCharts) read(ctx context.Context, client *http.Client, now, from, to time.Time) (Trace, error) {
	query := url.Values{
		"country": {s.Country},
		"start":   {from.UTC().Truncate(energyChartsGrid).Format(minuteLayout)},
		"end":     {to.UTC().Truncate(energyChartsGrid).Format(minuteLayout)},
	}
	var answer energyChartsAnswer
	if err := fetchJSON(ctx, client, energyChartsBase+"?"+query.Encode(), now, &answer); err != nil {
		return Trace{}, err
	}
	return answer.trace()
}

// energyChartsAnswer holds three lists of equal length: the starts of the slots, what was measured and
// what is forecast.
type energyChartsAnswer struct {
	UnixSeconds []int64    `json:"unix_seconds"`
	Measured    []*float64 `json:"co2eq"`
	Forecast    []*float64 `json:"co2eq_forecast"`
}

// trace takes what was measured for the forecast of a slot that has none.
func (a *energyChartsAnswer) trace() (Trace, error) {
	if len(a.Measured) != len(a.UnixSeconds) || len(a.Forecast) != len(a.UnixSeconds) {
		return Trace{}, malformed("its lists of times, measured and forecast values differ in length")
	}
	step := leastStep(a.UnixSeconds)
	if step < time.Minute || step > time.Hour {
		return Trace{}, malformed("its times are on no regular grid")
	}
	var rows []traceRow
	hasActual := false
	for i, seconds := range a.UnixSeconds {
		where := fmt.Sprintf("slot %d of its answer", i+1)
		forecast, err := orUnknown(a.Forecast[i])
		if err != nil {
			return Trace{}, malformed("%s: co2eq_forecast: %v", where, err)
		}
		actual, err := orUnknown(a.Measured[i])
		if err != nil {
			return Trace{}, malformed("%s: co2eq: %v", where, err)
		}
		if math.IsNaN(forecast) {
			forecast = actual
		}
		if math.IsNaN(forecast) {
			continue // nothing is known of it
		}
		hasActual = hasActual || !math.IsNaN(actual)
		from := time.Unix(seconds, 0).UTC()
		rows = append(rows, traceRow{where: where, from: from, to: from.Add(step), forecast: forecast, actual: actual})
	}
	trace, err := assemble(dropRepeated(rows), hasActual)
	if err != nil {
		return Trace{}, malformed("%v", err)
	}
	return trace, nil
}
