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
	"fmt"
	"strings"
	"time"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// meterSentences tell what the meters of the job's pods counted, what was declared instead, and of how
// many pods nothing was heard.
func meterSentences(caj *carbonv1alpha1.CarbonAwareJob, _ time.Time) string {
	m := caj.Status.Meter
	if m == nil || m.PodsRead+m.PodsLost == 0 {
		return ""
	}
	var sentences []string
	say := func(format string, args ...any) { sentences = append(sentences, fmt.Sprintf(format, args...)) }
	refused := ""
	if m.RefusedCalls > 0 {
		refused = fmt.Sprintf(", %d of them refused", m.RefusedCalls)
	}
	say("Its meter counted %s with %d input and %d output tokens%s.", calls(m.Calls), m.InputTokens, m.OutputTokens, refused)
	if caj.Status.Model != nil {
		for i := range caj.Status.Model.Usage {
			sentences = append(sentences, usageSentence(&caj.Status.Model.Usage[i]))
		}
	}
	if e := caj.Status.Emissions; e != nil && e.DeclaredKWh != "" {
		what := string(e.DeclaredKWh) + " kWh"
		if llm := caj.Spec.LLM; llm != nil && llm.Workload != nil {
			what = fmt.Sprintf("%s with %d output tokens, or %s", calls(llm.Workload.Calls), llm.Workload.Calls*llm.Workload.OutputTokensPerCall, what)
		}
		say("Declared were %s.", what)
	}
	if m.PodsLost > 0 {
		say("The numbers of %d of %d pods were lost (%s).", m.PodsLost, m.PodsLost+m.PodsRead, m.LostBecause)
	}
	return strings.Join(sentences, " ")
}

func usageSentence(u *carbonv1alpha1.ModelUsage) string {
	var text strings.Builder
	asked := u.Requested
	if asked == "" {
		asked = "no model by name"
	}
	fmt.Fprintf(&text, "%s asked for %s", calls(u.Calls+u.FailedCalls), asked)
	if u.Effective != u.Requested && u.Calls > 0 && u.Effective != "" {
		fmt.Fprintf(&text, " and got %s", u.Effective)
	}
	if u.EnergyKWh != "" {
		fmt.Fprintf(&text, ", with %s kWh", u.EnergyKWh)
	}
	if u.RequestedKWh != "" && u.RequestedKWh != u.EnergyKWh {
		fmt.Fprintf(&text, " instead of %s", u.RequestedKWh)
	}
	if u.FailedCalls > 0 {
		fmt.Fprintf(&text, "; %d were not answered", u.FailedCalls)
	}
	if u.UnknownEnergyCalls > 0 {
		fmt.Fprintf(&text, "; the energy of %d is unknown", u.UnknownEnergyCalls)
	}
	return text.String() + "."
}

func calls(n int64) string {
	if n == 1 {
		return "1 call"
	}
	return fmt.Sprintf("%d calls", n)
}
