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
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/llm"
)

const chatStream = `{"model":"gpt-4.1","stream":true}`

// Each event reaches the client before the upstream sends the next one.
func TestEventsAreNotHeldBack(t *testing.T) {
	for _, compressed := range []bool{false, true} {
		upstream := &llm.Server{Gate: make(chan struct{}), Gzip: compressed}
		w := newWorld(t, upstream, Observe, "")
		answer := w.ask(http.MethodPost, w.via+"/openai/chat/completions", chatStream)
		lines := bufio.NewScanner(answer.Body)
		events := 0
		for lines.Scan() {
			if !strings.HasPrefix(lines.Text(), "data:") {
				continue
			}
			events++
			if events == llm.Pieces+2 {
				close(upstream.Gate) // the last ones; one of them is hidden
			}
			if events < llm.Pieces+2 {
				upstream.Gate <- struct{}{}
			}
		}
		if want := llm.Pieces + 3; lines.Err() != nil || events != want {
			t.Errorf("there were %d events and %v, not %d", events, lines.Err(), want)
		}
	}
}

// A client that leaves in the middle ends the upstream's work too; what it got is counted.
func TestCancelledByTheClient(t *testing.T) {
	upstream := &llm.Server{Gate: make(chan struct{})}
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		upstream.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	w := newWorldAt(t, server.URL, upstream, Observe, "", NewTransport())
	answer := w.ask(http.MethodPost, w.via+"/openai/chat/completions", chatStream)
	in := bufio.NewReader(answer.Body)
	for range 3 {
		for range 2 { // an event and the blank line behind it
			if _, err := in.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		upstream.Gate <- struct{}{}
	}
	_ = answer.Body.Close()
	<-ended
	w.wait(1)
	got := w.line()
	if got.Status != "cancelled" || got.Estimated != 1 || got.Output < 3 || got.Output > 4 || got.KWh == 0 {
		t.Errorf("counted %+v", got)
	}
}

// A client that leaves before there is an answer.
func TestCancelledBeforeTheAnswer(t *testing.T) {
	arrived := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	w := newWorldAt(t, server.URL, nil, Observe, "", NewTransport())
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.via+"/openai/chat/completions", strings.NewReader(`{"model":"gpt-4.1"}`))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-arrived
		cancel()
	}()
	answer, err := http.DefaultClient.Do(r)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", answer, err)
	}
	if answer != nil {
		_ = answer.Body.Close()
	}
	w.wait(1)
	if diff := cmp.Diff(Line{Kind{"openai", "chat", "gpt-4.1", "gpt-4.1", "cancelled", false}, Tally{Calls: 1}}, w.line()); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

