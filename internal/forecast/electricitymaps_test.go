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
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// byPath answers by the last part of the path and keeps the requests.
type byPath struct {
	bodies   map[string]string
	requests []*http.Request
}

func (b *byPath) RoundTrip(r *http.Request) (*http.Response, error) {
	b.requests = append(b.requests, r)
	body, ok := b.bodies[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]]
	status := http.StatusOK
	if !ok {
		status = http.StatusForbidden
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}, Request: r}, nil
}

func readElectricityMaps(t *testing.T, bodies map[string]string) (Trace, *byPath, error) {
	t.Helper()
	b := &byPath{bodies: bodies}
	source := ElectricityMaps{Zone: "DE", Token: func(context.Context) (string, error) { return "s3cret", nil }}
	trace, err := source.Read(t.Context(), &http.Client{Transport: b}, time.Date(2026, 10, 1, 8, 10, 0, 0, time.UTC))
	return trace, b, err
}

const (
	emForecast = `{"zone":"DE","forecast":[{"carbonIntensity":302,"datetime":"2026-10-01T08:00:00.000Z"},
		{"carbonIntensity":290,"datetime":"2026-10-01T09:00:00.000Z"},{"carbonIntensity":null,"datetime":"2026-10-01T10:00:00.000Z"},
		{"carbonIntensity":280,"datetime":"2026-10-01T11:00:00.000Z"}],"updatedAt":"2026-10-01T07:30:00.000Z","temporalGranularity":"hourly"}`
	emHistory = `{"zone":"DE","history":[
		{"zone":"DE","carbonIntensity":310,"datetime":"2026-10-01T06:00:00.000Z","emissionFactorType":"lifecycle","isEstimated":false,"estimationMethod":null},
		{"zone":"DE","carbonIntensity":305,"datetime":"2026-10-01T07:00:00.000Z","isEstimated":true,"estimationMethod":"TIME_SLICER_AVERAGE"},
		{"zone":"DE","carbonIntensity":299,"datetime":"2026-10-01T08:00:00.000Z","isEstimated":true}]}`
)

func TestElectricityMaps(t *testing.T) {
	trace, b, err := readElectricityMaps(t, map[string]string{"forecast": emForecast, "history": emHistory})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"/v4/carbon-intensity/forecast", "/v4/carbon-intensity/history"} {
		r := b.requests[i]
		if r.URL.Host != "api.electricitymaps.com" || r.URL.Path != want || r.URL.Query().Get("zone") != "DE" ||
			r.URL.Query().Get("disableCallerLookup") != "true" || r.Header.Get("auth-token") != "s3cret" || strings.Contains(r.URL.String(), "s3cret") {
			t.Errorf("request %d: %s %v", i, r.URL, r.Header)
		}
	}
	if !trace.Forecast.Start.Equal(time.Date(2026, 10, 1, 6, 0, 0, 0, time.UTC)) || trace.Forecast.Step != time.Hour {
		t.Errorf("%+v", trace.Forecast)
	}
	want := []float64{310, 305, 299, 290, math.NaN(), 280}
	for i, g := range trace.Forecast.Grams {
		if g != want[i] && !(math.IsNaN(g) && math.IsNaN(want[i])) {
			t.Errorf("forecast %v, want %v", trace.Forecast.Grams, want)
			break
		}
	}
	if g, ok := trace.Actual.At(trace.Forecast.Start); !ok || g != 310 || !math.IsNaN(trace.Actual.Grams[1]) {
		t.Errorf("actual %v: only what is not estimated counts", trace.Actual.Grams)
	}
}

// TestElectricityMapsVersion3 holds that answers in the form of version 3, which knows no granularity and no
// estimation of old values, mean the same.
func TestElectricityMapsVersion3(t *testing.T) {
	trace, _, err := readElectricityMaps(t, map[string]string{
		"forecast": `{"zone":"DE","forecast":[{"carbonIntensity":302,"datetime":"2026-10-01T08:00:00.000Z"},{"carbonIntensity":290,"datetime":"2026-10-01T09:00:00.000Z"}],"updatedAt":"2026-10-01T07:30:00.000Z"}`,
		"history":  `{"zone":"DE","history":[{"zone":"DE","carbonIntensity":310,"datetime":"2026-10-01T07:00:00.000Z","updatedAt":"2026-10-01T08:02:31.511Z"}]}`,
	})
	if err != nil || !slices.Equal(trace.Forecast.Grams, []float64{310, 302, 290}) || trace.Actual.Grams[0] != 310 {
		t.Errorf("%+v, %v", trace, err)
	}
}

func TestElectricityMapsRefuses(t *testing.T) {
	tests := map[string]struct {
		bodies  map[string]string
		refused bool
	}{
		"a plan without forecasts": {map[string]string{"history": emHistory}, true},
		"another zone":             {map[string]string{"forecast": strings.Replace(emForecast, "DE", "FR", 1), "history": emHistory}, false},
		"one point":                {map[string]string{"forecast": `{"zone":"DE","forecast":[{"carbonIntensity":1,"datetime":"2026-10-01T08:00:00Z"}]}`, "history": emHistory}, false},
		"negative":                 {map[string]string{"forecast": strings.Replace(emForecast, "302", "-302", 1), "history": emHistory}, false},
		"no time":                  {map[string]string{"forecast": emForecast, "history": strings.Replace(emHistory, "2026-10-01T06:00:00.000Z", "s3cret", 1)}, false},
		"contradiction":            {map[string]string{"forecast": emForecast, "history": strings.Replace(emHistory, "T06:00", "T07:00", 1)}, false},
		"off the grid":             {map[string]string{"forecast": strings.Replace(emForecast, "T11:00", "T11:20", 1), "history": emHistory}, false},
	}
	for name, tt := range tests {
		trace, _, err := readElectricityMaps(t, tt.bodies)
		failure, ok := errors.AsType[*SourceError](err)
		if !ok || failure.Refused != tt.refused || failure.Malformed == tt.refused || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %+v, %v", name, trace, err)
		}
	}
}

func FuzzElectricityMaps(f *testing.F) {
	f.Add([]byte(emHistory), []byte(emForecast))
	f.Fuzz(func(t *testing.T, past, ahead []byte) {
		var p, a electricityMapsAnswer
		if json.Unmarshal(past, &p) != nil || json.Unmarshal(ahead, &a) != nil {
			return
		}
		trace, err := mergeElectricityMaps(p.History, a.Forecast)
		if err != nil {
			return
		}
		if len(trace.Forecast.Grams) > MaxTraceSlots || trace.Forecast.Validate() != nil {
			t.Errorf("%q and %q were taken as %+v", past, ahead, trace)
		}
	})
}
