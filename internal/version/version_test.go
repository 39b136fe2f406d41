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

package version

import (
	"strings"
	"testing"
)

func TestString(t *testing.T) {
	if got := String(); !strings.HasPrefix(got, "(devel) (go") {
		t.Errorf("a binary without a stamp says %q", got)
	}
	stamped = "v9.8.7"
	t.Cleanup(func() { stamped = "" })
	if got := String(); !strings.HasPrefix(got, "v9.8.7 (go") {
		t.Errorf("a binary with a stamp says %q", got)
	}
}
