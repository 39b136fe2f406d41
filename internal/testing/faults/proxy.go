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
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"

	"k8s.io/client-go/rest"
)

// Proxy stands between a process and the API server, so that faults reach a real program. It is
// plain HTTP on the loopback interface, with the rights of the given config.
type Proxy struct {
	*Transport
	server *httptest.Server
}

// NewProxy starts a proxy in front of the config's API server; see New for counts.
func NewProxy(config *rest.Config, counts func(*http.Request) bool) (*Proxy, error) {
	target, err := url.Parse(config.Host)
	if err != nil {
		return nil, fmt.Errorf("reading the address %q: %w", config.Host, err)
	}
	next, err := rest.TransportFor(config)
	if err != nil {
		return nil, fmt.Errorf("making the transport: %w", err)
	}
	p := &Proxy{Transport: New(next, counts)}
	p.server = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     p.Transport,
		FlushInterval: -1, // a watch must not wait for more
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
			panic(http.ErrAbortHandler) // cut the connection without an answer
		},
	})
	return p, nil
}

// URL is where the proxy listens.
func (p *Proxy) URL() string { return p.server.URL }

// Stop ends the proxy and what passes through it.
func (p *Proxy) Stop() {
	p.Die()
	p.server.CloseClientConnections()
	p.server.Close()
}
