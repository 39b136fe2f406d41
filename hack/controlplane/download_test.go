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
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// served is a release on a server of the test: a file and its checksums.
func served(t *testing.T, file, sums []byte, entry string) binary {
	t.Helper()
	mux := http.NewServeMux()
	give := func(body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) } // the client sees what is missing
	}
	mux.Handle("/tool", give(file))
	mux.Handle("/sums", give(sums))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	b := binary{name: "tool", release: release{
		url:  func(_, _ string) string { return server.URL + "/tool" },
		sums: func(string) string { return server.URL + "/sums" },
	}}
	if entry != "" {
		b.release.entry = func(_, _ string) string { return entry }
	}
	return b
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func archive(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	files := tar.NewWriter(zipped)
	for _, file := range []string{"README", name} {
		if err := files.WriteHeader(&tar.Header{Name: file, Mode: 0o755, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := files.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestDownload(t *testing.T) {
	program := []byte("#!/bin/sh\n")
	packed := archive(t, "tool-v1/tool", program)
	tests := []struct {
		name  string
		b     binary
		wrong string
	}{
		{"a bare checksum", served(t, program, []byte(sumOf(program)), ""), ""},
		{"a list of checksums", served(t, program, []byte("00 other\n"+sumOf(program)+"  tool\n"), ""), ""},
		{"from an archive", served(t, packed, []byte(sumOf(packed)), "tool-v1/tool"), ""},
		{"a wrong checksum", served(t, program, []byte(sumOf(packed)+"  tool\n"), ""), "the checksum of tool is"},
		{"no checksum", served(t, program, []byte(sumOf(program)+"  other\n"), ""), "no checksum is published"},
		{"not in the archive", served(t, packed, []byte(sumOf(packed)), "tool-v2/tool"), "has no tool-v2/tool"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			err := tt.b.download(t.Context(), dir)
			got, readErr := os.ReadFile(filepath.Join(dir, "tool"))
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) || readErr == nil {
					t.Errorf("got %v and a file %q, want an error with %q and none", err, got, tt.wrong)
				}
				return
			}
			if err != nil || !bytes.Equal(got, program) {
				t.Fatalf("got %q, %v", got, err)
			}
			info, err := os.Stat(filepath.Join(dir, "tool"))
			if err != nil || info.Mode().Perm()&0o100 == 0 {
				t.Errorf("it cannot be run: %v %v", info, err)
			}
		})
	}
}

func TestOfficialReleases(t *testing.T) {
	tests := map[string]string{
		kubernetesRelease("kubectl").url("linux", "arm64"):  "https://dl.k8s.io/release/" + kubernetesVersion + "/bin/linux/arm64/kubectl",
		etcdRelease.sums(etcdRelease.url("linux", "amd64")): "https://github.com/etcd-io/etcd/releases/download/" + etcdVersion + "/SHA256SUMS",
	}
	for got, want := range tests {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
