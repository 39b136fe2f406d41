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
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// casObserved is the past of casForecast, the last slot first, as WattTime lets the API tell it.
const casObserved = `[{"location":"UK","time":"2026-07-01T11:55:00+00:00","rating":230.25,"duration":"00:05:00"},
	{"location":"UK","time":"2026-07-01T11:50:00+00:00","rating":220.5,"duration":"00:05:00"},
	{"location":"UK","time":"2026-07-01T11:40:00+00:00","rating":240,"duration":"00:05:00"}]`

// pastOf answers with casForecast and, when asked for what was observed, with its own body.
type pastOf struct {
	status           int
	body, retryAfter string
	asked            *http.Request
}

func (p *pastOf) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/current") {
		return (&answering{body: "[" + casForecast + "]"}).RoundTrip(r)
	}
	p.asked = r
	return &http.Response{
		StatusCode: p.status, Body: io.NopCloser(strings.NewReader(p.body)), Header: http.Header{"Retry-After": {p.retryAfter}}, Request: r,
	}, nil
}

var (
	casSource = CarbonAwareSDK{Endpoint: "https://carbon.example.org", Location: "uksouth"}
	casNow    = time.Date(2026, 7, 1, 12, 2, 3, 4, time.UTC)
)

func TestCarbonAwareSDKTellsThePast(t *testing.T) {
	p := &pastOf{status: http.StatusOK, body: casObserved}
	trace, err := casSource.Read(t.Context(), &http.Client{Transport: p}, casNow)
	if err != nil {
		t.Fatal(err)
	}
	if begins, _ := trace.Begins(); !begins.Equal(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("the forecast begins at %s", begins)
	}
	if got := fmt.Sprint(trace.Forecast.Start.Format(minuteLayout), trace.Forecast.Grams, trace.Actual.Grams[:5]); got !=
		"2026-07-01T11:40Z[240 NaN 220.5 230.25 200 190.5 210] [240 NaN 220.5 230.25 NaN]" {
		t.Error(got)
	}
	past, err := casSource.History(t.Context(), &http.Client{Transport: p}, casNow)
	if err != nil || fmt.Sprint(past.Grams) != "[240 NaN 220.5 230.25]" {
		t.Errorf("%+v, %v", past, err)
	}
	if q := p.asked.URL.Query(); q.Get("time") != "2026-06-21T12:02:00Z" || q.Get("toTime") != "2026-07-01T12:02:00Z" {
		t.Errorf("asked for %s", p.asked.URL)
	}
}

// TestCarbonAwareSDKWithoutAPast holds that a forecast is worth something without what was before it.
func TestCarbonAwareSDKWithoutAPast(t *testing.T) {
	for name, past := range map[string]pastOf{
		"not offered":       {status: http.StatusNotImplemented, body: `{"title":"secret words"}`},
		"nothing":           {status: http.StatusOK, body: `[]`},
		"no list":           {status: http.StatusOK, body: `{"title":"secret words"}`},
		"no content":        {status: http.StatusNoContent, body: ""},
		"no duration":       {status: http.StatusOK, body: strings.ReplaceAll(casObserved, "00:05:00", "")},
		"days":              {status: http.StatusOK, body: strings.ReplaceAll(casObserved, "00:05:00", "1.00:00:00")},
		"hours":             {status: http.StatusOK, body: strings.ReplaceAll(casObserved, "00:05:00", "08:00:00")},
		"another grid":      {status: http.StatusOK, body: strings.ReplaceAll(casObserved, "00:05:00", "00:01:00")},
		"beside the grid":   {status: http.StatusOK, body: strings.ReplaceAll(strings.ReplaceAll(casObserved, "0:00+", "1:00+"), "5:00+", "6:00+")},
		"negative":          {status: http.StatusOK, body: strings.Replace(casObserved, "220.5", "-220.5", 1)},
		"of another unit":   {status: http.StatusOK, body: strings.Replace(casObserved, "220.5", "220500", 1)},
		"NaN":               {status: http.StatusOK, body: strings.Replace(casObserved, "220.5", "NaN", 1)},
		"a contradiction":   {status: http.StatusOK, body: strings.Replace(casObserved, "11:50", "11:55", 1)},
		"of several places": {status: http.StatusOK, body: strings.Replace(casObserved, "UK", "DE", 1)},
		"from long ago":     {status: http.StatusOK, body: strings.ReplaceAll(casObserved, "2026", "1926")},
		"yet to come":       {status: http.StatusOK, body: strings.ReplaceAll(casObserved, "T11:", "T12:")},
		"unknown":           {status: http.StatusOK, body: `[{"location":"UK","time":"2026-07-01T11:55:00Z","rating":null,"duration":"00:05:00"}]`},
	} {
		trace, err := casSource.Read(t.Context(), &http.Client{Transport: &past}, casNow)
		if err != nil || fmt.Sprint(trace.Forecast.Grams, trace.Actual.Grams) != "[200 190.5 210] []" {
			t.Errorf("%s: %+v, %v", name, trace, err)
		}
	}
	_, err := casSource.Read(t.Context(), &http.Client{Transport: &pastOf{status: http.StatusTooManyRequests, retryAfter: "600"}}, casNow)
	if failure, ok := errors.AsType[*SourceError](err); !ok || failure.RetryAfter != 10*time.Minute {
		t.Errorf("got %v: it asks to be left alone", err)
	}
}

func FuzzCarbonAwarePast(f *testing.F) {
	f.Add([]byte(casObserved))
	ahead, err := parseCarbonAwareSDK([]byte(casForecast), "uksouth")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		past, err := parseCarbonAwarePast(data)
		if err != nil {
			return
		}
		all := ahead.behind(past)
		for _, trace := range []Trace{past, all} {
			if n := len(trace.Forecast.Grams); n > MaxTraceSlots || trace.Forecast.Validate() != nil || len(trace.Actual.Grams) > n {
				t.Errorf("%q was taken as %+v", data, trace)
			}
		}
		for at := ahead.Forecast.Start; at.Before(ahead.Forecast.End()); at = at.Add(ahead.Forecast.Step) {
			if _, ok := all.Forecast.At(at); !ok {
				t.Errorf("%q hides the forecast for %s", data, at)
			}
		}
	})
}
