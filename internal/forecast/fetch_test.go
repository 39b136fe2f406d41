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

package forecast

import (
	"compress/gzip"
	"context"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// trusting is the client for sources as it is, but for its trust in the server of the test, which is
// on a private address.
func trusting(t *testing.T, server *httptest.Server) *http.Client {
	t.Helper()
	client := NewClient(true)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	client.Transport.(*conditional).next.(*http.Transport).TLSClientConfig.RootCAs = roots
	return client
}

func TestFetchFromABrokenServer(t *testing.T) {
	now := time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)
	ctx, giveUp := context.WithCancel(t.Context())
	endless := func(w interface{ Write([]byte) (int, error) }) {
		for chunk := []byte(strings.Repeat("0", 1<<16)); ; {
			if _, err := w.Write(chunk); err != nil {
				return // the client has had enough
			}
		}
	}
	tests := []struct {
		name    string
		serve   http.HandlerFunc
		want    SourceError
		partial bool // only the beginning of the problem is compared
	}{
		{
			"500", func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, "secret words", http.StatusInternalServerError)
			},
			SourceError{Problem: "it answered with HTTP status 500"},
			false,
		},
		{"429 with seconds", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
		}, SourceError{Problem: "it answered with HTTP status 429", RetryAfter: 2 * time.Minute}, false},
		{"503 with a date", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", now.Add(time.Hour).Format(http.TimeFormat))
			w.WriteHeader(http.StatusServiceUnavailable)
		}, SourceError{Problem: "it answered with HTTP status 503", RetryAfter: time.Hour}, false},
		{
			"HTML", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>secret words")) },
			SourceError{Problem: "its answer is not the JSON that it promises", Malformed: true},
			false,
		},
		{
			"an endless body", func(w http.ResponseWriter, _ *http.Request) { endless(w) },
			SourceError{Problem: "its answer is larger than 1048576 bytes", Malformed: true},
			false,
		},
		{"a gzip bomb", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			endless(gzip.NewWriter(w))
		}, SourceError{Problem: "its answer is larger than 1048576 bytes", Malformed: true}, false},
		{"cut", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"a":`))
		}, SourceError{Problem: "it cannot be reached: "}, true},
		{"to a metadata service", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://169.254.169.254/latest", http.StatusFound)
		}, SourceError{Problem: "it cannot be reached: it redirects to another host"}, false},
		{"to plain http", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+r.Host+"/", http.StatusFound)
		}, SourceError{Problem: "it cannot be reached: it redirects to another protocol"}, false},
		{
			"to itself for ever", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) },
			SourceError{Problem: "it cannot be reached: it redirects too often"},
			false,
		},
		{"drip", func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("{"))
			_ = http.NewResponseController(w).Flush()
			giveUp() // the time is up
			<-r.Context().Done()
		}, SourceError{Problem: "it did not answer in time"}, false}, // the last one: it ends ctx
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewTLSServer(tt.serve)
			t.Cleanup(server.Close)
			var into map[string]any
			err := fetchJSON(ctx, trusting(t, server), server.URL, now, &into)
			got, ok := err.(*SourceError) //nolint:errorlint // it must be that very type
			if !ok {
				t.Fatalf("got %v", err)
			}
			if tt.partial && strings.HasPrefix(got.Problem, tt.want.Problem) {
				return
			}
			if *got != tt.want {
				t.Errorf("got %+v, want %+v", *got, tt.want)
			}
		})
	}
}

func TestClientTrustsNobodyUnknown(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	var into any
	err := fetchJSON(t.Context(), NewClient(true), server.URL, time.Time{}, &into)
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of nobody was taken: %v", err)
	}
	err = fetchJSON(t.Context(), NewClient(false), "http://example.org", time.Time{}, &into)
	if err == nil || !strings.Contains(err.Error(), "only https is allowed") {
		t.Errorf("plain http was spoken: %v", err)
	}
	err = fetchJSON(t.Context(), NewClient(false), strings.Replace(server.URL, "127.0.0.1", "localhost", 1), time.Time{}, &into)
	if err == nil || !strings.Contains(err.Error(), "not public") {
		t.Errorf("a name that leads to this machine was followed: %v", err)
	}
}

func TestAFailureReadsAlwaysTheSame(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	server.Close()
	for address, want := range map[string]string{
		server.URL:                     "it cannot be reached: connect: connection refused",
		"https://no-such-host.invalid": "it cannot be reached: its name cannot be resolved",
	} {
		var into any
		if err := fetchJSON(t.Context(), NewClient(true), address, time.Time{}, &into); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", address, err, want)
		}
	}
}

func TestPublicAddresses(t *testing.T) {
	tests := map[string]bool{
		"8.8.8.8": true, "2001:4860:4860::8888": true,
		"127.0.0.1": false, "::1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false,
		"fe80::1": false, "fd00::1": false, "0.0.0.0": false, "::": false, "100.100.100.200": false, "224.0.0.1": false, "ff02::1": false,
		"::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false, "64:ff9b::a00:1": false, "2002:a00:1::": false, "198.18.0.1": false, "255.255.255.255": false,
		"64:ff9b::a9fe:a9fe%eth0": false, "2002:a00:1::%eth0": false, "fe80::1%eth0": false, "::a9fe:a9fe": false, "fec0::1": false,
		"2001::a00:1": false, "168.63.129.16": false,
	}
	for address, want := range tests {
		if got := isPublic(netip.MustParseAddr(address)); got != want {
			t.Errorf("isPublic(%s) = %t", address, got)
		}
	}
}

func TestAProxyIsUsedOnlyWherePrivateAddressesAre(t *testing.T) {
	asked := make(chan string, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.String()
		_, _ = w.Write([]byte(`{}`))
	}))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	var into struct{}
	if err := fetchJSON(t.Context(), NewClient(true), "http://source.invalid/x", time.Time{}, &into); err != nil {
		t.Fatal(err)
	}
	if url := <-asked; url != "http://source.invalid/x" {
		t.Errorf("the proxy was asked for %s", url)
	}
	if err := fetchJSON(t.Context(), NewClient(false), "https://source.invalid/x", time.Time{}, &into); err == nil || len(asked) != 0 {
		t.Errorf("the proxy was used: %v", err)
	}
}
