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

package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"
)

// moment says when a manager is killed: before its write reaches the API server, or after the API
// server has carried it out and before the manager hears of it.
type moment string

const (
	before moment = "before"
	after  moment = "after"
)

// write is one that a manager asked for, and what the API server made of it: 0 for no answer.
type write struct {
	what string
	code int
}

// numberOfWrite is the key of a request's context.
type numberOfWrite struct{}

// killingProxy stands between a manager and the API server, counts the writes that make up a job's
// life, in one namespace, and kills the manager at one of them.
type killingProxy struct {
	namespace string
	server    *httptest.Server
	mu        sync.Mutex
	writes    []write
	// at is the write (from 1) to kill at; 0 never.
	at   int
	when moment
	kill func()
}

func newKillingProxy(namespace string, at int, when moment) *killingProxy {
	GinkgoHelper()
	target, err := url.Parse(config.Host)
	Expect(err).NotTo(HaveOccurred())
	transport, err := rest.TransportFor(asOperator)
	Expect(err).NotTo(HaveOccurred())
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.Transport, forward.FlushInterval = transport, -1
	forward.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	p := &killingProxy{namespace: namespace, at: at, when: when}
	forward.ModifyResponse = p.answered
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.isLifeWrite(r) {
			forward.ServeHTTP(w, r)
			return
		}
		number := p.count(r)
		ctx := context.WithValue(r.Context(), numberOfWrite{}, number)
		if number != p.at {
			forward.ServeHTTP(w, r.WithContext(ctx))
			return
		}
		if p.when == after {
			// The manager is gone before the answer reaches it, so the write must not end with it.
			forward.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithoutCancel(ctx)))
		}
		p.kill()
		panic(http.ErrAbortHandler) // cut the connection without an answer
	}))
	DeferCleanup(func() {
		p.server.CloseClientConnections()
		p.server.Close()
	})
	return p
}

// isLifeWrite leaves out what is not part of the job's life: events, leases, regions, and what other
// specs have left behind.
func (p *killingProxy) isLifeWrite(r *http.Request) bool {
	if r.Method == http.MethodGet || !strings.Contains(r.URL.Path, "/namespaces/"+p.namespace+"/") {
		return false
	}
	return strings.Contains(r.URL.Path, "/jobs") || strings.Contains(r.URL.Path, "/carbonawarejobs") ||
		strings.Contains(r.URL.Path, "/carbonbudgets")
}

// count notes a write and says which it is, from 1.
func (p *killingProxy) count(r *http.Request) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	what := r.URL.Path[strings.LastIndex(r.URL.Path, "/namespaces/")+len("/namespaces/"):]
	p.writes = append(p.writes, write{what: r.Method + " " + what[strings.Index(what, "/")+1:]})
	return len(p.writes)
}

// answered notes what the API server made of a write.
func (p *killingProxy) answered(response *http.Response) error {
	if number, ok := response.Request.Context().Value(numberOfWrite{}).(int); ok {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.writes[number-1].code = response.StatusCode
	}
	return nil
}

func (p *killingProxy) seen() []write {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.writes)
}

// withoutConflict leaves out one start that the API server refused because the Job controller had just
// written its first status, after which we ask again. Every other refusal counts.
func withoutConflict(writes []write) []write {
	start := slices.IndexFunc(writes, func(w write) bool {
		return w.code == http.StatusConflict && strings.HasPrefix(w.what, "PATCH jobs/")
	})
	if start < 0 {
		return writes
	}
	return slices.Delete(slices.Clone(writes), start, start+1)
}