// An upstream that dies in the middle of a stream: the client sees what it got, and that it broke off.
func TestCutByTheUpstream(t *testing.T) {
	w := newWorld(t, &llm.Server{CutAfter: 3}, Observe, "")
	for _, address := range []string{w.direct + "/v1/chat/completions", w.via + "/openai/chat/completions"} {
		answer := w.ask(http.MethodPost, address, chatStream)
		text, err := io.ReadAll(answer.Body)
		if n := strings.Count(string(text), "chatcmpl-"); n != 3 || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %d events, then %v", address, n, err)
		}
	}
	w.wait(1)
	got := w.line()
	got.KWh, got.RequestedKWh, got.Nanograms, got.RequestedNanograms = 0, 0, 0, 0
	want := Line{
		Kind{"openai", "chat", "gpt-4.1", "gpt-4.1-2025-04-14", "cut", false},
		Tally{Calls: 1, Tokens: Tokens{Output: 3}, Estimated: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

func TestUnreachableUpstream(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	w := newWorldAt(t, server.URL, nil, Observe, "", NewTransport())
	for path, want := range map[string]string{
		"/openai/chat/completions":                       `"type":"server_error"`,
		"/anthropic/v1/messages":                         `{"type":"error","error":{"type":"api_error"`,
		"/gemini/v1/models/g:generateContent?key=SECRET": `"status":"UNAVAILABLE"`,
	} {
		status, text := w.post(w.via+path, `{"model":"m"}`, "Authorization", "Bearer SECRET")
		if status != http.StatusBadGateway || !strings.Contains(text, want) || !strings.Contains(text, "could not reach 127.0.0.1") {
			t.Errorf("%s: %d %s", path, status, text)
		}
		if strings.Contains(text+w.log.String(), "SECRET") {
			t.Errorf("%s tells a secret: %s %s", path, text, w.log.String())
		}
	}
	w.wait(3)
	for _, line := range w.meter.Lines() {
		if line.Status != "unreachable" || line.Calls != 1 || line.UnknownEnergy != 0 {
			t.Errorf("counted %+v", line)
		}
	}
}

// A prompt of 10 MB arrives as it was sent, with the model rewritten and the usage asked for, and is
// never in memory as a whole.
func TestLongPrompt(t *testing.T) {
	const size = 10 << 20
	prompt := strings.Repeat(`a\"é `, size/6)
	wants := fmt.Sprintf(`{"messages":[{"role":"user","content":"%s"}],"model":"gpt-4.1-mini","stream":true,"stream_options":{"include_usage":true}}`, prompt)
	sent := fmt.Sprintf(`{"messages":[{"role":"user","content":"%s"}],"model":"gpt-4.1","stream":true}`, prompt)
	got := sha256.New()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(got, r.Body)
		(&llm.Server{}).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	w := newWorldAt(t, server.URL, nil, Enforce, AnnotationModels+`="{\"gpt-4.1\":\"gpt-4.1-mini\"}"`, NewTransport())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _ = w.post(w.via+"/openai/chat/completions", sent)
	runtime.ReadMemStats(&after)
	if want := sha256.Sum256([]byte(wants)); string(got.Sum(nil)) != string(want[:]) {
		t.Error("the upstream got another body")
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > size/4 {
		t.Errorf("a prompt of %d bytes made the meter and the test allocate %d", size, allocated)
	}
	w.wait(1)
	if got := w.line(); got.Requested != "gpt-4.1" || !got.Downgraded {
		t.Errorf("counted %+v", got)
	}
}

func TestParallelCalls(t *testing.T) {
	const calls = 200
	w := newWorld(t, &llm.Server{}, Observe, "")
	bodies := []string{`{"model":"gpt-4.1"}`, chatStream}
	var group sync.WaitGroup
	for i := range calls {
		group.Go(func() { _, _ = w.post(w.via+"/openai/chat/completions", bodies[i%2]) })
	}
	group.Wait()
	w.wait(calls)
	got := w.line()
	if got.Calls != calls || got.Input != calls*llm.Input || got.Output != calls*llm.Output || got.Estimated != 0 {
		t.Errorf("counted %+v", got)
	}
	if w.meter.inFlight.Load() != 0 {
		t.Errorf("%d calls are still in flight", w.meter.inFlight.Load())
	}
}

// An upstream that speaks HTTP/2 gets HTTP/2.
func TestHTTP2Upstream(t *testing.T) {
	upstream, protocols := &llm.Server{}, make(chan string, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocols <- r.Proto
		upstream.ServeHTTP(w, r)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	transport := NewTransport()
	transport.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	w := newWorldAt(t, server.URL, upstream, Observe, "", transport)
	status, text := w.post(w.via+"/openai/chat/completions", chatStream)
	if protocol := <-protocols; status != http.StatusOK || protocol != "HTTP/2.0" || !strings.HasSuffix(text, "data: [DONE]\n\n") {
		t.Errorf("%s gave %d %s", protocol, status, text)
	}
	w.wait(1)
	if got := w.line(); got.Output != llm.Output {
		t.Errorf("counted %+v", got)
	}
}

// 429 and its header reach the client as they are, and each attempt is counted.
func TestBusyUpstream(t *testing.T) {
	w := newWorld(t, &llm.Server{Busy: 1}, Observe, "")
	answer := w.ask(http.MethodPost, w.via+"/openai/chat/completions", chatStream)
	if answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After-Ms") != "1" || !strings.Contains(readAll(t, answer), "rate_limit_exceeded") {
		t.Errorf("got %d %v", answer.StatusCode, answer.Header)
	}
	if status, _ := w.post(w.via+"/openai/chat/completions", chatStream); status != http.StatusOK {
		t.Errorf("the second attempt gave %d", status)
	}
	w.wait(2)
	lines := w.meter.Lines()
	if len(lines) != 2 || lines[0].Status != "429" || lines[1].Status != "200" || lines[0].Output != 0 || lines[0].UnknownEnergy != 0 {
		t.Errorf("counted %+v", lines)
	}
}

// A server that does not tell its usage: the pieces of its stream are counted, and that it is so.
func TestNoUsage(t *testing.T) {
	w := newWorld(t, &llm.Server{NoUsage: true}, Observe, "")
	_, _ = w.post(w.via+"/openai/chat/completions", chatStream)
	w.wait(1)
	if got := w.line(); got.Status != "200" || got.Estimated != 1 || got.Output != llm.Pieces+2 || got.KWh == 0 {
		t.Errorf("counted %+v", got)
	}
}
