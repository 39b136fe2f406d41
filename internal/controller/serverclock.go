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

package controller

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// ServerClock tells the time of the API server, whose clock stamps what plans are counted from. The
// clock of the operator's own machine may be wrong: that must neither start a job before its planned
// start nor after its latest one.
//
// Every answer of the API server carries its time in whole seconds. One answer bounds the difference
// of the clocks to a second and the time that the answer took; many bound it to much less. Within
// these bounds the own clock is believed; outside of them the latest difference that starts nothing
// early. Steps of the own clock do not count: Go's monotonic reading passes them over.
type ServerClock struct {
	own  clock.PassiveClock
	base time.Time

	mu sync.Mutex
	// least and most bound what is to be added to the own clock; known says that they do.
	least, most time.Duration
	known       bool
}

// NewServerClock is a clock that shows the time of own until the first answer is heard.
func NewServerClock(own clock.PassiveClock) *ServerClock {
	return &ServerClock{own: own, base: own.Now()}
}

// Now is the time of the API server, in UTC, or up to a second earlier.
func (c *ServerClock) Now() time.Time {
	now := c.ownTime()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known || c.least <= 0 && 0 <= c.most {
		return now
	}
	return now.Add(c.least)
}

// Since is the time that has passed since t.
func (c *ServerClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// ownTime is the own clock without its steps.
func (c *ServerClock) ownTime() time.Time {
	return c.base.Round(0).UTC().Add(c.own.Since(c.base))
}

// Listen wraps the transport to the API server: from then on its answers set the clock.
func (c *ServerClock) Listen(to http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		sent := c.ownTime()
		response, err := to.RoundTrip(request)
		if err != nil {
			return nil, fmt.Errorf("asking the API server: %w", err)
		}
		if stamp, err := http.ParseTime(response.Header.Get("Date")); err == nil {
			c.heard(stamp, sent, c.ownTime())
		}
		return response, nil
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// heard notes that the API server's clock showed stamp, cut to the second, between sent and received.
func (c *ServerClock) heard(stamp, sent, received time.Time) {
	least, most := stamp.Sub(received), stamp.Add(time.Second).Sub(sent)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known && least <= c.most && c.least <= most {
		least, most = max(least, c.least), min(most, c.most)
	} // else one of the clocks was set
	c.least, c.most, c.known = least, most, true
}
