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
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// CarbonAwareSDK is a Web API of the Green Software Foundation's Carbon Aware SDK, which somebody runs
// (https://github.com/Green-Software-Foundation/carbon-aware-sdk). What its intensities are depends on the
// provider behind it. Those that it calls observed count as actual.
type CarbonAwareSDK struct {
	// Endpoint is the API's address, for example https://carbon.example.org.
	Endpoint string
	// Location as the API names it, by default an Azure region such as uksouth.
	Location string
}

// Name is carbonAwareSDK.
func (CarbonAwareSDK) Name() string { return "carbonAwareSDK" }

// Cadence is half an hour.
func (CarbonAwareSDK) Cadence() time.Duration { return 30 * time.Minute }

// Read asks for the current forecast and the last 48 hours, in two calls. An API that has nothing to tell of the
// past, or not on the grid of its forecast, gives forecasts only.
func (s CarbonAwareSDK) Read(ctx context.Context, client *http.Client, now time.Time) (Trace, error) {
	var answer json.RawMessage
	if err := s.ask(ctx, client, now, "forecasts/current", url.Values{}, &answer); err != nil {
		return Trace{}, err
	}
	ahead, err := parseCarbonAwareSDK(answer, s.Location)
	if err != nil {
		return Trace{}, err
	}
	past, err := s.past(ctx, client, now, carbonAwarePast)
	if failure, ok := errors.AsType[*SourceError](err); ok && failure.RetryAfter > 0 {
		return Trace{}, err
	}
	return ahead.behind(past), nil
}

func (s CarbonAwareSDK) ask(ctx context.Context, client *http.Client, now time.Time, what string, query url.Values, into any) error {
	query.Set("location", s.Location)
	return fetchJSON(ctx, client, strings.TrimSuffix(s.Endpoint, "/")+"/emissions/"+what+"?"+query.Encode(), now, into)
}

type carbonAwareForecast struct {
	Location     string             `json:"location"`
	ForecastData []carbonAwarePoint `json:"forecastData"`
}

// carbonAwarePoint is a slot; its duration is in minutes.
type carbonAwarePoint struct {
	Timestamp string   `json:"timestamp"`
	Duration  int      `json:"duration"`
	Value     *float64 `json:"value"`
}

// parseCarbonAwareSDK reads a list with one forecast a location, or that forecast alone, as older
// versions send it.
func parseCarbonAwareSDK(data []byte, location string) (Trace, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		data = bytes.Join([][]byte{[]byte("["), data, []byte("]")}, nil)
	}
	var forecasts []carbonAwareForecast
	if json.Unmarshal(data, &forecasts) != nil || len(forecasts) != 1 {
		return Trace{}, malformed("its answer is not one forecast")
	}
	if forecasts[0].Location != "" && !strings.EqualFold(forecasts[0].Location, location) {
		return Trace{}, malformed("its answer is about another location")
	}
	rows := make([]traceRow, 0, len(forecasts[0].ForecastData))
	for i, point := range forecasts[0].ForecastData {
		where := fmt.Sprintf("point %d of its forecast", i+1)
		from, err := parseTime(point.Timestamp)
		if err != nil {
			return Trace{}, malformed("%s: timestamp: not a time", where)
		}
		if point.Duration < 1 || point.Duration > 60 {
			return Trace{}, malformed("%s: a duration of %d minutes", where, point.Duration)
		}
		grams, err := orUnknown(point.Value)
		if err != nil {
			return Trace{}, malformed("%s: value: %v", where, err)
		}
		rows = append(rows, traceRow{where: where, from: from, to: from.Add(time.Duration(point.Duration) * time.Minute), forecast: grams})
	}
	trace, err := assemble(dropRepeated(rows), false)
	if err != nil {
		return Trace{}, malformed("%v", err)
	}
	return trace, nil
}
