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

// Command release writes one image for several architectures as an OCI layout: a static binary, the
// certificates of public authorities, and nothing else. The same input gives the same bytes, so
// anyone can build it again and compare the digest, which it prints. It needs no network, no docker
// and no base image.
//
//	release -name manager -version v0.1.0 -time 1764000000 -out images/manager amd64=bin/amd64/manager arm64=bin/arm64/manager
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

func main() {
	o := options{}
	var seconds int64
	flag.StringVar(&o.name, "name", "", "name of the binary in the image")
	flag.StringVar(&o.version, "version", "", "version for the image's label")
	flag.Int64Var(&seconds, "time", 0, "time of the image in seconds since 1970: that of the commit")
	out := flag.String("out", "", "folder for the OCI layout; it is replaced")
	flag.Parse()
	o.time = time.Unix(seconds, 0).UTC()
	if err := write(o, *out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// write makes the layout from ARCHITECTURE=BINARY arguments and prints the digest of its index.
func write(o options, out string, binaries []string) error {
	if o.name == "" || out == "" || len(binaries) == 0 {
		return errors.New("-name, -out and ARCHITECTURE=BINARY are needed: see -help")
	}
	byArchitecture := map[string]string{}
	for _, arg := range binaries {
		architecture, file, ok := strings.Cut(arg, "=")
		if !ok {
			return fmt.Errorf("%q is not ARCHITECTURE=BINARY", arg)
		}
		byArchitecture[architecture] = file
	}
	index, err := build(o, byArchitecture)
	if err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return fmt.Errorf("computing the digest: %w", err)
	}
	if err := os.RemoveAll(out); err != nil {
		return fmt.Errorf("replacing %s: %w", out, err)
	}
	path, err := layout.Write(out, empty.Index)
	if err != nil {
		return fmt.Errorf("writing %s: %w", out, err)
	}
	if err := path.AppendIndex(index); err != nil {
		return fmt.Errorf("writing %s: %w", out, err)
	}
	fmt.Println(digest)
	return nil
}
