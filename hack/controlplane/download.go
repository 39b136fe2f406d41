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
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// reachTimeout is how long a machine without a network waits before it compiles.
const reachTimeout = 3 * time.Second

// release is where a binary is published; url is nil for those that are only compiled.
type release struct {
	// url of the file for an operating system and architecture.
	url func(goos, arch string) string
	// sums is the address of the checksums: one bare sum, or lines of sum and file name.
	sums func(url string) string
	// entry is the binary's path in an archive; empty when the file is the binary itself.
	entry func(goos, arch string) string
}

func kubernetesRelease(name string) release {
	return release{
		url: func(goos, arch string) string {
			return fmt.Sprintf("https://dl.k8s.io/release/%s/bin/%s/%s/%s", kubernetesVersion, goos, arch, name)
		},
		sums: func(url string) string { return url + ".sha256" },
	}
}

var etcdRelease = release{
	url: func(goos, arch string) string {
		return fmt.Sprintf("https://github.com/etcd-io/etcd/releases/download/%s/etcd-%s-%s-%s.tar.gz", etcdVersion, etcdVersion, goos, arch)
	},
	sums:  func(url string) string { return url[:strings.LastIndex(url, "/")] + "/SHA256SUMS" },
	entry: func(goos, arch string) string { return fmt.Sprintf("etcd-%s-%s-%s/etcd", etcdVersion, goos, arch) },
}

// kwok publishes no checksums beside its binaries, so it is always compiled from its pinned module.
var kwokRelease = release{}

// reachable says within seconds whether the release server answers.
func reachable(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	_, err := fetch(ctx, kubernetesRelease("kubectl").sums(kubernetesRelease("kubectl").url(runtime.GOOS, runtime.GOARCH)))
	return err == nil
}

// download fetches the binary and checks its checksum before it is put in its place.
func (b binary) download(ctx context.Context, dir string) error {
	url := b.release.url(runtime.GOOS, runtime.GOARCH)
	sums, err := fetch(ctx, b.release.sums(url))
	if err != nil {
		return err
	}
	data, err := fetch(ctx, url)
	if err != nil {
		return err
	}
	if err := checkSum(data, string(sums), path.Base(url)); err != nil {
		return err
	}
	if b.release.entry != nil {
		if data, err = unpack(data, b.release.entry(runtime.GOOS, runtime.GOARCH)); err != nil {
			return err
		}
	}
	return writeProgram(filepath.Join(dir, b.name), data)
}

func fetch(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", url, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", url, err)
	}
	defer func() { _ = response.Body.Close() }() // it was read to its end
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetching %s: %s", url, response.Status)
	}
	return io.ReadAll(response.Body)
}

// checkSum compares with the published checksum: a bare one, or that of the named file in a list.
func checkSum(data []byte, sums, file string) error {
	sum := sha256.Sum256(data)
	got := hex.EncodeToString(sum[:])
	for line := range strings.Lines(sums) {
		fields := strings.Fields(line)
		if len(fields) == 0 || len(fields) > 1 && strings.TrimPrefix(fields[1], "*") != file {
			continue
		}
		if fields[0] == got {
			return nil
		}
		return fmt.Errorf("the checksum of %s is %s, published is %s", file, got, fields[0])
	}
	return fmt.Errorf("no checksum is published for %s", file)
}

func unpack(archive []byte, entry string) ([]byte, error) {
	zipped, err := gzip.NewReader(strings.NewReader(string(archive)))
	if err != nil {
		return nil, fmt.Errorf("reading the archive: %w", err)
	}
	for files := tar.NewReader(zipped); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("the archive has no %s", entry)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the archive: %w", err)
		}
		if header.Name == entry {
			return io.ReadAll(files)
		}
	}
}

func writeProgram(name string, data []byte) error {
	temporary := name + ".tmp"
	if err := os.WriteFile(temporary, data, 0o755); err != nil { //nolint:gosec // a program is for everybody
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return os.Rename(temporary, name)
}

// copyAssets takes what an envtest installation of the same version offers.
func copyAssets(ctx context.Context, assets, dir string, want []binary) {
	if assets == "" || assets == dir {
		return
	}
	kubectl := exec.CommandContext(ctx, filepath.Join(assets, "kubectl"), "version", "--client") //nolint:gosec // the user names the folder
	if output, err := kubectl.Output(); err != nil || !strings.Contains(string(output), kubernetesVersion) {
		return
	}
	for _, b := range want {
		if b.module != "kubernetes" {
			continue // its version cannot be told from kubectl's
		}
		if data, err := os.ReadFile(filepath.Join(assets, b.name)); err == nil { //nolint:gosec // as above
			_ = writeProgram(filepath.Join(dir, b.name), data) // else it is compiled
		}
	}
}
