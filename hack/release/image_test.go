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
	"crypto/x509"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// The layout has one image for each architecture, with the binary, the certificates and no root.
func TestTheImageHasWhatItNeeds(t *testing.T) {
	out, digest := layoutOf(t, "one")
	path, err := layout.FromPath(out)
	if err != nil {
		t.Fatal(err)
	}
	top, err := path.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	index, err := top.ImageIndex(digest)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 2 {
		t.Fatalf("got %d images, want one for amd64 and one for arm64", len(manifest.Manifests))
	}
	for i, architecture := range []string{"amd64", "arm64"} {
		if got := manifest.Manifests[i].Platform.String(); got != "linux/"+architecture {
			t.Errorf("image %d is for %s", i, got)
		}
		image, err := index.Image(manifest.Manifests[i].Digest)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.Config.User != "65532:65532" || config.Config.Entrypoint[0] != "/tool" || config.Architecture != architecture {
			t.Errorf("got %+v", config)
		}
		files := filesOf(t, image)
		if string(files["tool"]) != "binary for "+architecture {
			t.Errorf("/tool is %q", files["tool"])
		}
		if pool := x509.NewCertPool(); !pool.AppendCertsFromPEM(files["etc/ssl/certs/ca-certificates.crt"]) || len(files) != 2 {
			t.Errorf("no certificates, or more than them, in %d files", len(files))
		}
	}
}

func TestTheSameInputGivesTheSameDigest(t *testing.T) {
	_, one := layoutOf(t, "one")
	_, two := layoutOf(t, "two")
	if one != two {
		t.Errorf("got %s, then %s", one, two)
	}
}

func layoutOf(t *testing.T, name string) (string, v1.Hash) {
	t.Helper()
	dir := t.TempDir()
	binaries := map[string]string{}
	args := []string{}
	for _, architecture := range []string{"arm64", "amd64"} {
		file := filepath.Join(dir, architecture)
		if err := os.WriteFile(file, []byte("binary for "+architecture), 0o600); err != nil {
			t.Fatal(err)
		}
		binaries[architecture] = file
		args = append(args, architecture+"="+file)
	}
	o := options{name: "tool", version: "v1", time: time.Unix(1_764_000_000, 0).UTC()}
	out := filepath.Join(dir, name)
	if err := write(o, out, args); err != nil {
		t.Fatal(err)
	}
	index, err := build(o, binaries)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return out, digest
}

func filesOf(t *testing.T, image v1.Image) map[string][]byte {
	t.Helper()
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, layer := range layers {
		packed, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		archive := tar.NewReader(packed)
		for {
			header, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if files[header.Name], err = io.ReadAll(archive); err != nil {
				t.Fatal(err)
			}
		}
	}
	return files
}
