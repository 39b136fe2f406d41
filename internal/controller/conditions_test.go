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

package controller

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTruncate(t *testing.T) {
	for name, c := range map[string]struct{ message, want string }{
		"short":                    {"short", "short"},
		"as long as it may be":     {strings.Repeat("x", maxMessage), strings.Repeat("x", maxMessage)},
		"longer":                   {strings.Repeat("x", maxMessage+1), strings.Repeat("x", maxMessage-3) + "…"},
		"in between two bytes":     {"x" + strings.Repeat("ü", maxMessage), "x" + strings.Repeat("ü", (maxMessage-4)/2) + "…"},
		"an answer of 64 MB":       {strings.Repeat("y", 64<<20), strings.Repeat("y", maxMessage-3) + "…"},
		"64 MB of no UTF-8 at all": {strings.Repeat("\xff", 64<<20), "…"},
	} {
		got := truncate(c.message)
		if got != c.want || len(got) > maxMessage || !utf8.ValidString(got) {
			t.Errorf("%s: got %d bytes, %.40q", name, len(got), got)
		}
	}
}
