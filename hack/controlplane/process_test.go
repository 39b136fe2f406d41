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
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPollTellsWhichComponentDied(t *testing.T) {
	l := newLauncher(t.TempDir())
	if _, err := l.start("brittle", "/bin/sh", nil, "-c", "echo the disk is full >&2; exit 3"); err != nil {
		t.Fatal(err)
	}
	err := l.poll(t.Context(), "it is ready", func(context.Context) error { return errors.New("not yet") })
	if err == nil || !strings.Contains(err.Error(), "brittle") || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("got %v, want the component's name and the end of its log", err)
	}
}

// Ctrl-C while a component becomes ready is no failure of it.
func TestPollEndsWithItsContext(t *testing.T) {
	l := newLauncher(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	err := l.poll(ctx, "it is ready", func(context.Context) error {
		cancel()
		return errors.New("not yet")
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Go must get the chance to end its compilers, and nothing may stay.
func TestCompileIsInterruptedNotKilled(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, "left")
	script := "#!/bin/sh\ntrap 'rm " + left + "; exit 1' INT\ntouch " + left + " $GOTMPDIR/x\nwhile :; do sleep 0.05; done\n"
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			if _, err := os.Stat(left); err == nil || ctx.Err() != nil {
				cancel()
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	err := binary{name: "x"}.compile(ctx, dir, dir)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the compiler was killed: %v", err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("only the program should be there: %v %v", files, err)
	}
}

func TestStopEndsAProcess(t *testing.T) {
	l := newLauncher(t.TempDir())
	p, err := l.start("endless", "/bin/sleep", nil, "1000")
	if err != nil {
		t.Fatal(err)
	}
	p.stop()
	select {
	case <-p.ended:
	default:
		t.Error("it still runs")
	}
	p.stop() // and once more does no harm
}

func TestLockIsHeldByOne(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	quiet := &progress{quiet: true}
	release, err := lock(t.Context(), name, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lock(ended, name, quiet); !errors.Is(err, context.Canceled) {
		t.Errorf("a second one got the lock, or another error: %v", err)
	}
	release()
	if _, err := lock(t.Context(), name, quiet); err != nil {
		t.Errorf("after its release: %v", err)
	}
}

func TestFreePortsDiffer(t *testing.T) {
	ports, err := freePorts(20)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, p := range ports {
		seen[p] = true
	}
	if len(seen) != 20 {
		t.Errorf("%v", ports)
	}
}

func TestCertificates(t *testing.T) {
	a, err := newAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	other, err := newAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	id, err := a.issue("apiserver", "kube-apiserver", []string{"group"}, []net.IP{net.IPv4(127, 0, 0, 1)}, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(id.cert, id.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	verify := func(by *authority, host string) error {
		roots := x509.NewCertPool()
		roots.AddCert(by.cert)
		_, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: host})
		return err
	}
	for _, host := range []string{"localhost", "127.0.0.1"} {
		if err := verify(a, host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if verify(a, "example.org") == nil || verify(other, "localhost") == nil {
		t.Error("it counts for another host, or for another control plane")
	}
	if cert.Subject.CommonName != "kube-apiserver" || cert.Subject.Organization[0] != "group" {
		t.Errorf("it is for %s", cert.Subject)
	}
}
