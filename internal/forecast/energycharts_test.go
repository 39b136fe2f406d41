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
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

func readEnergyCharts(t *testing.T, body string) (Trace, string, error) {
	t.Helper()
	a := &answering{body: body}
	now := time.Unix(1783894500, 0).In(time.FixedZone("CEST", 7200)).Add(time.Minute)
	trace, err := EnergyCharts{Country: "de"}.Read(t.Context(), &http.Client{Transport: a}, now)
	return trace, a.url, err
}

func TestEnergyCharts(t *testing.T) {
	trace, url, err := readEnergyCharts(t,
		`{"unix_seconds":[1783893600,1783894500,1783896300,1783897200],"co2eq":[491.5,null,null,null],"co2eq_forecast":[null,505.0,510.5,null],"deprecated":false}`)
	if err != nil {
		t.Fatal(err)
	}
	// 1783894500 is 2026-07-12T22:15:00Z.
	if want := "https://api.energy-charts.info/co2eq?country=de&end=2026-07-14T22%3A15Z&start=2026-07-10T22%3A15Z"; url != want {
		t.Errorf("asked for %s, want %s", url, want)
	}
	if !trace.Forecast.Start.Equal(time.Unix(1783893600, 0)) || trace.Forecast.Step != 15*time.Minute {
		t.Errorf("%+v", trace.Forecast)
	}
	got := trace.Forecast.Grams
	if len(got) != 4 || got[0] != 491.5 || got[1] != 505 || !math.IsNaN(got[2]) || got[3] != 510.5 {
		t.Errorf("forecast %v, want 491.5 505 unknown 510.5", got)
	}
	if g, ok := trace.Actual.At(trace.Forecast.Start); !ok || g != 491.5 || !math.IsNaN(trace.Actual.Grams[1]) {
		t.Errorf("actual %v", trace.Actual.Grams)
	}
}

// TestEnergyChartsInOtherSteps holds that the length of a slot is read from the answer: not all countries have
// quarters of an hour, and nothing says that those that do will keep them.
func TestEnergyChartsInOtherSteps(t *testing.T) {
	for _, step := range []int64{300, 900, 1800, 3600} {
		at := func(i int64) int64 { return 1783893600 + i*step }
		for name, body := range map[string]string{
			"":                          fmt.Sprintf(`{"unix_seconds":[%d,%d],"co2eq":[400,null],"co2eq_forecast":[null,300]}`, at(0), at(1)),
			", unsorted with a gap":     fmt.Sprintf(`{"unix_seconds":[%d,%d,%d],"co2eq":[null,null,400],"co2eq_forecast":[200,300,null]}`, at(3), at(1), at(0)),
			", known only now and then": fmt.Sprintf(`{"unix_seconds":[%d,%d,%d],"co2eq":[400,null,null],"co2eq_forecast":[null,null,300]}`, at(0), at(1), at(2)),
		} {
			trace, _, err := readEnergyCharts(t, body)
			if err != nil || trace.Forecast.Step != time.Duration(step)*time.Second || trace.Forecast.Grams[0] != 400 {
				t.Errorf("%d s%s: %+v, %v", step, name, trace, err)
			}
		}
	}
}

func TestEnergyChartsRefusesWhatIsWrong(t *testing.T) {
	tests := map[string]string{
		"a text instead":     `'xx' is not the code for an available country`,
		"nothing":            `{"unix_seconds":[],"co2eq":[],"co2eq_forecast":[]}`,
		"only unknown":       `{"unix_seconds":[1783893600],"co2eq":[null],"co2eq_forecast":[null]}`,
		"one list too short": `{"unix_seconds":[1783893600,1783894500],"co2eq":[1],"co2eq_forecast":[1,2]}`,
		"no forecast list":   `{"unix_seconds":[1783893600],"co2eq":[1]}`,
		"negative":           `{"unix_seconds":[1783893600],"co2eq":[null],"co2eq_forecast":[-1]}`,
		"off the grid":       `{"unix_seconds":[1783893600,1783894500,1783895700],"co2eq":[1,1,1],"co2eq_forecast":[1,2,3]}`,
		"contradiction":      `{"unix_seconds":[1783893600,1783893600],"co2eq":[1,2],"co2eq_forecast":[1,2]}`,
		"milliseconds":       `{"unix_seconds":[1783893600,1783893600000],"co2eq":[1,1],"co2eq_forecast":[1,2]}`,
		"one slot only":      `{"unix_seconds":[1783893600],"co2eq":[1],"co2eq_forecast":[1]}`,
		"seconds":            `{"unix_seconds":[1783893600,1783893601],"co2eq":[1,1],"co2eq_forecast":[1,2]}`,
		"days":               `{"unix_seconds":[1783893600,1783980000],"co2eq":[1,1],"co2eq_forecast":[1,2]}`,
		"an absurd time":     `{"unix_seconds":[-9223372036854775808,9223372036854775807],"co2eq":[1,1],"co2eq_forecast":[1,2]}`,
	}
	for name, body := range tests {
		trace, _, err := readEnergyCharts(t, body)
		failure, ok := err.(*SourceError) //nolint:errorlint // it must be that very type
		if !ok || !failure.Malformed || strings.Contains(err.Error(), "available country") {
			t.Errorf("%s: got %+v, %v", name, trace, err)
		}
	}
}

func FuzzEnergyCharts(f *testing.F) {
	f.Add([]byte(`{"unix_seconds":[1783893600,1783894500],"co2eq":[491.5,null],"co2eq_forecast":[null,505.0]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var answer energyChartsAnswer
		if json.Unmarshal(data, &answer) != nil {
			return
		}
		trace, err := answer.trace()
		if err != nil {
			return
		}
		if len(trace.Forecast.Grams) > MaxTraceSlots || trace.Forecast.Validate() != nil || trace.Forecast.Empty() {
			t.Errorf("%q was taken as %+v", data, trace)
		}
	})
}
