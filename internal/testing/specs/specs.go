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
	ginkgo.ReportAfterSuite("what failed specs said", func(report types.Report) {
		_, _ = fmt.Fprint(os.Stdout, said(report)) // the summary follows all the same
	})
}

// said is what the failed specs of a report said.
func said(report types.Report) string {
	var text strings.Builder
	for _, spec := range report.SpecReports.WithState(types.SpecStateFailureStates) {
		fmt.Fprintf(&text, "\n%s\n", spec.FullText())
		failures := []types.Failure{spec.Failure}
		for _, more := range spec.AdditionalFailures {
			failures = append(failures, more.Failure)
		}
		for _, failure := range failures {
			fmt.Fprintf(&text, "  %s: %s\n", failure.Location, shortened(failure.Message+failure.ForwardedPanic))
		}
	}
	return text.String()
}

func shortened(message string) string {
	message = strings.ReplaceAll(message, "\n", "\n    ")
	if len(message) > most {
		return message[:most] + " ..."
	}
	return message
}
