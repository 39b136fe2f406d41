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
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/llm"
)

// Clients differ in whether the base URL has the version in it.
func TestVersionOfTheAPI(t *testing.T) {
	w := newWorld(t, &llm.Server{}, Observe, "")
	for i, c := range []struct{ via, upstream string }{
		{"/openai/chat/completions", "/v1/chat/completions"},
		{"/openai/v1/chat/completions", "/v1/chat/completions"},
		{"/openai/v1beta/openai/chat/completions", "/v1/v1beta/openai/chat/completions"},
		{"/openai//chat/completions", "/v1//chat/completions"},
		{"/anthropic/v1/messages", "/v1/messages"},
		{"/azure/openai/v1/chat/completions", "/openai/v1/chat/completions"},
	} {
		_, _ = w.post(w.via+c.via, `{"model":"gpt-4.1"}`)
		if got := w.upstream.Requests()[i].Path; got != c.upstream {
			t.Errorf("%s went to %s", c.via, got)
		}
	}
	w.wait(6)
	if got := Total(w.meter.Lines()); got.Calls != 6 || got.Output != 6*llm.Output {
		t.Errorf("counted %+v", got)
	}
}

// A server that knows no stream_options refuses what the meter added. The client does not notice, and
// later calls are sent as they are.
func TestServersThatRefuseToBeAsked(t *testing.T) {
	w := newWorld(t, &llm.Server{Strict: true}, Enforce, downgrade)
	_, direct := w.post(w.direct+"/v1/chat/completions", `{"model":"gpt-4.1-mini","stream":true}`)
	for range 2 {
		if status, via := w.post(w.via+"/openai/chat/completions", chatStream); status != http.StatusOK || via != direct {
			t.Errorf("got %d %s", status, via)
		}
	}
	w.wait(2)
	if got := w.line(); got.Calls != 2 || got.Estimated != 2 || got.Output != 2*(llm.Pieces+2) || got.Requested != "gpt-4.1" || !got.Downgraded {
		t.Errorf("counted %+v", got)
	}
	var bodies []string
	for _, r := range w.upstream.Requests()[1:] {
		bodies = append(bodies, string(r.Body))
		if r.Length != int64(len(r.Body)) {
			t.Errorf("%s was sent with the length %d", r.Body, r.Length)
		}
	}
	const plain = `{"model":"gpt-4.1-mini","stream":true}`
	want := []string{`{"model":"gpt-4.1-mini","stream":true,"stream_options":{"include_usage":true}}`, plain, plain}
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Errorf("the upstream got (-want +got):\n%s", diff)
	}
}

// What is wrong with the client's own request is not blamed on the server: it is asked again.
func TestARefusalOfTheClientsOwnMistake(t *testing.T) {
	w := newWorld(t, &llm.Server{}, Observe, "")
	if status, text := w.post(w.via+"/openai/chat/completions", chatStream+"x"); status != http.StatusBadRequest || !strings.Contains(text, "could not parse") {
		t.Errorf("got %d %s", status, text)
	}
	_, _ = w.post(w.via+"/openai/chat/completions", chatStream)
	requests := w.upstream.Requests()
	if last := requests[len(requests)-1]; !strings.Contains(string(last.Body), "stream_options") {
		t.Errorf("the usage was not asked for: %s", last.Body)
	}
}

