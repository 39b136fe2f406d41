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
	"fmt"
	"strings"
	"testing"
	"time"
)

const issuedHeader = "from,to,issued_at,intensity_forecast,intensity_actual\n"

// TestParseHistoryOfIssuedForecasts reads what a region's status was exported to, twice a day, so that some rows are
// there twice and some actual values come later.
func TestParseHistoryOfIssuedForecasts(t *testing.T) {
	table := issuedHeader +
		"2026-11-24T09:00Z,2026-11-24T09:30Z,2026-11-24T09:05:00Z,90,\n" +
		"2026-11-24T09:30Z,2026-11-24T10:00Z,2026-11-24T09:05:00Z,95,\n" +
		"2026-11-24T08:00Z,2026-11-24T08:30Z,2026-11-24T08:05:00Z,131,140\n" +
		"2026-11-24T09:00Z,2026-11-24T09:30Z,2026-11-24T08:05:00Z,128,\n" +
		"2026-11-24T09:00Z,2026-11-24T09:30Z,2026-11-24T08:05:00Z,128,85\n"
	trace, err := ParseHistory(strings.NewReader(table))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(trace.Forecast.Grams, trace.Actual.Grams); got != "[131 NaN 90 95] [140 NaN 85 NaN]" {
		t.Errorf("the last word: %s", got)
	}
	if len(trace.Issued) != 2 || !trace.Issued[0].At.Equal(time.Date(2026, 11, 24, 8, 5, 0, 0, time.UTC)) {
		t.Fatalf("%+v", trace.Issued)
	}
	if got := fmt.Sprint(trace.Issued[0].Forecast.Grams, trace.Issued[1].Forecast.Grams); got != "[131 NaN 128] [90 95]" {
		t.Errorf("issued: %s", got)
	}
	if trace, err := ParseTrace(strings.NewReader(table)); err == nil {
		t.Errorf("a trace in a cluster has one forecast a slot: %+v", trace)
	}
}

// TestParseHistoryWithoutForecasts: many sources tell only what has been. Without that there must be forecasts.
func TestParseHistoryWithoutForecasts(t *testing.T) {
	for want, table := range map[string]string{
		"[NaN 95] [140 85]":   header + "2026-11-24T08:00Z,2026-11-24T08:30Z,,140\n2026-11-24T08:30Z,2026-11-24T09:00Z,95,85\n",
		"[NaN NaN] [140 NaN]": "from,to,intensity_actual\n2026-11-24T08:00Z,2026-11-24T08:30Z,140\n2026-11-24T08:30Z,2026-11-24T09:00Z,\n",
		"[131] [140]":         issuedHeader + "2026-11-24T08:00Z,2026-11-24T08:30Z,2026-11-24T08:05Z,131,\n2026-11-24T08:00Z,2026-11-24T08:30Z,2026-11-24T09:05Z,,140\n",
	} {
		trace, err := ParseHistory(strings.NewReader(table))
		if got := fmt.Sprint(trace.Forecast.Grams, trace.Actual.Grams); err != nil || got != want {
			t.Errorf("want %s, got %s %v", want, got, err)
		}
	}
	for want, table := range map[string]string{
		"the header has no column \"intensity_forecast\"": "from,to\n",
		"line 2: intensity_forecast: \"\" is not":         "from,to,intensity_forecast\n2026-11-24T08:00Z,2026-11-24T08:30Z,\n",
	} {
		if _, err := ParseHistory(strings.NewReader(table)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestParseHistoryRefuses(t *testing.T) {
	for want, rows := range map[string]string{
		"line 2: issued_at: \"soon\" is not a time":                                               "2026-11-24T08:00Z,2026-11-24T08:30Z,soon,131,\n",
		"issued at 2026-11-24T08:05:00Z: line 3: the slot at 2026-11-24T08:00:00Z is there twice": "2026-11-24T08:00Z,2026-11-24T08:30Z,2026-11-24T08:05:00Z,131,\n2026-11-24T08:00Z,2026-11-24T08:30Z,2026-11-24T08:05:00Z,132,\n",
		"the slot is 1h0m0s long, others 30m0s":                                                   "2026-11-24T08:00Z,2026-11-24T08:30Z,2026-11-24T08:05:00Z,131,\n2026-11-24T09:00Z,2026-11-24T10:00Z,2026-11-24T09:05:00Z,132,\n",
		"the trace has a header but no rows":                                                      "",
	} {
		if _, err := ParseHistory(strings.NewReader(issuedHeader + rows)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func FuzzParseHistory(f *testing.F) {
	row := "2026-11-24T08:00Z,2026-11-24T08:30Z,2026-11-24T08:05:00Z,131,140\n"
	f.Add(issuedHeader + row)
	f.Add(issuedHeader + row + row + strings.ReplaceAll(row, "08:05", "09:05"))
	f.Add(issuedHeader + row + strings.Replace(row, "2026-11-24T08:0", "2926-11-24T08:0", 1))
	f.Add(issuedHeader + strings.Replace(row, "08:05:00", "08:05:00.5", 1))
	f.Fuzz(func(t *testing.T, table string) {
		trace, err := ParseHistory(strings.NewReader(table))
		if err != nil {
			return
		}
		if n := len(trace.Forecast.Grams); n == 0 || n > MaxHistorySlots || trace.Forecast.Validate() != nil {
			t.Errorf("%d slots: %v", n, trace.Forecast.Validate())
		}
		slots := 0
		for i, issued := range trace.Issued {
			slots += len(issued.Forecast.Grams)
			if issued.Forecast.Validate() != nil || i > 0 && !trace.Issued[i-1].At.Before(issued.At) {
				t.Errorf("issue %d, at %s: %v", i, issued.At, issued.Forecast.Validate())
			}
		}
		if slots > maxIssuedSlots {
			t.Errorf("%d slots of issues", slots)
		}
	})
}
