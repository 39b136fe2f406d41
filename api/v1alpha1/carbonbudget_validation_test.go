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

package v1alpha1_test

import "testing"

const minimalBudget = `
apiVersion: carbon.ecotracker.dev/v1alpha1
kind: CarbonBudget
metadata: {name: all, namespace: nlp}
spec: {limitGrams: "5000"}
`

const fullBudget = `
apiVersion: carbon.ecotracker.dev/v1alpha1
kind: CarbonBudget
metadata: {name: team, namespace: nlp}
spec:
  limitGrams: "5000"
  period: Weekly
  timeZone: Europe/Amsterdam
  selector: {matchLabels: {team: nlp}}
  enforcement: Hold
  warnAtPercent: 90
`

func TestCarbonBudgetDefaults(t *testing.T) {
	got := created(t, carbonBudgetCRD, minimalBudget)
	want := changed(t, minimalBudget, "spec: {period: Monthly, enforcement: Hold, warnAtPercent: 80}")
	expectSame(t, got, want)
}

func TestCarbonBudgetKeepsWhatIsSet(t *testing.T) {
	expectSame(t, created(t, carbonBudgetCRD, fullBudget), changed(t, fullBudget, ""))
}

func TestCarbonBudgetAccepts(t *testing.T) {
	v := loadCRD(t, carbonBudgetCRD)
	for _, change := range []string{
		`spec: {limitGrams: 0}`, `spec: {limitGrams: 500m}`, `spec: {limitGrams: "1000000000"}`,
		`spec: {timeZone: UTC}`, `spec: {timeZone: America/Argentina/Buenos_Aires}`, `spec: {timeZone: Etc/GMT+5}`,
		`spec: {period: Total}`, `spec: {enforcement: Warn}`, `spec: {enforcement: Terminate}`, `spec: {selector: {matchLabels: {}}}`,
	} {
		expectAccepted(t, v.Create(t.Context(), changed(t, fullBudget, change)))
	}
}

func TestCarbonBudgetRefuses(t *testing.T) {
	const limit = `limitGrams must be a number of grams such as "5000", from 0 to 1000000000`
	rows := []invalid{
		{"no spec", "spec: null", "spec", "Required value"},
		{"no limit", "spec: {limitGrams: null}", "spec.limitGrams", "Required value"},
		{"negative limit", `spec: {limitGrams: "-1"}`, "spec.limitGrams", limit},
		{"limit in words", "spec: {limitGrams: plenty}", "spec.limitGrams", limit},
		{"limit beyond measure", "spec: {limitGrams: 2G}", "spec.limitGrams", limit},
		{"period that is none", "spec: {period: Yearly}", "spec.period", `supported values: "Daily", "Weekly", "Monthly", "Total"`},
		{"enforcement that is none", "spec: {enforcement: Beg}", "spec.enforcement", "supported values"},
		{"time zone that is none", "spec: {timeZone: Europe/Atlantis}", "spec.timeZone", "unknown time zone Europe/Atlantis"},
		{"time zone of the server", "spec: {timeZone: Local}", "spec.timeZone", "for example Europe/Amsterdam"},
		{"time zone that is an offset", `spec: {timeZone: "+02:00"}`, "spec.timeZone", "for example Europe/Amsterdam"},
		{"empty time zone", `spec: {timeZone: ""}`, "spec.timeZone", "at least 1 chars"},
		{"time zone with a way out", "spec: {timeZone: ../../etc/passwd}", "spec.timeZone", "timeZone"},
		{"warning at nothing", "spec: {warnAtPercent: 0}", "spec.warnAtPercent", "greater than or equal to 1"},
		{"warning too late", "spec: {warnAtPercent: 101}", "spec.warnAtPercent", "less than or equal to 100"},
		{"expressions", "spec: {selector: {matchExpressions: []}}", "spec.selector.matchExpressions", "unknown field"},
		{"label too long", "spec: {selector: {matchLabels: {team: a1234567890123456789012345678901234567890123456789012345678901234}}}", "spec.selector.matchLabels", "values of at most 63"},
		{"long name", "metadata: {name: a123456789012345678901234567890123456789012345678901234567890123}", "<nil>", "metadata.name must be at most 63 characters long"},
	}
	expectRefused(t, carbonBudgetCRD, fullBudget, rows)
}
