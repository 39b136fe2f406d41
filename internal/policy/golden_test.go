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

package policy

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// vector is one case of the paper's planner: intervals as [from, to, gCO2e/kWh] in minutes.
type vector struct {
	Name      string       `json:"name"`
	Intervals [][3]float64 `json:"intervals_min"`
	MaxDelay  float64      `json:"max_delay_hours"`
	Reference *float64     `json:"reference_min"`
	Optimal   float64      `json:"optimal"`
	RawDelay  float64      `json:"raw_delay_s"`
	JitterCap *float64     `json:"jitter_cap_s"`
	AtMost    *float64     `json:"execution_delay_s_at_max_jitter"`
}

// ownAnswer is what we do where the paper's planner is wrong, or decides something else on purpose:
// the delay in seconds.
var ownAnswer = map[string]float64{
	"first interval already past (UK boundary bug)": 1800, // not at once for an intensity that has passed
	"unsorted list: baseline is list[0]":            3600, // the same start, for another baseline
	"gap: forecast starts in future":                0,    // nothing is known of now: do not wait for an unknown gain
	"all past deadline -> baseline":                 0,    // never later than allowed
	"empty":                                         0,
	"zero budget":                                   0,
	"one gram gain still delays full budget":        14400, // without a minimum saving; see below
}

// notOurs are vectors of things that a series cannot hold.
var notOurs = map[string]bool{
	"negative intensity accepted": true, // refused by every parser
}

// TestPlannerOfThePaper holds our choice against the paper's, with its kind of comparison: the
// intensity at the start, no minimum saving.
func TestPlannerOfThePaper(t *testing.T) {
	path := filepath.Join("..", "..", "..", "shared", "data", "planner_golden.json")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("SKIPPED: the golden vectors of the paper's planner are not part of this repository (%s)", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		if notOurs[v.Name] {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			q := Request{UID: "uid", Duration: time.Second, MaxDelay: time.Duration(v.MaxDelay * float64(time.Hour)), Regions: []Region{{Name: "gb", Estimate: forecast.Estimate{Series: minutes(v.Intervals)}}}}
			q.Submitted, q.Now = minute(0), minute(0)
			if v.Reference == nil {
				q.Submitted, q.Now = minute(int(v.Intervals[0][0])), minute(int(v.Intervals[0][0]))
			}
			none := time.Duration(0)
			q.Jitter = &none
			want, own := ownAnswer[v.Name]
			if !own {
				want = v.RawDelay
			}
			p := Choose(q)
			if got := p.Start.Sub(q.Now).Seconds(); got != want {
				t.Errorf("delay = %v s, want %v s (%s)", got, want, p.Message())
			}
			if !own && p.Grams != v.Optimal {
				t.Errorf("grams = %v, want %v", p.Grams, v.Optimal)
			}
			if v.JitterCap != nil && p.Reason == GreenestWindow {
				checkJitter(t, q, *v.JitterCap, *v.AtMost)
			}
			if v.Name == "one gram gain still delays full budget" {
				q.MinimumSavingPercent = 1.5
				if p := Choose(q); p.Reason != SavingTooSmall || !p.Start.Equal(q.Now) {
					t.Errorf("with a minimum saving: %s at %s", p.Reason, p.Start)
				}
			}
		})
	}
}

// checkJitter: whatever the UID, the start is never later than the paper's latest one.
func checkJitter(t *testing.T, q Request, capSeconds, atMost float64) {
	t.Helper()
	jitter := time.Duration(capSeconds) * time.Second
	q.Jitter = &jitter
	for i := range 200 {
		q.UID = string(rune('a'+i%26)) + string(rune('a'+i/26))
		if got := Choose(q).Start.Sub(q.Now).Seconds(); got > atMost {
			t.Fatalf("delay with jitter = %v s, at most %v s", got, atMost)
		}
	}
}

// minutes puts the intervals on a grid of minutes, unknown in between.
func minutes(intervals [][3]float64) forecast.Series {
	if len(intervals) == 0 {
		return forecast.Series{}
	}
	first, last := math.Inf(1), math.Inf(-1)
	for _, i := range intervals {
		first, last = min(first, i[0]), max(last, i[1])
	}
	s := forecast.Series{Start: minute(int(first)), Step: time.Minute, Grams: make([]float64, int(last-first))}
	for i := range s.Grams {
		s.Grams[i] = math.NaN()
		for _, interval := range intervals {
			if at := first + float64(i); at >= interval[0] && at < interval[1] {
				s.Grams[i] = interval[2]
			}
		}
	}
	return s
}
