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
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

// sameGrid is what all sources are made to say: 310 in the hour that ended just now, then 300, 290 and 280, on the
// morning on which the clocks of Europe go back.
var (
	sameNow   = time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)
	sameHours = []float64{310, 300, 290, 280}
)

// saying puts the hours from the first one to the last one into a list of JSON objects, with slots of the given length.
func saying(first, last int, step time.Duration, object func(from time.Time, grams float64) map[string]any) string {
	var list []map[string]any
	start := sameNow.Add(-time.Hour)
	for at := start.Add(time.Duration(first) * time.Hour); at.Before(start.Add(time.Duration(last+1) * time.Hour)); at = at.Add(step) {
		list = append(list, object(at, sameHours[at.Sub(start)/time.Hour]))
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// sameAnswers are the answers of every source, in its own form, by the last part of the path.
func sameAnswers() map[string]map[string]string {
	uk := func(actual bool) func(time.Time, float64) map[string]any {
		return func(from time.Time, grams float64) map[string]any {
			intensity := map[string]any{"forecast": grams, "index": "high"}
			if actual {
				intensity["actual"] = nil
				if from.Before(sameNow) {
					intensity["forecast"], intensity["actual"] = 99, grams
				}
			}
			return map[string]any{"from": from.Format(minuteLayout), "to": from.Add(30 * time.Minute).Format(minuteLayout), "intensity": intensity}
		}
	}
	em := func(from time.Time, grams float64) map[string]any {
		return map[string]any{"zone": "DE", "carbonIntensity": grams, "datetime": from.Format("2006-01-02T15:04:05.000Z"), "isEstimated": false}
	}
	wt := func(from time.Time, grams float64) map[string]any {
		return map[string]any{"point_time": from.Format("2006-01-02T15:04:05+00:00"), "value": grams / 0.45359237}
	}
	sdk := saying(1, 3, 30*time.Minute, func(from time.Time, grams float64) map[string]any {
		berlin := from.In(time.FixedZone("", 3600)) // whatever the zone, it is the same instant
		return map[string]any{"location": "uksouth", "timestamp": berlin.Format(time.RFC3339), "duration": 30, "value": grams}
	})
	observed := saying(0, 0, 30*time.Minute, func(from time.Time, grams float64) map[string]any {
		return map[string]any{"location": "UK", "time": from.Format("2006-01-02T15:04:05+00:00"), "rating": grams, "duration": "00:30:00"}
	})
	var seconds, measured, expected []any
	for i := range 16 {
		at, grams := sameNow.Add(time.Duration(i-4)*15*time.Minute), sameHours[i/4]
		seconds, measured, expected = append(seconds, at.Unix()), append(measured, any(nil)), append(expected, any(grams))
		if at.Before(sameNow) {
			measured[i], expected[i] = grams, nil
		}
	}
	ec, _ := json.Marshal(map[string]any{"unix_seconds": seconds, "co2eq": measured, "co2eq_forecast": expected, "deprecated": false})
	const whatever = "" // the path
	return map[string]map[string]string{
		"uk":        {whatever: `{"data":` + saying(0, 3, 30*time.Minute, uk(true)) + `}`},
		"uk region": {whatever: `{"data":{"regionid":13,"dnoregion":"UKPN London","shortname":"London","data":` + saying(0, 3, 30*time.Minute, uk(false)) + `}}`},
		"em": {
			"forecast": `{"zone":"DE","forecast":` + saying(1, 3, time.Hour, em) + `,"updatedAt":"2026-10-25T00:40:00.000Z","temporalGranularity":"hourly"}`,
			"history":  `{"zone":"DE","history":` + saying(0, 0, time.Hour, em) + `}`,
		},
		"wt": {
			"login": `{"token":"t"}`, "forecast": `{"data":` + saying(1, 3, 5*time.Minute, wt) + `,` + wtMeta + `}`,
			"historical": `{"data":` + saying(0, 0, 5*time.Minute, wt) + `,` + wtMeta + `}`,
		},
		"ec": {whatever: string(ec)},
		"sdk": {
			"current":    `[{"location":"uksouth","windowSize":30,"optimalDataPoints":[],"forecastData":` + sdk + `}]`,
			"bylocation": observed,
		},
		"sdk, one": {whatever: `{"location":"uksouth","optimalDataPoint":{},"forecastData":` + sdk + `}`},
	}
}

// TestAllSourcesSayTheSame holds that the same grid, told in the form, the unit and the slots of any source, ends in
// the same series: right to the slot at the very start of one, with the same present and the same past.
func TestAllSourcesSayTheSame(t *testing.T) {
	answers := sameAnswers()
	wattTime := WattTime{Region: "CAISO_NORTH", Login: &WattTimeLogin{Credentials: func(context.Context) (string, string, error) { return "me", "p", nil }}}
	for name, c := range map[string]struct {
		source Source
		step   time.Duration
		past   Quality // empty where the source says nothing of it
	}{
		"uk":        {UK{}, 30 * time.Minute, Actual},
		"uk region": {UK{Region: 13}, 30 * time.Minute, Forecast},
		"em":        {ElectricityMaps{Zone: "DE", Token: noToken}, time.Hour, Actual},
		"wt":        {wattTime, 5 * time.Minute, Actual},
		"ec":        {EnergyCharts{Country: "de"}, 15 * time.Minute, Actual},
		"sdk":       {CarbonAwareSDK{Endpoint: "https://carbon.example.org", Location: "uksouth"}, 30 * time.Minute, Actual},
		"sdk, one":  {CarbonAwareSDK{Endpoint: "https://carbon.example.org", Location: "uksouth"}, 30 * time.Minute, ""},
	} {
		trace, err := c.source.Read(t.Context(), &http.Client{Transport: &saysSame{answers[name]}}, sameNow)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		ahead, past := trace.Known(sameNow, 72*time.Hour, 48*time.Hour)
		if !ahead.Start.Equal(sameNow) || ahead.Step != c.step || !ahead.End().Equal(sameNow.Add(3*time.Hour)) {
			t.Errorf("%s: from %s to %s in %s", name, ahead.Start, ahead.End(), ahead.Step)
		}
		for i, want := range sameHours[1:] {
			from := sameNow.Add(time.Duration(i) * time.Hour)
			if got, ok := ahead.Mean(from, from.Add(time.Hour)); !ok || math.Abs(got-want) > 1e-9 {
				t.Errorf("%s: %v in the hour from %s, want %v", name, got, from, want)
			}
		}
		got, known := past.Mean(sameNow.Add(-time.Hour), sameNow)
		if known != (c.past != "") || known && (math.Abs(got-310) > 1e-9 || past.Qualities[len(past.Qualities)-1] != c.past) {
			t.Errorf("%s: the past is %v, %v", name, got, past.Qualities)
		}
	}
}

type saysSame struct{ bodies map[string]string }

func (s *saysSame) RoundTrip(r *http.Request) (*http.Response, error) {
	body, has := s.bodies[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]]
	if !has {
		body, has = s.bodies[""]
	}
	if !has {
		return nil, fmt.Errorf("asked for %s", r.URL)
	}
	return (&answering{body: body}).RoundTrip(r)
}
