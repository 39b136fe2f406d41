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
	"maps"
	"math"
	"net/http"
	"net/url"
	"time"
)

// ElectricityMaps is the API of Electricity Maps (https://api.electricitymaps.com), version 4, whose
// answers have the form of version 3: average, flow-traced, life-cycle intensities, in hours. Its
// forecast needs a paid plan.
type ElectricityMaps struct {
	// Zone such as DE or US-CAL-CISO.
	Zone string
	// Token gives the API token, each time it is needed.
	Token func(context.Context) (string, error)
}

const (
	electricityMapsBase    = "https://api.electricitymaps.com/v4/carbon-intensity/"
	electricityMapsHorizon = "48"
	electricityMapsPast    = 10 * day
)

// Name is electricityMaps.
func (ElectricityMaps) Name() string { return "electricityMaps" }

// Cadence is half an hour.
func (ElectricityMaps) Cadence() time.Duration { return 30 * time.Minute }

// Read asks for the next 48 hours and the last 24, in two calls.
func (s ElectricityMaps) Read(ctx context.Context, client *http.Client, now time.Time) (Trace, error) {
	ahead, err := s.ask(ctx, client, now, "forecast", url.Values{"horizonHours": {electricityMapsHorizon}})
	if err != nil {
		return Trace{}, err
	}
	past, err := s.ask(ctx, client, now, "history", nil)
	if err != nil {
		return Trace{}, err
	}
	return mergeElectricityMaps(past.History, ahead.Forecast)
}

// History asks for the last 10 days, the most that the API gives at once.
func (s ElectricityMaps) History(ctx context.Context, client *http.Client, now time.Time) (Series, error) {
	now = now.UTC().Truncate(time.Hour)
	past, err := s.ask(ctx, client, now, "past-range", url.Values{
		"start": {now.Add(-electricityMapsPast).Format(time.RFC3339)}, "end": {now.Format(time.RFC3339)},
	})
	if err != nil {
		return Series{}, err
	}
	rows, err := electricityMapsRows("history", past.Data)
	if err != nil {
		return Series{}, err
	}
	for i := range rows {
		rows[i].to = rows[i].from.Add(time.Hour)
	}
	trace, err := assemble(dropRepeated(rows), true)
	if err != nil {
		return Series{}, malformed("%v", err)
	}
	return trace.actualElseForecast(), nil
}

func (s ElectricityMaps) ask(ctx context.Context, client *http.Client, now time.Time, what string, more url.Values) (electricityMapsAnswer, error) {
	var answer electricityMapsAnswer
	token, err := s.Token(ctx)
	if err != nil {
		return answer, err
	}
	// Without disableCallerLookup a zone that is not known means the zone of the caller.
	query := url.Values{"zone": {s.Zone}, "disableCallerLookup": {"true"}}
	maps.Copy(query, more)
	header := http.Header{"Auth-Token": {token}}
	if err := fetchJSON(ctx, client, electricityMapsBase+what+"?"+query.Encode(), now, &answer, header); err != nil {
		return answer, err
	}
	if answer.Zone != s.Zone && (answer.Zone != "" || what != "past-range") {
		return answer, malformed("its answer is about another zone")
	}
	return answer, nil
}

type electricityMapsAnswer struct {
	Zone     string                 `json:"zone"`
	Forecast []electricityMapsPoint `json:"forecast"`
	History  []electricityMapsPoint `json:"history"`
	Data     []electricityMapsPoint `json:"data"`
}

// electricityMapsPoint has only the start of its slot.
type electricityMapsPoint struct {
	CarbonIntensity *float64 `json:"carbonIntensity"`
	Datetime        string   `json:"datetime"`
	IsEstimated     bool     `json:"isEstimated"`
}

// mergeElectricityMaps puts both answers on one grid. A past value that is only estimated is not an
// actual one, but better than what was forecast. Where both know a slot, the past one counts.
func mergeElectricityMaps(past, ahead []electricityMapsPoint) (Trace, error) {
	rows, err := electricityMapsRows("history", past)
	if err != nil {
		return Trace{}, err
	}
	known, hasActual := map[time.Time]bool{}, false
	for i := range rows {
		known[rows[i].from] = true
		hasActual = hasActual || !math.IsNaN(rows[i].actual)
	}
	future, err := electricityMapsRows("forecast", ahead)
	if err != nil {
		return Trace{}, err
	}
	starts := make([]int64, len(future))
	for i := range future {
		starts[i] = future[i].from.Unix()
	}
	step := leastStep(starts)
	if step < time.Minute || step > time.Hour {
		return Trace{}, malformed("its forecast is on no regular grid")
	}
	for _, row := range future {
		if !known[row.from] {
			rows = append(rows, row)
		}
	}
	for i := range rows {
		rows[i].to = rows[i].from.Add(step)
	}
	trace, err := assemble(dropRepeated(rows), hasActual)
	if err != nil {
		return Trace{}, malformed("%v", err)
	}
	return trace, nil
}

// electricityMapsRows leaves out points without a value; the end of a slot is not known yet.
func electricityMapsRows(kind string, points []electricityMapsPoint) ([]traceRow, error) {
	var rows []traceRow
	for i, point := range points {
		where := fmt.Sprintf("point %d of its %s", i+1, kind)
		from, err := parseTime(point.Datetime)
		if err != nil {
			return nil, malformed("%s: datetime: not a time", where)
		}
		grams, err := orUnknown(point.CarbonIntensity)
		if err != nil {
			return nil, malformed("%s: carbonIntensity: %v", where, err)
		}
		if math.IsNaN(grams) {
			continue
		}
		row := traceRow{where: where, from: from, forecast: grams, actual: math.NaN()}
		if kind == "history" {
			if row.estimated = point.IsEstimated; !row.estimated {
				row.actual = grams
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}
