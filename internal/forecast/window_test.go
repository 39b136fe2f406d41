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
	"math/rand/v2"
	"testing"
	"time"
)

// bruteForce tries every whole second.
func bruteForce(s Series, earliest, latest time.Time, d time.Duration) (Window, bool) {
	best, found := Window{Grams: math.Inf(1)}, false
	for start := CeilSecond(earliest); !start.After(latest); start = start.Add(time.Second) {
		if grams, ok := s.Mean(start, start.Add(d)); ok && grams < best.Grams-epsilon {
			best, found = Window{Start: start, End: start.Add(d), Grams: grams}, true
		}
	}
	return best, found
}

func TestGreenestEqualsBruteForceOverEverySecond(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	found := 0
	for range 20000 {
		s := randomSeries(r)
		earliest := s.Start.Add(time.Duration(r.IntN(200_000)-40_000) * time.Millisecond)
		latest := earliest.Add(time.Duration(r.IntN(200_000)-5_000) * time.Millisecond)
		d := time.Duration(1+r.IntN(60)) * time.Second
		want, wantOK := bruteForce(s, earliest, latest, d)
		got, ok := s.Greenest(earliest, latest, d)
		if ok != wantOK {
			t.Fatalf("Greenest(%s, %s, %s) of %+v: found %v, brute force %v", earliest, latest, d, s, ok, wantOK)
		}
		if !ok {
			continue
		}
		found++
		if !got.Start.Equal(want.Start) || math.Abs(got.Grams-want.Grams) > 1e-6 {
			t.Fatalf("Greenest(%s, %s, %s) of %+v = %+v, brute force %+v", earliest, latest, d, s, got, want)
		}
		if got.Start.Before(earliest) || got.Start.After(latest) || !got.End.Equal(got.Start.Add(d)) {
			t.Fatalf("%+v is outside of %s to %s", got, earliest, latest)
		}
	}
	if found < 5000 {
		t.Fatalf("only %d of the random cases had a window: they test too little", found)
	}
}

func TestGreenestFindsWindowsThatAreNotAlignedToSlots(t *testing.T) {
	// 40 minutes around the two green slots: best from 20 minutes on, ending where they end.
	s := halfHours(300, 100, 120, 400)
	w, ok := s.Greenest(minute(0), minute(60), 40*time.Minute)
	if want := minute(30); !ok || !w.Start.Equal(want) {
		t.Errorf("start = %v, want %v", w.Start, want)
	}
	s = halfHours(300, 120, 100, 400)
	w, ok = s.Greenest(minute(0), minute(60), 40*time.Minute)
	if want := minute(50); !ok || !w.Start.Equal(want) {
		t.Errorf("start = %v, want %v, aligned to the end of the green slots", w.Start, want)
	}
}

func TestCeilSecond(t *testing.T) {
	if got := CeilSecond(midnight.Add(time.Nanosecond)); !got.Equal(midnight.Add(time.Second)) {
		t.Errorf("just after a second: %s", got)
	}
	if got := CeilSecond(midnight); !got.Equal(midnight) {
		t.Errorf("a whole second: %s", got)
	}
}

func BenchmarkGreenest72h(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	s := Series{Start: midnight, Step: 5 * time.Minute, Grams: make([]float64, 864)}
	for i := range s.Grams {
		s.Grams[i] = 100 + 200*r.Float64()
	}
	for b.Loop() {
		s.Greenest(midnight, midnight.Add(70*time.Hour), 47*time.Minute)
	}
}
