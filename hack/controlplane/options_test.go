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
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestParseOptions(t *testing.T) {
	o, command, err := parseOptions("run", []string{
		"--bin-dir=x", "--nodes=none", "--region=a", "--region=b", "--apiserver-arg=v=2", "--", "kubectl", "get", "--raw=/readyz",
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"kubectl", "get", "--raw=/readyz"}; !reflect.DeepEqual(command, want) {
		t.Errorf("the command is %q, want %q", command, want)
	}
	if !reflect.DeepEqual(o.regions, list{"a", "b"}) || o.nodes != "none" || !filepath.IsAbs(o.binDir) {
		t.Errorf("got %+v", o)
	}
	if got := flagsOf(list{"v=2", "--v=3"}); !reflect.DeepEqual(got, []string{"--v=2", "--v=3"}) {
		t.Errorf("flags for a component: %q", got)
	}
}

func TestParseOptionsFindsTheRepository(t *testing.T) {
	t.Setenv("CONTROLPLANE_BIN_DIR", "") // whoever runs the tests may have one
	o, _, err := parseOptions("up", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(o.binDir, filepath.Join("bin", "controlplane")) || !strings.HasSuffix(o.sourceDir(), filepath.Join("hack", "controlplane", "build")) {
		t.Errorf("bin-dir %s, sources %s", o.binDir, o.sourceDir())
	}
	if !reflect.DeepEqual(o.regions, list{"uksouth", "germanywestcentral"}) || o.nodes != "kwok" {
		t.Errorf("the defaults are %+v", o)
	}
	t.Chdir(t.TempDir())
	if _, _, err := parseOptions("up", nil); err == nil || !strings.Contains(err.Error(), "--bin-dir") {
		t.Errorf("outside the repository: %v", err)
	}
}

func TestBadCommandLines(t *testing.T) {
	tests := map[string][]string{
		"must be kwok, real or none": {"up", "--nodes=many"},
		"needs a command after --":   {"run"},
		"unknown command":            {"fly"},
		"reading the flags":          {"up", "--no-such-flag"},
	}
	for want, args := range tests {
		if err := dispatch(t.Context(), args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", args, err, want)
		}
	}
}
