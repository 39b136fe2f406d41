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
	"io"
	"net/http"
	"sync"
)

// Gate holds streams back while it is closed. It is open at first.
type Gate struct {
	mu   sync.Mutex
	open chan struct{}
}

// NewGate is an open gate.
func NewGate() *Gate {
	g := &Gate{open: make(chan struct{})}
	close(g.open)
	return g
}

// Close holds back what has not been read yet.
func (g *Gate) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
		g.open = make(chan struct{})
	default:
	}
}

// Open lets everything through again.
func (g *Gate) Open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
	default:
		close(g.open)
	}
}

func (g *Gate) passage() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

// Hold lets the body of the answer through only while the gate is open: the stream of a watch stops
// without a sign, and goes on later, complete.
func Hold(gate *Gate) Fault {
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		response.Body = &heldBody{ReadCloser: response.Body, gate: gate, closed: make(chan struct{}), gone: r.Context().Done()}
		return response, nil
	}
}

type heldBody struct {
	io.ReadCloser
	gate   *Gate
	once   sync.Once
	closed chan struct{}
	gone   <-chan struct{}
}

// Read passes the gate after the bytes have come: what comes while it is closed has to wait too.
func (b *heldBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	select {
	case <-b.gate.passage():
		return n, err
	case <-b.closed:
		return 0, http.ErrBodyReadAfterClose
	case <-b.gone:
		return 0, ErrCut
	}
}

// Close ends the stream, held or not.
func (b *heldBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.ReadCloser.Close()
}
