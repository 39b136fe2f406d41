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
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// certificate is one for 127.0.0.1 that signs itself, as its template says otherwise.
func certificate(t *testing.T, template x509.Certificate) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(1)
	template.Subject = pkix.Name{CommonName: "secret words"}
	template.BasicConstraintsValid, template.IsCA = true, true
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, parsed
}

func TestCertificatesThatAreNoGood(t *testing.T) {
	here := []net.IP{net.IPv4(127, 0, 0, 1)}
	now := time.Now()
	for name, tt := range map[string]struct {
		template x509.Certificate
		trusted  bool
		want     string
	}{
		"good":    {x509.Certificate{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IPAddresses: here}, true, ""},
		"expired": {x509.Certificate{NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(-time.Hour), IPAddresses: here}, true, "its certificate has expired or is not valid yet"},
		"to come": {x509.Certificate{NotBefore: now.Add(time.Hour), NotAfter: now.Add(2 * time.Hour), IPAddresses: here}, true, "its certificate has expired or is not valid yet"},
		"another name": {
			x509.Certificate{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), DNSNames: []string{"secret.example.org"}},
			true,
			"its certificate is for another name",
		},
		"a stranger's": {
			x509.Certificate{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IPAddresses: here},
			false,
			"its certificate is signed by nobody who is trusted",
		},
		"not for servers": {
			x509.Certificate{
				NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IPAddresses: here, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
			}, true, "its certificate is not valid",
		},
	} {
		t.Run(name, func(t *testing.T) {
			pair, parsed := certificate(t, tt.template)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
			server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			t.Cleanup(server.Close)
			client := NewClient(true)
			roots := x509.NewCertPool()
			if tt.trusted {
				roots.AddCert(parsed)
			}
			client.Transport.(*conditional).next.(*http.Transport).TLSClientConfig.RootCAs = roots
			var into any
			err := fetchJSON(t.Context(), client, server.URL, now, &into)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || err.Error() != "it cannot be reached: "+tt.want):
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// allocated is what a call allocates, the server in the same process included, in bytes.
func allocated(call func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestMemoryStaysBounded(t *testing.T) {
	const tenGiB, enough = 10 << 30, 48 << 20 // both ends, and the header without end is 16 MiB by itself
	chunk := make([]byte, 1<<16)
	pour := func(w io.Writer) {
		for sent := 0; sent < tenGiB; sent += len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				return // the client has had enough
			}
		}
	}
	for name, serve := range map[string]http.HandlerFunc{
		"ten GiB": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(tenGiB))
			pour(w)
		},
		"ten GiB, marked": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"a"`)
			pour(w)
		},
		"ten GiB in ten MiB": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			pour(gzip.NewWriter(w))
		},
		"a header without end": func(w http.ResponseWriter, _ *http.Request) {
			for i := range 1 << 10 {
				w.Header().Set("X-"+strconv.Itoa(i), strings.Repeat("a", 1<<14))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewTLSServer(serve)
			t.Cleanup(server.Close)
			client := trusting(t, server)
			var err error
			took := allocated(func() {
				var into any
				err = fetchJSON(t.Context(), client, server.URL, time.Time{}, &into)
			})
			t.Logf("%d KiB, %v", took>>10, err)
			if err == nil || took > enough {
				t.Errorf("it took %d MiB", took>>20)
			}
		})
	}
}

func TestAFailureQuotesNothing(t *testing.T) {
	for name, answer := range map[string]string{
		"no HTTP":      "secret words\r\n\r\n",
		"no header":    "HTTP/1.1 200 OK\r\nsecret words\r\n\r\n",
		"odd header":   "HTTP/1.1 200 OK\r\nX: secret\x00words\r\n\r\n",
		"odd status":   "HTTP/1.1 secret\r\n\r\n",
		"odd length":   "HTTP/1.1 200 OK\r\nContent-Length: secret\r\n\r\n",
		"odd encoding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: secret\r\n\r\n",
		"odd chunk":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n",
		"odd redirect": "HTTP/1.1 302 Found\r\nLocation: secret://words\r\nContent-Length: 0\r\n\r\n",
		"odd gzip":     "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 6\r\n\r\nsecret",
		"cut":          "HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\nsecret",
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				connection, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					return
				}
				_, _ = io.WriteString(connection, answer)
				_ = connection.Close()
			}))
			t.Cleanup(server.Close)
			var into any
			err := fetchJSON(t.Context(), trusting(t, server), server.URL, time.Time{}, &into)
			if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "127.0.0.1") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSlowAnswersTakeNoMemory(t *testing.T) {
	const calls, enough = 100, 64 << 20
	begun := make(chan struct{}, calls)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "{")
		_ = http.NewResponseController(w).Flush()
		begun <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	client := trusting(t, server)
	ctx, giveUp := context.WithCancel(t.Context())
	errs := make(chan error, calls)
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range calls {
		go func() {
			var into any
			errs <- fetchJSON(ctx, client, server.URL, time.Time{}, &into)
		}()
	}
	for range calls {
		<-begun
	}
	runtime.GC()
	runtime.ReadMemStats(&during)
	giveUp() // the time is up
	for range calls {
		if err := <-errs; err == nil || err.Error() != "it did not answer in time" {
			t.Errorf("got %v", err)
		}
	}
	if took := int64(during.HeapAlloc) - int64(before.HeapAlloc); took > enough {
		t.Errorf("%d slow answers hold %d KiB each", calls, took>>10/calls)
	} else {
		t.Logf("%d slow answers hold %d KiB each, both ends", calls, took>>10/calls)
	}
}
