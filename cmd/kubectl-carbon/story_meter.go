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

// meterSentences tell what the meters of the job's pods counted, and of how many pods nothing was heard.
func meterSentences(caj *carbonv1alpha1.CarbonAwareJob, _ time.Time) string {
	m := caj.Status.Meter
	if m == nil || m.PodsRead+m.PodsLost == 0 {
		return ""
	}
	var text strings.Builder
	fmt.Fprintf(&text, "Its meter counted %d calls with %d input and %d output tokens", m.Calls, m.InputTokens, m.OutputTokens)
	if m.RefusedCalls > 0 {
		fmt.Fprintf(&text, ", %d of them refused", m.RefusedCalls)
	}
	text.WriteString(".")
	if caj.Status.Model != nil {
		for i := range caj.Status.Model.Usage {
			text.WriteString(" " + usageSentence(&caj.Status.Model.Usage[i]))
		}
	}
	if m.PodsLost > 0 {
		fmt.Fprintf(&text, " The numbers of %d of %d pods were lost (%s).", m.PodsLost, m.PodsLost+m.PodsRead, m.LostBecause)
	}
	return text.String()
}

func usageSentence(u *carbonv1alpha1.ModelUsage) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d calls asked for %s", u.Calls, u.Requested)
	if u.Effective != u.Requested {
		fmt.Fprintf(&text, " and got %s", u.Effective)
	}
	if u.EnergyKWh != "" {
		fmt.Fprintf(&text, ", with %s kWh", u.EnergyKWh)
	}
	if u.RequestedKWh != "" && u.RequestedKWh != u.EnergyKWh {
		fmt.Fprintf(&text, " instead of %s", u.RequestedKWh)
	}
	return text.String() + "."
}
