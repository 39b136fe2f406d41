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

// Trimcrd makes generated CRDs small enough for a plain "kubectl apply", which keeps the whole
// object in an annotation of at most 256 KiB.
//
// A CarbonAwareJob embeds a Job template, and most of its CRD is the documentation of that
// template's fields, which "kubectl explain job" shows as well. Those descriptions are removed;
// ours stay. It also mends what the generator gets wrong: see tighten, loosen and unwrap.
//
// Usage: trimcrd FILE...
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

const (
	// embedded is the field below which descriptions are removed.
	embedded = "jobTemplate"
	// maxBytes is the size that a CRD's JSON must stay below: what all annotations of an object
	// may hold together.
	maxBytes = 256 * 1024
)

func main() {
	for _, path := range os.Args[1:] {
		if err := trimFile(path); err != nil {
			fmt.Fprintf(os.Stderr, "trimcrd: %s: %v\n", path, err)
			os.Exit(1)
		}
	}
}

func trimFile(path string) error {
	raw, err := os.ReadFile(path) //nolint:gosec // G304: reads the file that it is told to trim
	if err != nil {
		return err
	}
	out, err := trimCRD(raw)
	if err != nil {
		return err
	}
	return os.WriteFile(path, out, 0o644) //nolint:gosec // G306: a manifest is for everybody
}

// trimCRD returns the CRD, mended and without the descriptions below embedded, or an error when it
// is still too large to be applied.
func trimCRD(raw []byte) ([]byte, error) {
	var crd map[string]any
	if err := yaml.Unmarshal(raw, &crd); err != nil {
		return nil, err
	}
	trim(crd)
	unwrap(crd)
	tighten(crd)
	asJSON, err := json.Marshal(crd)
	if err != nil {
		return nil, err
	}
	if len(asJSON) >= maxBytes {
		return nil, fmt.Errorf("%d bytes of JSON, must be less than %d for a plain kubectl apply", len(asJSON), maxBytes)
	}
	out, err := yaml.Marshal(crd)
	if err != nil {
		return nil, err
	}
	return append([]byte("---\n"), out...), nil
}

// trim finds the properties named embedded, removes every description below them, and loosens them.
func trim(node any) {
	switch node := node.(type) {
	case map[string]any:
		for key, child := range node {
			if key == embedded {
				dropBelow(child)
				loosen(child)
			} else {
				if key == labels {
					boundLabels(child)
				}
				trim(child)
			}
		}
	case []any:
		for _, child := range node {
			trim(child)
		}
	}
}

// dropBelow removes the descriptions of everything in a schema but its own.
func dropBelow(schema any) {
	fields, isMap := schema.(map[string]any)
	if !isMap {
		return
	}
	for _, child := range fields {
		drop(child)
	}
}

// drop removes every description in a part of a schema. A property that is itself called
// description is an object, not text, and stays.
func drop(node any) {
	switch node := node.(type) {
	case map[string]any:
		if _, isText := node["description"].(string); isText {
			delete(node, "description")
		}
		for _, child := range node {
			drop(child)
		}
	case []any:
		for _, child := range node {
			drop(child)
		}
	}
}
