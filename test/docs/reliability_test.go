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

package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// scenario is a row of the table of docs/reliability.md: scenario, file, name, promises.
var scenario = regexp.MustCompile("(?m)^\\| (F\\d+|The random walk)\\b[^|]*\\| `([^`]+)` \\| ([^|]+?) \\| ([1-8 ]+?) \\|$")

func TestEveryScenarioHasItsTest(t *testing.T) {
	seen, promised := map[string]bool{}, map[string]bool{}
	for _, row := range scenario.FindAllStringSubmatch(read(t, filepath.Join(root, "docs/reliability.md")), -1) {
		seen[row[1]] = true
		for promise := range strings.FieldsSeq(row[4]) {
			promised[promise] = true
		}
		code, err := os.ReadFile(filepath.Join(root, row[2]))
		if err != nil {
			t.Errorf("%s: %v", row[1], err)
			continue
		}
		if !strings.Contains(string(code), row[3]) {
			t.Errorf("%s: %s has no spec or test %q", row[1], row[2], row[3])
		}
	}
	for i := 1; i <= 15; i++ {
		if name := fmt.Sprintf("F%d", i); !seen[name] {
			t.Errorf("scenario %s is not in the table", name)
		}
	}
	for i := 1; i <= 8; i++ {
		if name := fmt.Sprint(i); !promised[name] {
			t.Errorf("no scenario stands for promise %s", name)
		}
	}
}
