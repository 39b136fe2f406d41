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

// Package specs is what the Ginkgo suites have in common.
package specs

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
)

// most is how many bytes of a message are repeated.
const most = 2000

// RepeatFailures prints once more, as the last thing before a suite's summary, what each failed spec said:
// the summary has places only, and the messages stand thousands of lines above it, where the log of a CI
// run may be cut. A suite calls it before it runs its specs.
func RepeatFailures() {
	ginkgo.ReportAfterSuite("what failed specs said", func(report types.Report) { repeat(os.Stdout, report) })
}

func repeat(w io.Writer, report types.Report) {
	for _, spec := range report.SpecReports.WithState(types.SpecStateFailureStates) {
		fmt.Fprintf(w, "\n%s\n", spec.FullText())
		failures := []types.Failure{spec.Failure}
		for _, more := range spec.AdditionalFailures {
			failures = append(failures, more.Failure)
		}
		for _, failure := range failures {
			fmt.Fprintf(w, "  %s: %s\n", failure.Location, shortened(failure.Message+failure.ForwardedPanic))
		}
	}
}

func shortened(message string) string {
	message = strings.ReplaceAll(message, "\n", "\n    ")
	if len(message) > most {
		return message[:most] + " ..."
	}
	return message
}