// A client that sends all of a long body before it reads sees the refusal.
func TestRefusalOfALongBody(t *testing.T) {
	w := newWorld(t, &llm.Server{}, Enforce, AnnotationBreaker+`="open"`)
	address, err := url.Parse(w.via)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	const size = 10 << 20
	if _, err := fmt.Fprintf(connection, "POST /openai/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat(" ", size)); err != nil {
		t.Fatalf("the meter did not take the body: %v", err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("got %d", answer.StatusCode)
	}
}

// With the breaker open a job may still end what it began.
func TestEndingWorkIsNotRefused(t *testing.T) {
	w := newWorld(t, &llm.Server{}, Enforce, AnnotationBreaker+`="open"`)
	for _, path := range []string{"/openai/responses/resp_1/cancel", "/openai/batches/b_1/cancel", "/anthropic/v1/messages/batches/b_1/cancel"} {
		if status, _ := w.post(w.via+path, ""); status == http.StatusForbidden {
			t.Errorf("%s is refused", path)
		}
	}
}

// Headers of the connection stay on it; trailers go through, also those of a stream that is changed.
func TestHeadersOfTheConnection(t *testing.T) {
	got := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got <- r.Header
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Trailer", "X-Cost")
		w.Header().Set("Connection", "X-Hop")
		w.Header().Set("X-Hop", "secret of the connection")
		_, _ = io.WriteString(w, "data: {\"choices\":[{}],\"usage\":null}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n")
		w.Header().Set("X-Cost", "7")
	}))
	t.Cleanup(server.Close)
	w := newWorldAt(t, server.URL, nil, Observe, "", NewTransport())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.via+"/openai/chat/completions", strings.NewReader(chatStream))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Connection": {"X-Mine"}, "X-Mine": {"1"}, "Proxy-Authorization": {"SECRET"}, "X-Kept": {"2"}, "X-Forwarded-For": {"10.0.0.1"}}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || string(text) != "data: {\"choices\":[{}]}\n\n" {
		t.Errorf("got %q, %v", text, err)
	}
	if answer.Trailer.Get("X-Cost") != "7" || answer.Header.Get("X-Hop") != "" {
		t.Errorf("the trailer is %v, the header %v", answer.Trailer, answer.Header)
	}
	header := <-got
	if header.Get("X-Mine")+header.Get("Proxy-Authorization") != "" || header.Get("X-Kept") != "2" || header.Get("X-Forwarded-For") != "10.0.0.1" {
		t.Errorf("the upstream got %v", header)
	}
}

// A query goes through as it is, also one that Go would not write.
func TestQueries(t *testing.T) {
	w := newWorld(t, &llm.Server{}, Observe, "")
	const query = "b=1;2&a=%zz&key=x+y%20z&&"
	_, _ = w.post(w.via+"/gemini/v1beta/models/gemini-2.5-flash:generateContent?"+query, `{}`)
	if got := w.upstream.Requests()[0].Query; got != query {
		t.Errorf("the upstream got %s", got)
	}
}

// An answer whose header has no end is no answer.
func TestHeaderWithoutAnEnd(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := range 1000 {
			w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1000))
		}
	}))
	t.Cleanup(server.Close)
	w := newWorldAt(t, server.URL, nil, Observe, "", NewTransport())
	if status, text := w.post(w.via+"/openai/chat/completions", `{"model":"gpt-4.1"}`); status != http.StatusBadGateway {
		t.Errorf("got %d %s", status, text)
	}
	w.wait(1)
	if got := w.line(); got.Status != statusUnreachable {
		t.Errorf("counted %+v", got)
	}
}

// While many bodies are held as a whole, further ones flow through, changed all the same.
func TestBodiesAreHeldWithinBounds(t *testing.T) {
	w := newWorld(t, &llm.Server{}, Enforce, downgrade)
	body := `{"pad":"` + strings.Repeat("x", wholeBody/2) + `","model":"gpt-4.1"}`
	_, _ = w.post(w.via+"/openai/chat/completions", body)
	w.meter.held.Store(wholeBodies)
	_, _ = w.post(w.via+"/openai/chat/completions", body)
	w.wait(2)
	want := strings.Replace(body, "gpt-4.1", "gpt-4.1-mini", 1)
	for i, length := range []int64{int64(len(want)), -1} {
		if got := w.upstream.Requests()[i]; string(got.Body) != want || got.Length != length {
			t.Errorf("request %d has the length %d, and the body is right: %t", i, got.Length, string(got.Body) == want)
		}
	}
	if held := w.meter.held.Load(); held != wholeBodies {
		t.Errorf("%d bytes are still held", held-wholeBodies)
	}
}
