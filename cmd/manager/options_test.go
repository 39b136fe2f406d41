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
	"slices"
	"strings"
	"testing"
)

func TestProfilesAreServedOnLoopbackOnly(t *testing.T) {
	for address, good := range map[string]bool{
		"0": true, "": true, "127.0.0.1:6060": true, "[::1]:6060": true, "localhost:6060": true,
		":6060": false, "0.0.0.0:6060": false, "[::]:6060": false, "10.0.0.7:6060": false, "example.org:6060": false, "6060": false,
	} {
		_, err := parseOptions([]string{"--pprof-bind-address=" + address})
		if good != (err == nil) {
			t.Errorf("%q: %v", address, err)
		}
		if err != nil && !strings.Contains(err.Error(), "--pprof-bind-address") {
			t.Errorf("%q: the message does not name the flag: %v", address, err)
		}
	}
}

func TestWatchNamespaces(t *testing.T) {
	for text, want := range map[string][]string{"": nil, "a": {"a"}, "a,b-1": {"a", "b-1"}} {
		o, err := parseOptions([]string{"--watch-namespaces=" + text})
		if err != nil || !slices.Equal(o.watchNamespaces, want) {
			t.Errorf("%q: %v, %v", text, o, err)
		}
	}
	for text, message := range map[string]string{"A": "is no name of a namespace", "a,,b": "is no name of a namespace", "a,b,a": "a is named twice", "a, b": "is no name"} {
		if _, err := parseNamespaces(text); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
