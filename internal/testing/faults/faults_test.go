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

package faults

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

// server counts what reaches it and streams two lines.
func server(t *testing.T) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var reached atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		_, _ = io.WriteString(w, `{"kind":"Status","status":"Success"}`)
	}))
	t.Cleanup(s.Close)
	return s, &reached
}

func send(t *testing.T, transport http.RoundTripper, method, url string) error {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(r)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	return err
}

func TestTheChosenWriteMeetsTheFault(t *testing.T) {
	for name, test := range map[string]struct {
		fault   Fault
		reached int64
	}{
		"cut before":  {FailBefore, 3},
		"answer lost": {LoseAnswer, 4},
	} {
		s, reached := server(t)
		transport := New(http.DefaultTransport, nil)
		transport.Script(Rule{From: 2, Fault: test.fault})
		for i, method := range []string{"PATCH", "GET", "POST", "DELETE"} {
			if err := send(t, transport, method, s.URL+"/apis/batch/v1/namespaces/x/jobs/a"); (err != nil) != (i == 2) {
				t.Errorf("%s: %s: %v", name, method, err)
			}
		}
		if reached.Load() != test.reached {
			t.Errorf("%s: %d requests reached the server, not %d", name, reached.Load(), test.reached)
		}
		if got := strings.Join(transport.Writes(), ", "); got != "PATCH jobs/a, POST jobs/a, DELETE jobs/a" {
			t.Errorf("%s: the writes were %s", name, got)
		}
		transport.Die()
		if err := send(t, transport, "GET", s.URL); !errors.Is(err, ErrCut) {
			t.Errorf("%s: the dead still speak: %v", name, err)
		}
	}
}

func TestAnAnswerIsUnderstoodByClients(t *testing.T) {
	s, _ := server(t)
	transport := New(http.DefaultTransport, nil)
	proxy, err := NewProxy(&rest.Config{Host: s.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	for name, config := range map[string]*rest.Config{
		"as a transport": {Host: s.URL, WrapTransport: transport.Over}, "behind a proxy": {Host: proxy.URL()},
	} {
		config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
		client, err := rest.UnversionedRESTClientFor(config)
		if err != nil {
			t.Fatal(err)
		}
		for fault, is := range map[*Fault]func(error) bool{
			&Conflict: apierrors.IsConflict, &InternalError: apierrors.IsInternalError, &Unavailable: apierrors.IsServiceUnavailable,
		} {
			for _, script := range []*Transport{transport, proxy.Transport} {
				script.Script(Rule{Fault: *fault})
			}
			if err := client.Post().AbsPath("/x").Body([]byte("{}")).Do(t.Context()).Error(); !is(err) {
				t.Errorf("%s: the client understood %v", name, err)
			}
		}
		// A client of client-go comes back by itself after a 429 that says when.
		for _, script := range []*Transport{transport, proxy.Transport} {
			script.Script(Rule{From: 1, Fault: Answer(http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests, 1)})
		}
		if err := client.Post().AbsPath("/x").Body([]byte("{}")).Do(t.Context()).Error(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAClosedGateHoldsAStreamAndLosesNothing(t *testing.T) {
	s, _ := server(t)
	gate := NewGate()
	transport := New(http.DefaultTransport, nil)
	transport.Script(Rule{Match: func(*http.Request) bool { return true }, Fault: Hold(gate)})
	gate.Close()
	done := make(chan error, 1)
	go func() { done <- send(t, transport, "GET", s.URL) }()
	select {
	case err := <-done:
		t.Fatalf("the stream passed a closed gate: %v", err)
	default:
	}
	gate.Open()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
