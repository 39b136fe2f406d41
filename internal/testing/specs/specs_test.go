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

package specs

import (
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"
)

func TestEveryFailureIsRepeated(t *testing.T) {
	failure := func(line int, message string) types.Failure {
		return types.Failure{Message: message, Location: types.CodeLocation{FileName: "walk_test.go", LineNumber: line}}
	}
	text := said(types.Report{SpecReports: types.SpecReports{
		{State: types.SpecStatePassed, LeafNodeText: "passes"},
		{
			State: types.SpecStateFailed, ContainerHierarchyTexts: []string{"A walk"}, LeafNodeText: "ends",
			Failure:            failure(74, "not empty:\nw1 waits"),
			AdditionalFailures: []types.AdditionalFailure{{State: types.SpecStateFailed, Failure: failure(9, strings.Repeat("x", 3000))}},
		},
	}})
	want := "\nA walk ends\n  walk_test.go:74: not empty:\n    w1 waits\n  walk_test.go:9: " + strings.Repeat("x", most) + " ...\n"
	if text != want {
		t.Errorf("got:\n%s\nwant:\n%s", text, want)
	}
}
