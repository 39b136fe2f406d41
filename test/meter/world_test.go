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

// Package meter shows the meter to the vendors' own SDKs: what they see through it is what they see
// without it.
package meter

import (
	"log/slog"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/llm"
)

// world is an upstream for direct calls, one of the same kind for those through the meter, and the meter.
type world struct {
	direct, via string
	upstream    *llm.Server
	meter       *meter.Meter
	counted     chan struct{}
}

func newWorld(t *testing.T, create func() *llm.Server, decisions string) *world {
	t.Helper()
	w := &world{upstream: create(), counted: newSignal()}
	direct, behind := httptest.NewServer(create()), httptest.NewServer(w.upstream)
	t.Cleanup(direct.Close)
	t.Cleanup(behind.Close)
	w.direct = direct.URL
	base := func(path string) *url.URL {
		u, err := url.Parse(behind.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	control := filepath.Join(t.TempDir(), "annotations")
	if err := os.WriteFile(control, []byte(decisions), 0o600); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	m, err := meter.New(meter.Config{
		Now: time.Now,
		Upstreams: map[string]*url.URL{
			meter.PathOpenAI: base("/v1"), meter.PathAzure: base(""), meter.PathAnthropic: base(""), meter.PathGemini: base(""),
		},
		Mode: meter.Enforce, AskUsage: true, Control: meter.NewControl(control, log),
		Estimate: meter.NewEstimate(estimate.BuiltIn()), AssumedIntensity: 473,
		Transport: meter.NewTransport(), Log: log, Changed: func() { w.counted <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.meter = m
	front := httptest.NewServer(m)
	t.Cleanup(front.Close)
	w.via = front.URL
	return w
}

func newSignal() chan struct{} { return make(chan struct{}, 1000) }

// wait returns when so many more calls are counted.
func (w *world) wait(calls int) {
	for range calls {
		<-w.counted
	}
}

// counts are the calls and tokens by operation, requested model and status.
type counts struct {
	Calls, Estimated int64
	Tokens           meter.Tokens
}

func (w *world) counts() map[string]counts {
	got := map[string]counts{}
	for _, l := range w.meter.Lines() {
		got[l.Provider+" "+l.Operation+" "+l.Requested+" "+l.Status] = counts{l.Calls, l.Estimated, l.Tokens}
	}
	return got
}

// used are the tokens of so many answers of the upstream.
func used(answers int64) meter.Tokens {
	return meter.Tokens{Input: answers * llm.Input, Output: answers * llm.Output, Cached: answers * llm.Cached, Reasoning: answers * llm.Reasoning}
}
