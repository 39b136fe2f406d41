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
	"net/http"
	"strings"
	"testing"
	"time"
)

func readCarbonAwareSDK(t *testing.T, body string) (Trace, string, error) {
	t.Helper()
	a := &answering{body: body}
	source := CarbonAwareSDK{Endpoint: "https://carbon.example.org/", Location: "uksouth"}
	trace, err := source.Read(t.Context(), &http.Client{Transport: a}, time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC))
	return trace, a.url, err
}

const casForecast = `{"requestedAt":"2026-07-01T12:00:01+00:00","generatedAt":"2026-07-01T11:55:00+00:00","location":"uksouth",
	"dataStartAt":"2026-07-01T12:00:00+00:00","dataEndAt":"2026-07-01T12:15:00+00:00","windowSize":5,"optimalDataPoints":[
	{"location":"uksouth","timestamp":"2026-07-01T12:05:00+00:00","duration":5,"value":190.5}],"forecastData":[
	{"location":"uksouth","timestamp":"2026-07-01T14:00:00+02:00","duration":5,"value":200},
	{"location":"uksouth","timestamp":"2026-07-01T12:05:00+00:00","duration":5,"value":190.5},
	{"location":"uksouth","timestamp":"2026-07-01T12:10:00+00:00","duration":5,"value":210}]}`

func TestCarbonAwareSDK(t *testing.T) {
	older := strings.Replace(casForecast, `"optimalDataPoints":[
	{"location":"uksouth","timestamp":"2026-07-01T12:05:00+00:00","duration":5,"value":190.5}]`, `"optimalDataPoint":{"value":190.5}`, 1)
	for name, body := range map[string]string{"a list": "[" + casForecast + "]", "one alone": older} {
		trace, url, err := readCarbonAwareSDK(t, body)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !strings.HasPrefix(url, "https://carbon.example.org/emissions/bylocation?location=uksouth&time=2026-06-29T12%3A00%3A00Z&toTime=2026-07-01T12%3A00%3A00Z") {
			t.Errorf("asked for %s", url)
		}
		if !trace.Forecast.Start.Equal(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)) || trace.Forecast.Step != 5*time.Minute ||
			fmt.Sprint(trace.Forecast.Grams) != "[200 190.5 210]" || len(trace.Actual.Grams) > 0 {
			t.Errorf("%s: %+v", name, trace)
		}
	}
}

func TestCarbonAwareSDKRefuses(t *testing.T) {
	tests := map[string]string{
		"nothing":          `[]`,
		"a problem":        `{"type":"x","title":"secret words","status":400}`,
		"another location": strings.ReplaceAll(casForecast, "uksouth", "ukwest"),
		"two locations":    "[" + casForecast + "," + casForecast + "]",
		"no duration":      strings.ReplaceAll(casForecast, `"duration":5`, `"duration":0`),
		"negative":         strings.Replace(casForecast, `"value":200`, `"value":-200`, 1),
		"no time":          strings.Replace(casForecast, "2026-07-01T14:00:00+02:00", "secret", 1),
		"other lengths":    strings.Replace(casForecast, `"duration":5,"value":210`, `"duration":10,"value":210`, 1),
	}
	for name, body := range tests {
		trace, _, err := readCarbonAwareSDK(t, body)
		failure, ok := errors.AsType[*SourceError](err)
		if !ok || !failure.Malformed || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %+v, %v", name, trace, err)
		}
	}
}

func FuzzCarbonAwareSDK(f *testing.F) {
	f.Add([]byte(casForecast))
	f.Add([]byte("[" + casForecast + "]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		trace, err := parseCarbonAwareSDK(data, "uksouth")
		if err == nil && (len(trace.Forecast.Grams) > MaxTraceSlots || trace.Forecast.Validate() != nil) {
			t.Errorf("%q was taken as %+v", data, trace)
		}
	})
}
