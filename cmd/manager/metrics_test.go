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

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/cert"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

func TestMetricsAreServedWithTheCertificateOfTheFolder(t *testing.T) {
	const name = "metrics.example.org"
	certificate, key, err := cert.GenerateSelfSignedCertKey(name, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for file, data := range map[string][]byte{"tls.crt": certificate, "tls.key": key} {
		if _, err := parseOptions([]string{"--metrics-cert-dir=" + dir}); err == nil || !strings.Contains(err.Error(), "--metrics-cert-dir") {
			t.Errorf("a folder without %s was taken: %v", file, err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o, err := parseOptions([]string{"--metrics-cert-dir=" + dir, "--metrics-bind-address=127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	server, err := metricsserver.NewServer(metricsOptions(o), &rest.Config{Host: "https://127.0.0.1:1"}, http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Start(ctx) }()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	connection := dial(t, server.(interface{ GetBindAddr() string }).GetBindAddr, &tls.Config{RootCAs: roots, ServerName: name, NextProtos: []string{"h2", "http/1.1"}})
	if state := connection.ConnectionState(); state.Version != tls.VersionTLS13 || state.NegotiatedProtocol != "http/1.1" {
		t.Errorf("it speaks %s and %q", tls.VersionName(state.Version), state.NegotiatedProtocol)
	}
	_ = connection.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// dial connects to a server that is about to listen.
func dial(t *testing.T, address func() string, config *tls.Config) *tls.Conn {
	t.Helper()
	dialer := &tls.Dialer{Config: config}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if to := address(); to != "" {
			connection, err := dialer.DialContext(t.Context(), "tcp", to)
			if err != nil {
				t.Fatal(err)
			}
			return connection.(*tls.Conn)
		}
		if time.Now().After(deadline) {
			t.Fatal("the server does not listen")
		}
	}
}
