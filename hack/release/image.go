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
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nobody is the user and group that the image runs as, like those of distroless images.
const nobody = "65532:65532"

// options are what an image is made of besides its binaries.
type options struct {
	name, version string
	time          time.Time
}

// build makes the index of one image for each architecture; binaries are files by architecture.
func build(o options, binaries map[string]string) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, architecture := range slices.Sorted(maps.Keys(binaries)) {
		binary, err := os.ReadFile(binaries[architecture])
		if err != nil {
			return nil, fmt.Errorf("reading the binary for %s: %w", architecture, err)
		}
		image, err := imageOf(o, architecture, binary)
		if err != nil {
			return nil, fmt.Errorf("building the image for %s: %w", architecture, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}},
		})
	}
	return index, nil
}

func imageOf(o options, architecture string, binary []byte) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	created := v1.Time{Time: o.time}
	for _, file := range []struct {
		path string
		mode int64
		data []byte
	}{
		{"etc/ssl/certs/ca-certificates.crt", 0o644, authorities()},
		{o.name, 0o755, binary},
	} {
		layer, err := layerOf(file.path, file.mode, file.data)
		if err != nil {
			return nil, err
		}
		image, err = mutate.Append(image, mutate.Addendum{
			Layer: layer, MediaType: types.OCILayer, History: v1.History{Created: created, CreatedBy: "/" + file.path},
		})
		if err != nil {
			return nil, fmt.Errorf("adding %s: %w", file.path, err)
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", architecture, created
	config.Config = v1.Config{
		User:       nobody,
		Entrypoint: []string{"/" + o.name},
		Labels: map[string]string{
			"org.opencontainers.image.source":   "https://github.com/ecotracker-dev/ecotracker-operator",
			"org.opencontainers.image.version":  o.version,
			"org.opencontainers.image.licenses": "Apache-2.0",
		},
	}
	image, err = mutate.ConfigFile(image, config)
	if err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	return image, nil
}

// layerOf is a layer with one file, of no time and owned by root.
func layerOf(path string, mode int64, data []byte) (v1.Layer, error) {
	var packed bytes.Buffer
	archive := tar.NewWriter(&packed)
	header := &tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: mode, Size: int64(len(data)), Format: tar.FormatUSTAR, ModTime: time.Unix(0, 0)}
	if err := archive.WriteHeader(header); err != nil {
		return nil, fmt.Errorf("packing %s: %w", path, err)
	}
	if _, err := archive.Write(data); err != nil {
		return nil, fmt.Errorf("packing %s: %w", path, err)
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("packing %s: %w", path, err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(packed.Bytes())), nil
	})
	if err != nil {
		return nil, fmt.Errorf("packing %s: %w", path, err)
	}
	return layer, nil
}

// authorities are the certificates that Mozilla trusts, in PEM. Those it trusts only for some
// certificates are left out, because the file cannot say so.
func authorities() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // into memory
		}
	}
	return out.Bytes()
}
