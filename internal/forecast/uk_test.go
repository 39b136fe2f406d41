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
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answering is a client whose every call gets the same answer; it keeps the address of the last one.
type answering struct {
	body string
	url  string
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	a.url = r.URL.String()
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(a.body)), Header: http.Header{}, Request: r}, nil
}

func readUK(t *testing.T, region int, body string) (Trace, string, error) {
	t.Helper()
	a := &answering{body: body}
	now := time.Date(2026, 5, 6, 0, 42, 0, 0, time.FixedZone("BST", 3600))
	trace, err := UK{Region: region}.Read(t.Context(), &http.Client{Transport: a}, now)
	return trace, a.url, err
}

const (
	ukNational = `{"data":[
		{"from":"2026-05-05T23:00Z","to":"2026-05-05T23:30Z","intensity":{"forecast":266,"actual":263,"index":"moderate"}},
		{"from":"2026-05-05T23:30Z","to":"2026-05-06T00:00Z","intensity":{"forecast":160,"actual":null,"index":"moderate"}},
		{"from":"2026-05-06T00:00Z","to":"2026-05-06T00:30Z","intensity":{"forecast":150,"actual":null,"index":"low"}}]}`
	ukLondon = `{"regionid":13,"dnoregion":"UKPN London","shortname":"London","data":[
		{"from":"2026-05-05T23:30Z","to":"2026-05-06T00:00Z","intensity":{"forecast":160,"index":"moderate"},"generationmix":[{"fuel":"gas","perc":40.0}]},
		{"from":"2026-05-06T00:00Z","to":"2026-05-06T00:30Z","intensity":{"forecast":150,"index":"low"},"generationmix":[]}]}`
)

func TestUKNational(t *testing.T) {
	trace, url, err := readUK(t, 0, ukNational)
	if err != nil {
		t.Fatal(err)
	}
	// 00:42 in British summer time is 23:42 UTC.
	if want := "https://api.carbonintensity.org.uk/intensity/2026-05-03T23:30Z/2026-05-07T23:30Z"; url != want {
		t.Errorf("asked for %s, want %s", url, want)
	}
	start := time.Date(2026, 5, 5, 23, 0, 0, 0, time.UTC)
	if !trace.Forecast.Start.Equal(start) || trace.Forecast.Step != 30*time.Minute || fmt.Sprint(trace.Forecast.Grams) != "[266 160 150]" {
		t.Errorf("forecast %+v", trace.Forecast)
	}
	if g, ok := trace.Actual.At(start); !ok || g != 263 {
		t.Errorf("the actual value is %v %t", g, ok)
	}
	if _, ok := trace.Actual.At(start.Add(30 * time.Minute)); ok {
		t.Error("an actual value that is null counts as known")
	}
}

func TestUKRegionInBothForms(t *testing.T) {
	for name, body := range map[string]string{"an object": `{"data":` + ukLondon + `}`, "an array": `{"data":[` + ukLondon + `]}`} {
		trace, url, err := readUK(t, 13, body)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !strings.Contains(url, "/regional/intensity/2026-05-03T23:30Z/2026-05-07T23:30Z/regionid/13") {
			t.Errorf("asked for %s", url)
		}
		if fmt.Sprint(trace.Forecast.Grams) != "[160 150]" || len(trace.Actual.Grams) != 0 {
			t.Errorf("%s: %+v", name, trace)
		}
	}
}

func slotJSON(from, to, forecast string) string {
	return fmt.Sprintf(`{"from":"2026-05-06T%sZ","to":"2026-05-06T%sZ","intensity":{"forecast":%s,"actual":null}}`, from, to, forecast)
}

