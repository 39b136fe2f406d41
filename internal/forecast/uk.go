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
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"time"
)

// UK is the Carbon Intensity API of the National Energy System Operator of Great Britain
// (https://carbonintensity.org.uk, CC BY 4.0): half hours, 48 hours of forecast, average intensities
// of operation. It needs no key. Region 0 is the nation, with actual values; 1 to 17 are the regions
// of the API, which have forecasts only.
type UK struct{ Region int }

const (
	ukBase = "https://api.carbonintensity.org.uk"
	ukStep = 30 * time.Minute
	ukSpan = 48 * time.Hour
)

// minuteLayout is how sources want times in UTC.
const minuteLayout = "2006-01-02T15:04Z"

// Name is ukCarbonIntensity.
func (UK) Name() string { return "ukCarbonIntensity" }

// Cadence is half an hour.
func (UK) Cadence() time.Duration { return ukStep }

// Read asks for the last and the next 48 hours, in one call.
func (s UK) Read(ctx context.Context, client *http.Client, now time.Time) (Trace, error) {
	return s.read(ctx, client, now, now.Add(-ukSpan), now.Add(ukSpan))
}

// History asks for the last 14 days, the most that the API gives at once.
func (s UK) History(ctx context.Context, client *http.Client, now time.Time) (Series, error) {
	trace, err := s.read(ctx, client, now, now.Add(-HistoryDays*day), now)
	return trace.actualElseForecast(), err
}

// Range asks once for the time from one instant to another, 14 days at most.
func (s UK) Range(ctx context.Context, client *http.Client, from, to time.Time) (Trace, error) {
	return s.read(ctx, client, to, from, to)
}

func (s UK) read(ctx context.Context, client *http.Client, now, from, to time.Time) (Trace, error) {
	span := from.UTC().Truncate(ukStep).Format(minuteLayout) + "/" + to.UTC().Truncate(ukStep).Format(minuteLayout)
	address := ukBase + "/intensity/" + span
	if s.Region != 0 {
		address = fmt.Sprintf("%s/regional/intensity/%s/regionid/%d", ukBase, span, s.Region)
	}
	var answer struct {
		Data json.RawMessage `json:"data"`
	}
	if err := fetchJSON(ctx, client, address, now, &answer); err != nil {
		return Trace{}, err
	}
	return parseUK(answer.Data, s.Region)
}

type ukSlot struct {
	From, To  string
	Intensity struct{ Forecast, Actual *float64 }
}

type ukRegion struct {
	RegionID int      `json:"regionid"`
	Data     []ukSlot `json:"data"`
}

// parseUK reads the data of an answer: the slots themselves, or, of a region, an object that holds
// them. The API's documentation puts that object into an array; the API itself does not.
func parseUK(data []byte, region int) (Trace, error) {
	var slots []ukSlot
	if region == 0 {
		if json.Unmarshal(data, &slots) != nil {
			return Trace{}, malformed("its answer has no list of half hours")
		}
	} else {
		if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
			data = bytes.Join([][]byte{[]byte("["), data, []byte("]")}, nil)
		}
		var regions []ukRegion
		if json.Unmarshal(data, &regions) != nil || len(regions) != 1 || regions[0].RegionID != region {
			return Trace{}, malformed("its answer is not about region %d", region)
		}
		slots = regions[0].Data
	}
	rows := make([]traceRow, 0, len(slots))
	hasActual := false
	for i, slot := range slots {
		row, err := slot.row()
		if err != nil {
			return Trace{}, malformed("half hour %d of its answer: %v", i+1, err)
		}
		row.where = fmt.Sprintf("half hour %d of its answer", i+1)
		hasActual = hasActual || !math.IsNaN(row.actual)
		rows = append(rows, row)
	}
	trace, err := assemble(dropRepeated(rows), hasActual)
	if err != nil {
		return Trace{}, malformed("%v", err)
	}
	return trace, nil
}

func (s ukSlot) row() (row traceRow, err error) {
	if row.from, err = parseTime(s.From); err != nil {
		return row, fmt.Errorf("from: not a time in UTC")
	}
	if row.to, err = parseTime(s.To); err != nil {
		return row, fmt.Errorf("to: not a time in UTC")
	}
	if row.to.Sub(row.from) != ukStep {
		return row, fmt.Errorf("it is not half an hour long")
	}
	if row.forecast, err = orUnknown(s.Intensity.Forecast); err != nil {
		return row, fmt.Errorf("forecast: %w", err)
	}
	if row.actual, err = orUnknown(s.Intensity.Actual); err != nil {
		return row, fmt.Errorf("actual: %w", err)
	}
	return row, nil
}

// orUnknown is the value, NaN for none.
func orUnknown(grams *float64) (float64, error) {
	if grams == nil {
		return math.NaN(), nil
	}
	if math.IsNaN(*grams) || *grams < 0 || *grams > MaxGramsPerKWh {
		return 0, fmt.Errorf("%v is not an intensity from 0 to %.0f gCO2e/kWh", *grams, MaxGramsPerKWh)
	}
	return *grams, nil
}

// dropRepeated leaves out rows that say the same as an earlier one. Rows that contradict each other
// stay, and are an error later on.
func dropRepeated(rows []traceRow) []traceRow {
	type key struct {
		from, to         time.Time
		forecast, actual uint64
	}
	seen := map[key]bool{}
	var unique []traceRow
	for _, row := range rows {
		k := key{row.from, row.to, math.Float64bits(row.forecast), math.Float64bits(row.actual)}
		if !seen[k] {
			seen[k] = true
			unique = append(unique, row)
		}
	}
	return unique
}
