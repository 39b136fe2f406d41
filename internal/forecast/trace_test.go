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
	"math"
	"strings"
	"testing"
	"time"
)

const header = "from,to,intensity_forecast,intensity_actual\n"

func TestParseTrace(t *testing.T) {
	table := "\ufeffindex,intensity_actual,from,to,intensity_forecast\r\n" +
		"low,,2026-02-14T01:00Z,2026-02-14T01:30Z,120.5\r\n" +
		"low,101,2026-02-14T01:00:00+01:00,2026-02-14T01:30:00+01:00,100\r\n"
	trace, err := ParseTrace(strings.NewReader(table))
	if err != nil {
		t.Fatal(err)
	}
	if !trace.Forecast.Start.Equal(midnight) || trace.Forecast.Step != 30*time.Minute || len(trace.Forecast.Grams) != 3 {
		t.Fatalf("forecast = %+v", trace.Forecast)
	}
	for i, want := range []float64{100, nan, 120.5} {
		if got := trace.Forecast.Grams[i]; got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("forecast slot %d = %v, want %v", i, got, want)
		}
	}
	for i, want := range []float64{101, nan, nan} {
		if got := trace.Actual.Grams[i]; got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("actual slot %d = %v, want %v", i, got, want)
		}
	}
}

func TestParseTraceNamesWhatIsWrong(t *testing.T) {
	row := "2026-02-14T00:00Z,2026-02-14T00:30Z,100,101\n"
	for name, c := range map[string]struct{ table, want string }{
		"empty":             {"", "the trace is empty: it needs a header line"},
		"no rows":           {header, "a header but no rows"},
		"no forecast":       {"from,to,intensity\n", `line 1: the header has no column "intensity_forecast"`},
		"not a table":       {"<html>\n" + row, "line 1: the header has no column"},
		"a short row":       {header + "2026-02-14T00:00Z\n", "wrong number of fields"},
		"a bad time":        {header + "yesterday,2026-02-14T00:30Z,1,1\n", `line 2: from: "yesterday" is not a time such as 2026-02-14T00:30Z`},
		"no time zone":      {header + "2026-02-14T00:00,2026-02-14T00:30Z,1,1\n", "line 2: from: "},
		"backwards":         {header + "2026-02-14T00:30Z,2026-02-14T00:00Z,1,1\n", "line 2: to (2026-02-14T00:00Z) must be after from"},
		"a bad forecast":    {header + row + "2026-02-14T00:30Z,2026-02-14T01:00Z,lots,1\n", `line 3: intensity_forecast: "lots" is not an intensity from 0 to 5000`},
		"NaN":               {header + "2026-02-14T00:00Z,2026-02-14T00:30Z,NaN,1\n", "line 2: intensity_forecast"},
		"negative":          {header + "2026-02-14T00:00Z,2026-02-14T00:30Z,-1,1\n", "line 2: intensity_forecast"},
		"another unit":      {header + "2026-02-14T00:00Z,2026-02-14T00:30Z,210000,1\n", "line 2: intensity_forecast"},
		"an empty forecast": {header + "2026-02-14T00:00Z,2026-02-14T00:30Z,,1\n", "line 2: intensity_forecast"},
		"a bad actual":      {header + "2026-02-14T00:00Z,2026-02-14T00:30Z,1,x\n", "line 2: intensity_actual"},
		"twice":             {header + row + row, "line 3: the slot at 2026-02-14T00:00:00Z is there twice"},
		"two lengths":       {header + row + "2026-02-14T00:30Z,2026-02-14T00:45Z,1,1\n", "line 3: the slot is 15m0s long, others 30m0s"},
		"overlapping":       {header + row + "2026-02-14T00:20Z,2026-02-14T00:50Z,1,1\n", "line 3: the slot at 2026-02-14T00:20:00Z overlaps"},
		"centuries":         {header + row + "2926-02-14T00:00Z,2926-02-14T00:30Z,1,1\n", "line 3: the trace spans"},
		"half a second":     {header + "2026-02-14T00:00:00.5Z,2026-02-14T00:30Z,1,1\n", "fraction of a second"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseTrace(strings.NewReader(c.table))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v, want %q in it", err, c.want)
			}
		})
	}
}

// FuzzParseTrace: whatever the table holds, the result is an error or a series that is valid.
func FuzzParseTrace(f *testing.F) {
	f.Add(header + "2026-02-14T00:00Z,2026-02-14T00:30Z,100,101\n")
	f.Add(header + "2026-02-14T00:00:00+02:00,2026-02-14T00:30Z,1e3,\n")
	f.Add("from,to,intensity_forecast\n\"2026-02-14T00:00Z\",2926-02-14T00:30Z,0\n")
	f.Add("from;to;intensity_forecast\n")
	f.Fuzz(func(t *testing.T, table string) {
		trace, err := ParseTrace(strings.NewReader(table))
		if err != nil {
			return
		}
		if err := trace.Forecast.Validate(); err != nil {
			t.Errorf("forecast: %v", err)
		}
		if n := len(trace.Forecast.Grams); n == 0 || n > MaxTraceSlots {
			t.Errorf("%d slots", n)
		}
		if trace.Actual.Step != 0 {
			if err := trace.Actual.Validate(); err != nil {
				t.Errorf("actual: %v", err)
			}
		}
	})
}