func TestUKTakesWhatIsUntidy(t *testing.T) {
	a, b, d := slotJSON("00:00", "00:30", "1"), slotJSON("00:30", "01:00", "2"), slotJSON("01:30", "02:00", "4")
	trace, _, err := readUK(t, 0, `{"data":[`+strings.Join([]string{d, a, b, a}, ",")+`]}`)
	if err != nil {
		t.Fatal(err)
	}
	if got := trace.Forecast.Grams; len(got) != 4 || got[0] != 1 || got[1] != 2 || !math.IsNaN(got[2]) || got[3] != 4 {
		t.Errorf("unsorted, repeated and with a gap: %v", got)
	}
	unknown, _, err := readUK(t, 0, `{"data":[`+slotJSON("00:00", "00:30", "null")+`]}`)
	if err != nil || !unknown.Forecast.Empty() {
		t.Errorf("null must be unknown: %+v %v", unknown, err)
	}
}

func TestUKRefusesWhatIsWrong(t *testing.T) {
	list := func(slots ...string) string { return `{"data":[` + strings.Join(slots, ",") + `]}` }
	tests := map[string]struct {
		region int
		body   string
	}{
		"HTML":             {0, "<html>busy</html>"},
		"an error":         {0, `{"error":{"code":"400 Bad Request","message":"secret words"}}`},
		"nothing":          {0, `{"data":[]}`},
		"NaN":              {0, list(slotJSON("00:00", "00:30", "NaN"))},
		"negative":         {0, list(slotJSON("00:00", "00:30", "-1"))},
		"in tons":          {0, list(slotJSON("00:00", "00:30", "266000"))},
		"a text":           {0, list(slotJSON("00:00", "00:30", `"266"`))},
		"contradiction":    {0, list(slotJSON("00:00", "00:30", "1"), slotJSON("00:00", "00:30", "2"))},
		"overlap":          {0, list(slotJSON("00:00", "00:30", "1"), slotJSON("00:15", "00:45", "2"))},
		"an hour":          {0, list(slotJSON("00:00", "01:00", "1"))},
		"a year of slots":  {0, `{"data":[` + slotJSON("00:00", "00:30", "1") + `,{"from":"2099-01-01T00:00Z","to":"2099-01-01T00:30Z","intensity":{"forecast":1}}]}`},
		"no time":          {0, `{"data":[{"from":"secret words","to":"","intensity":{"forecast":1}}]}`},
		"another region":   {12, `{"data":` + ukLondon + `}`},
		"nation as region": {13, ukNational},
	}
	for name, tt := range tests {
		trace, _, err := readUK(t, tt.region, tt.body)
		failure, ok := err.(*SourceError) //nolint:errorlint // it must be that very type
		if !ok || !failure.Malformed {
			t.Errorf("%s: got %+v, %v", name, trace, err)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the answer's words are in the error: %v", name, err)
		}
	}
}

func FuzzParseUK(f *testing.F) {
	f.Add([]byte(strings.TrimSuffix(strings.TrimPrefix(ukNational, `{"data":`), "}")), 0)
	f.Add([]byte(ukLondon), 13)
	f.Add([]byte("["+ukLondon+"]"), 13)
	f.Fuzz(func(t *testing.T, data []byte, region int) {
		trace, err := parseUK(data, region)
		if err != nil {
			return
		}
		for _, s := range []Series{trace.Forecast, trace.Actual} {
			if len(s.Grams) > MaxTraceSlots || len(s.Grams) > 0 && s.Validate() != nil {
				t.Errorf("%q was taken as %+v", data, s)
			}
			for _, g := range s.Grams {
				if g > MaxGramsPerKWh {
					t.Errorf("%q was taken as %v g/kWh", data, g)
				}
			}
		}
	})
}

func TestMeanOfYear(t *testing.T) {
	if grams, err := MeanOfYear("GBR"); err != nil || grams != 211 {
		t.Errorf("GBR: %v %v", grams, err)
	}
	for _, zone := range []string{"", "GB", "zone", "XXX"} {
		if grams, err := MeanOfYear(zone); err == nil {
			t.Errorf("%q has %v", zone, grams)
		}
	}
	if len(annualMeans()) < 60 {
		t.Errorf("only %d countries", len(annualMeans()))
	}
	for zone, grams := range annualMeans() {
		if len(zone) != 3 || grams <= 0 || grams > 1500 {
			t.Errorf("%s: %v", zone, grams)
		}
	}
}
