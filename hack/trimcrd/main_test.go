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
`
	const want = `---
properties:
  spec:
    description: ours
    properties:
      jobTemplate:
        description: ours too
        properties:
          command:
            items:
              type: string
            type: array
          description:
            type: string
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
