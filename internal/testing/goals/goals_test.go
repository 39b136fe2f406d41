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
package goals

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryGoalCanBeMissed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "test", "perf", "thresholds.json"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	for kind, goals := range all {
		onTheBound, beyond, judged := Results{"jobs": 10000, "storm": 10000}, Results{"jobs": 10000, "storm": 10000}, 0
		for name, goal := range goals {
			if goal.AtLeast != nil {
				onTheBound[name], beyond[name] = *goal.AtLeast, *goal.AtLeast-0.001
			} else {
				onTheBound[name], beyond[name] = *goal.AtMost, *goal.AtMost+0.001
			}
			if goal.Holds(beyond, true) {
				judged++
			}
		}
		if lines := Missed(goals, onTheBound, true); len(lines) != 0 {
			t.Errorf("%s: on the bound is within: %v", kind, lines)
		}
		if lines := Missed(goals, beyond, true); len(lines) != judged || judged < len(goals)-2 {
			t.Errorf("%s: of %d goals, %d judged, only these are missed: %v", kind, len(goals), judged, lines)
		}
	}
}

func TestGoalsThatDoNotHold(t *testing.T) {
	limit, size := 1.0, 10.0
	for name, goal := range map[string]Goal{
		"on a busy machine":        {AtMost: &limit, Quiet: true, Why: "w"},
		"at another number":        {AtMost: &limit, Jobs: &size, Why: "w"},
		"in a storm of other size": {AtMost: &limit, Storm: &size, Why: "w"},
	} {
		if lines := Missed(map[string]Goal{"x": goal}, Results{"x": 2, "jobs": 5, "storm": 5}, false); len(lines) != 0 {
			t.Errorf("%s: %v", name, lines)
		}
		if lines := Missed(map[string]Goal{"x": goal}, Results{"jobs": 10, "storm": 10}, true); len(lines) != 1 || !strings.Contains(lines[0], "not measured") {
			t.Errorf("%s: what was not measured cannot be met: %v", name, lines)
		}
	}
}

func TestAGoalHasOneBoundAndAReason(t *testing.T) {
	for _, text := range []string{`{"k":{"x":{"why":"w"}}}`, `{"k":{"x":{"atMost":1,"atLeast":0,"why":"w"}}}`, `{"k":{"x":{"atMost":1}}}`, `[]`} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}
