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
	"strings"
	"testing"
)

func TestTrimCRD(t *testing.T) {
	const in = `
properties:
  spec:
    description: ours
    properties:
      jobTemplate:
        description: ours too
        properties:
          command:
            description: theirs
            type: array
            items:
              description: theirs
              type: string
          description:
            type: string
            description: theirs
          env:
            type: array
            x-kubernetes-list-map-keys: [name]
            x-kubernetes-list-type: map
            items: {type: object, properties: {name: {type: string}}}
          port:
            anyOf: [{type: integer}, {type: string}]
            x-kubernetes-int-or-string: true
          cpu:
            anyOf: [{type: integer}, {type: string}]
            pattern: lax
            x-kubernetes-int-or-string: true
      env:
        x-kubernetes-list-type: map
`
	const want = `---
properties:
  spec:
    description: ours
    properties:
      env:
        x-kubernetes-list-type: map
      jobTemplate:
        description: ours too
        properties:
          command:
            items:
              type: string
            type: array
          cpu:
            anyOf:
            - type: integer
            - type: string
            pattern: ^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,3})?$
            x-kubernetes-int-or-string: true
          description:
            type: string
          env:
            items:
              properties:
                name:
                  type: string
              type: object
            type: array
            x-kubernetes-list-type: atomic
          port:
            anyOf:
            - type: integer
            - type: string
            maximum: 2147483647
            minimum: -2147483648
            x-kubernetes-int-or-string: true
`
	got, err := trimCRD([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTrimCRDRefusesWhatCannotBeApplied(t *testing.T) {
	_, err := trimCRD([]byte("description: " + strings.Repeat("x", maxBytes)))
	if err == nil || !strings.Contains(err.Error(), "must be less than 262144") {
		t.Errorf("got %v", err)
	}
}
