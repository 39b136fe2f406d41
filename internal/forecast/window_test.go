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
	"slices"
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
		got, ok := s.Greenest(Search{Earliest: earliest, Latest: latest, Duration: d})
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
	w, ok := s.Greenest(Search{Earliest: minute(0), Latest: minute(60), Duration: 40 * time.Minute})
	if want := minute(30); !ok || !w.Start.Equal(want) {
		t.Errorf("start = %v, want %v", w.Start, want)
	}
	s = halfHours(300, 120, 100, 400)
	w, ok = s.Greenest(Search{Earliest: minute(0), Latest: minute(60), Duration: 40 * time.Minute})
	if want := minute(50); !ok || !w.Start.Equal(want) {
		t.Errorf("start = %v, want %v, aligned to the end of the green slots", w.Start, want)
	}
}

func TestGreenestLeavesFullSlotsOut(t *testing.T) {
	s := halfHours(300, 100, 120, 110, 300)
	full := func(minutes ...int) func(time.Time) bool {
		return func(slot time.Time) bool {
			return slices.ContainsFunc(minutes, func(m int) bool { return slot.Equal(minute(m)) })
		}
	}
	for name, c := range map[string]struct {
		full  func(time.Time) bool
		start int
		found bool
	}{
		"none is full":       {full(), 30, true},
		"the greenest":       {full(30), 90, true},
		"the two greenest":   {full(30, 90), 60, true},
		"all but the first":  {full(30, 60, 90, 120), 0, true},
		"every one of them":  {full(0, 30, 60, 90, 120), 0, false},
		"none is ever asked": {nil, 30, true},
	} {
		w, ok := s.Greenest(Search{Earliest: minute(0), Latest: minute(120), Duration: 30 * time.Minute, Full: c.full})
		if ok != c.found || ok && !w.Start.Equal(minute(c.start)) {
			t.Errorf("%s: %+v, %v", name, w, ok)
		}
	}
}

// TestAPhaseMovesStartsAndNothingElse compares with all moved kinks, which a grid of one second holds.
func TestAPhaseMovesStartsAndNothingElse(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	found := 0
	for range 5000 {
		s := randomSeries(r)
		q := Search{Earliest: s.Start.Add(time.Duration(r.IntN(60)) * time.Second), Duration: time.Duration(1+r.IntN(60)) * time.Second}
		q.Latest = q.Earliest.Add(time.Duration(r.IntN(200)) * time.Second)
		q.Phase = time.Duration(1+r.IntN(30)) * time.Second
		want, wantOK := Window{Grams: math.Inf(1)}, false
		for at := q.Earliest; !at.After(q.Latest); at = at.Add(time.Second) {
			kink := at.Add(-q.Phase).Sub(s.Start)
			last := q.Latest
			if end := s.End().Add(-q.Duration); end.Before(last) {
				last = end
			}
			if kink%s.Step != 0 && (kink+q.Duration)%s.Step != 0 && !at.Equal(q.Earliest) && !at.Equal(last.Add(-q.Phase)) {
				continue
			}
			if grams, ok := s.Mean(at, at.Add(q.Duration)); ok && grams < want.Grams-epsilon {
				want, wantOK = Window{Start: at, Grams: grams}, true
			}
		}
		got, ok := s.Greenest(q)
		if ok != wantOK || ok && !got.Start.Equal(want.Start) {
			t.Fatalf("Greenest(%+v) of %+v = %+v %v, want %+v %v", q, s, got, ok, want, wantOK)
		}
		if ok && !got.Start.Equal(q.Earliest) {
			found++
		}
	}
	if found < 1000 {
		t.Fatalf("only %d windows lie later: the test shows too little", found)
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
		s.Greenest(Search{Earliest: midnight, Latest: midnight.Add(70 * time.Hour), Duration: 47 * time.Minute})
	}
}
