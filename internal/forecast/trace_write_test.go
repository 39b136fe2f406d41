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
	"bytes"
	"math"
	"strings"
	"testing"
	"time"
)

func TestWhatIsWrittenIsWhatIsRead(t *testing.T) {
	nan := math.NaN()
	trace := Trace{Forecast: halfHours(100, nan, 102.5, 103), Actual: halfHours(90, nan, nan, 93)}
	var out bytes.Buffer
	if err := WriteTrace(&out, trace); err != nil {
		t.Fatal(err)
	}
	again, err := ParseTrace(strings.NewReader(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	var second bytes.Buffer
	if err := WriteTrace(&second, again); err != nil || second.String() != out.String() || len(again.Forecast.Grams) != 4 {
		t.Errorf("%v: first\n%s\nthen\n%s", err, out.String(), second.String())
	}
}

func TestJoin(t *testing.T) {
	first := Trace{Forecast: halfHours(100, 101), Actual: halfHours(90, 91)}
	later := func(m int, step time.Duration) Trace {
		s := Series{Start: minute(m), Step: step, Grams: []float64{7, 8}}
		return Trace{Forecast: s, Actual: s}
	}
	joined, err := first.Join(later(90, 30*time.Minute))
	if err != nil || len(joined.Forecast.Grams) != 5 || joined.Forecast.Grams[1] != 101 || !math.IsNaN(joined.Actual.Grams[2]) || joined.Actual.Grams[4] != 8 {
		t.Errorf("%+v %v", joined, err)
	}
	if only, err := (Trace{}).Join(first); err != nil || len(only.Forecast.Grams) != 2 {
		t.Errorf("%+v %v", only, err)
	}
	for name, bad := range map[string]Trace{
		"an overlap": later(30, 30*time.Minute), "other slots": later(60, time.Hour), "shifted slots": later(75, 30*time.Minute),
		"too long": later(30*MaxTraceSlots, 30*time.Minute),
	} {
		if _, err := first.Join(bad); err == nil {
			t.Errorf("%s was joined", name)
		}
	}
}
