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

package meter

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/llm"
)

// intensity of the tests, in gCO2e/kWh.
const intensity = "320"

// world is an upstream and a meter before it.
type world struct {
	t        *testing.T
	upstream *llm.Server
	meter    *Meter
	direct   string // the upstream's address
	via      string // the meter's address
	control  string // the meter's control file
	log      *safeBuffer
	counted  chan struct{} // receives something after each call
}

type safeBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func newWorld(t *testing.T, upstream *llm.Server, mode Mode, decisions string) *world {
	t.Helper()
	server := httptest.NewServer(upstream)
	t.Cleanup(server.Close)
	return newWorldAt(t, server.URL, upstream, mode, decisions, NewTransport())
}

func newWorldAt(t *testing.T, address string, upstream *llm.Server, mode Mode, decisions string, transport *http.Transport) *world {
	t.Helper()
	t.Cleanup(transport.CloseIdleConnections)
	w := &world{
		t: t, upstream: upstream, direct: address, log: &safeBuffer{},
		control: filepath.Join(t.TempDir(), "annotations"), counted: make(chan struct{}, 10_000),
	}
	if decisions == "" {
		decisions = AnnotationIntensity + `="` + intensity + `"`
	}
	w.decide(decisions)
	base := func(path string) *url.URL {
		u, err := url.Parse(address + path)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	m, err := New(Config{
		Now: time.Now,
		Upstreams: map[string]*url.URL{
			PathOpenAI: base("/v1"), PathAzure: base(""), PathAnthropic: base(""), PathGemini: base("/"),
		},
		Mode: mode, AskUsage: true, Control: NewControl(w.control, log),
		Estimate: NewEstimate(estimate.BuiltIn()), AssumedIntensity: 473,
		Transport: transport, Log: log, Changed: func() { w.counted <- struct{}{} },
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

// decide writes the control file as the kubelet does: the new one takes the place of the old.
func (w *world) decide(lines ...string) {
	w.t.Helper()
	next := w.control + ".next"
	if err := os.WriteFile(next, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(next, w.control); err != nil {
		w.t.Fatal(err)
	}
}

// wait returns when so many more calls are counted.
func (w *world) wait(calls int) {
	for range calls {
		<-w.counted
	}
}

// reply is an answer that is not yet read. The end of the test closes it.
type reply struct {
	StatusCode int
	Header     http.Header
	Body       io.ReadCloser
}

// ask sends a request.
func (w *world) ask(method, address, body string, header ...string) reply {
	w.t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, address, content)
	if err != nil {
		w.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for pair := range slices.Chunk(header, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = answer.Body.Close() })
	return reply{answer.StatusCode, answer.Header, answer.Body}
}

// post sends a body and reads the whole answer.
func (w *world) post(address, body string, header ...string) (int, string) {
	w.t.Helper()
	answer := w.ask(http.MethodPost, address, body, header...)
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// line is the only line of the ledger.
func (w *world) line() Line {
	w.t.Helper()
	lines := w.meter.Lines()
	if len(lines) != 1 {
		w.t.Fatalf("there are %d lines: %+v", len(lines), lines)
	}
	return lines[0]
}
