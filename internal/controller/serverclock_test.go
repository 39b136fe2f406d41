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

package controller_test

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	testclock "k8s.io/utils/clock/testing"

	"github.com/ecotracker-dev/ecotracker-operator/internal/controller"
)

// server plays an API server whose clock differs from ours.
type server struct {
	own   *testclock.FakePassiveClock
	ahead time.Duration
	takes func() time.Duration
}

func (s *server) now() time.Time { return s.own.Now().Add(s.ahead) }

func (s *server) RoundTrip(*http.Request) (*http.Response, error) {
	s.own.SetTime(s.own.Now().Add(s.takes()))
	header := http.Header{"Date": {s.now().UTC().Format(http.TimeFormat)}}
	s.own.SetTime(s.own.Now().Add(s.takes()))
	return &http.Response{Header: header, Body: http.NoBody}, nil
}

func TestServerClock(t *testing.T) {
	for name, ahead := range map[string]time.Duration{
		"right": 0, "five minutes behind": 5 * time.Minute, "five minutes ahead": -5 * time.Minute,
		"a little behind": 700 * time.Millisecond, "a little ahead": -700 * time.Millisecond, "years off": -100_000 * time.Hour,
	} {
		t.Run("own clock "+name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			own := testclock.NewFakePassiveClock(time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC))
			api := &server{own: own, ahead: ahead, takes: func() time.Duration { return time.Duration(random.IntN(20)) * time.Millisecond }}
			clock := controller.NewServerClock(own)
			transport := clock.Listen(api)
			ask := func(times int) {
				for range times {
					own.SetTime(own.Now().Add(time.Duration(random.IntN(3000)) * time.Millisecond))
					if _, err := transport.RoundTrip(&http.Request{}); err != nil { //nolint:bodyclose // it has none
						t.Fatal(err)
					}
				}
			}
			expect := func(late time.Duration) {
				t.Helper()
				if off := clock.Now().Sub(api.now()); off > 0 || off < -late {
					t.Errorf("the clock is off by %s, it may be up to %s late", off, late)
				}
			}
			ask(1)
			if ahead.Abs() > time.Second {
				expect(1100 * time.Millisecond)
			}
			ask(300)
			expect(100 * time.Millisecond)

			api.ahead += time.Hour // the server's clock is set
			ask(1)
			expect(1100 * time.Millisecond)
			api.ahead -= 2 * time.Hour
			ask(300)
			expect(100 * time.Millisecond)
		})
	}
}

// Until the API server has answered, the own clock is all there is.
func TestServerClockWithoutAnswers(t *testing.T) {
	begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	own := testclock.NewFakePassiveClock(begin)
	clock := controller.NewServerClock(own)
	own.SetTime(begin.Add(90 * time.Second))
	if got := clock.Now(); !got.Equal(begin.Add(90 * time.Second)) {
		t.Errorf("Now() = %s without an answer, want the own time", got)
	}
	if got := clock.Since(begin); got != 90*time.Second {
		t.Errorf("Since() = %s", got)
	}
}
