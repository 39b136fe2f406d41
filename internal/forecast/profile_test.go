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
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestProfileOf(t *testing.T) {
	midnight := time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC) // two days over a change of the clocks
	s := Series{Start: midnight.Add(-15 * time.Minute), Step: 15 * time.Minute}
	for i := range 2*96 + 1 {
		at := s.Start.Add(time.Duration(i) * s.Step)
		grams := float64(at.Hour()*100 + at.Minute())
		if at.Day() == 29 {
			grams += 10
		}
		s.Grams = append(s.Grams, grams)
	}
	s.Grams[1] = math.NaN() // the first quarter of the first day
	p, ok := ProfileOf(s)
	if !ok || p.Step != 30*time.Minute || len(p.Grams) != 48 || p.Days != 3 {
		t.Fatalf("%+v %t", p, ok)
	}
	// 00:00 is 15, 10 and 25; 13:30 is 1330, 1345, 1340 and 1355.
	if p.Grams[0] != (15.0+10+25)/3 || p.Grams[27] != 1342.5 {
		t.Errorf("%v", p.Grams)
	}

	again := p.Series(midnight.Add(13*time.Hour+40*time.Minute), midnight.Add(38*time.Hour))
	if !again.Start.Equal(midnight.Add(13*time.Hour+30*time.Minute)) || again.Grams[0] != p.Grams[27] || again.Grams[21] != p.Grams[0] ||
		!again.End().Equal(midnight.Add(38*time.Hour)) {
		t.Errorf("%+v", again)
	}
}

func TestProfileNeedsAWholeDay(t *testing.T) {
	s := unknown(time.Date(2026, 3, 28, 5, 0, 0, 0, time.UTC), time.Hour, 24)
	for i := range s.Grams {
		s.Grams[i] = 100
	}
	if p, ok := ProfileOf(s); !ok || p.Step != time.Hour || len(p.Grams) != 24 {
		t.Errorf("%+v %t", p, ok)
	}
	s.Grams[7] = math.NaN()
	if p, ok := ProfileOf(s); ok {
		t.Errorf("a day with a gap became %+v", p)
	}
	if p, ok := ProfileOf(Series{}); ok {
		t.Errorf("nothing became %+v", p)
	}
	if s := (Profile{}).Series(time.Time{}, time.Time{}.Add(time.Hour)); len(s.Grams) > 0 {
		t.Errorf("no profile became %+v", s)
	}
}

func noToken(context.Context) (string, error) { return "none", nil }

func TestHistories(t *testing.T) {
	now := time.Date(2026, 5, 6, 12, 10, 0, 0, time.UTC)
	tests := map[string]struct {
		source Historian
		body   string
		url    string
		want   float64
	}{
		"the nation, actual":    {UK{}, ukNational, "/intensity/2026-04-22T12:00Z/2026-05-06T12:00Z", 263},
		"a region, forecast":    {UK{Region: 13}, `{"data":` + ukLondon + `}`, "/regional/intensity/2026-04-22T12:00Z/2026-05-06T12:00Z/regionid/13", 160},
		"a country, measured":   {EnergyCharts{Country: "de"}, `{"unix_seconds":[1783893600,1783894500],"co2eq":[491.5,null],"co2eq_forecast":[500,505]}`, "start=2026-04-22T12%3A00Z", 491.5},
		"a zone, not estimated": {ElectricityMaps{Zone: "DE", Token: noToken}, strings.Replace(emHistory, `"history"`, `"data"`, 1), "/v4/carbon-intensity/past-range?", 310},
	}
	for name, tt := range tests {
		a := &answering{body: tt.body}
		s, err := tt.source.History(t.Context(), &http.Client{Transport: a}, now)
		if err != nil || len(s.Grams) == 0 || s.Grams[0] != tt.want || !strings.Contains(a.url, tt.url) {
			t.Errorf("%s: %+v %v from %s", name, s, err, a.url)
		}
	}
}
