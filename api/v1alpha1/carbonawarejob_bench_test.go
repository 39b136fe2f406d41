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

import (
	"strings"
	"testing"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/crdvalidate"
)

// BenchmarkStatusUpdate is what the rules of the kind cost the API server at each write of a status: most of a
// plan's cost, where rules are many and look deep.
func BenchmarkStatusUpdate(b *testing.B) {
	v, err := crdvalidate.Load(b.Context(), carbonAwareJobCRD)
	if err != nil {
		b.Fatal(err)
	}
	status := func(message string) string {
		return strings.ReplaceAll(`status: {job: {name: summarize, uid: u1}, observedGeneration: 1, plan: {region: gb, message: WORDS, reason: GreenestWindow,
			start: "2026-01-01T05:00:00Z", latestStart: "2026-01-01T08:00:00Z", decidedAt: "2026-01-01T00:00:00Z"}, conditions: [
			{type: Planned, status: "True", reason: GreenestWindow, message: WORDS, lastTransitionTime: "2026-01-01T00:00:00Z"},
			{type: EnergyKnown, status: "True", reason: Declared, message: 1 kWh, lastTransitionTime: "2026-01-01T00:00:00Z"},
			{type: Ready, status: "False", reason: Waiting, message: WORDS, lastTransitionTime: "2026-01-01T00:00:00Z"}]}`, "WORDS", message)
	}
	old, updated := changed(b, minimalJob, status("earlier")), changed(b, minimalJob, status("later"))
	b.ReportAllocs()
	for b.Loop() {
		if errs := v.UpdateStatus(b.Context(), updated, old); len(errs) > 0 {
			b.Fatal(errs.ToAggregate())
		}
	}
}
