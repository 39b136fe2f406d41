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
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// buildImages makes the images of real nodes, each of one static program, as archives to import.
func (c *cluster) buildImages(ctx context.Context) ([]string, error) {
	programs := map[string]string{} // image: file
	for image, pkg := range map[string]string{pauseImage: "pause", "ecotracker.dev/print-env:dev": "printenv"} {
		file := filepath.Join(c.data, pkg)
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", file, "./images/"+pkg) //nolint:gosec // our own constants
		cmd.Dir = filepath.Dir(c.options.sourceDir())
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
		if output, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("compiling the image %s: %w: %s", image, err, tail(string(output), 5))
		}
		programs[image] = file
	}
	for _, spec := range c.options.images {
		name, file, ok := strings.Cut(spec, "=")
		if !ok {
			return nil, fmt.Errorf("--image=%s: it must be NAME=FILE", spec)
		}
		programs[name] = file
	}
	var archives []string
	for image, file := range programs {
		program, err := os.ReadFile(file) //nolint:gosec // ours, or the caller's
		if err != nil {
			return nil, fmt.Errorf("reading the program of image %s: %w", image, err)
		}
		archive, err := imageArchive(image, program)
		if err != nil {
			return nil, err
		}
		name := filepath.Join(c.data, fmt.Sprintf("image-%d.tar", len(archives)))
		if err := os.WriteFile(name, archive, 0o600); err != nil {
			return nil, fmt.Errorf("writing %s: %w", name, err)
		}
		archives = append(archives, name)
	}
	return archives, nil
}

type tarFile struct {
	name string
	mode int64
	data []byte
}

// imageArchive is an image with one program, /app, in the format of docker save.
func imageArchive(image string, program []byte) ([]byte, error) {
	layer, err := tarOf(tarFile{"app", 0o755, program})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(layer)
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{"/app"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(sum[:])}},
	})
	if err != nil {
		return nil, fmt.Errorf("encoding the configuration of image %s: %w", image, err)
	}
	manifest, err := json.Marshal([]map[string]any{{"Config": "config.json", "RepoTags": []string{image}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return nil, fmt.Errorf("encoding the manifest of image %s: %w", image, err)
	}
	return tarOf(tarFile{"manifest.json", 0o644, manifest}, tarFile{"config.json", 0o644, config}, tarFile{"layer.tar", 0o644, layer})
}

func tarOf(files ...tarFile) ([]byte, error) {
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	for _, f := range files {
		if err := archive.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.data))}); err != nil {
			return nil, fmt.Errorf("writing %s into an archive: %w", f.name, err)
		}
		if _, err := archive.Write(f.data); err != nil {
			return nil, fmt.Errorf("writing %s into an archive: %w", f.name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("closing an archive: %w", err)
	}
	return out.Bytes(), nil
}
