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
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/crdvalidate"
)

// BenchmarkStatusUpdate is what the rules of the kind cost the API server at each write of a status: most of a
// plan's cost, where rules are many and look deep.
func BenchmarkStatusUpdate(b *testing.B) {
	v, err := crdvalidate.Load(b.Context(), carbonAwareJobCRD)
	if err != nil {
		b.Fatal(err)
	}
	const (
		planned = `{type: Planned, status: "True", reason: GreenestWindow, message: waits for the greenest window, lastTransitionTime: "2026-01-01T00:00:00Z"}`
		energy  = `{type: EnergyKnown, status: "True", reason: Declared, message: 1 kWh, lastTransitionTime: "2026-01-01T00:00:00Z"}`
		waiting = `{type: Ready, status: "False", reason: Waiting, message: waits for the greenest window, lastTransitionTime: "2026-01-01T00:00:00Z"}`
		started = `{type: Started, status: "True", reason: StartIssued, message: started Job summarize, lastTransitionTime: "2026-01-01T05:00:00Z"}`
		running = `{type: Ready, status: "False", reason: Running, message: the Job runs, lastTransitionTime: "2026-01-01T05:00:00Z"}`
		ended   = `{type: Complete, status: "True", reason: Completed, message: the Job completed, lastTransitionTime: "2026-01-01T06:00:00Z"}`
		ready   = `{type: Ready, status: "True", reason: Completed, message: the Job completed, lastTransitionTime: "2026-01-01T06:00:00Z"}`
	)
	job := func(decided string, conditions ...string) *unstructured.Unstructured {
		return changed(b, minimalJob, fmt.Sprintf(`status: {job: {name: summarize, uid: u1}, observedGeneration: 1, plan: {region: gb, reason: GreenestWindow,
			message: waits for the greenest window, start: "2026-01-01T05:00:00Z", latestStart: "2026-01-01T08:00:00Z", decidedAt: %q},
			conditions: [%s]}`, decided, strings.Join(conditions, ", ")))
	}
	const decided = "2026-01-01T00:00:00Z"
	for _, write := range []struct {
		name         string
		old, updated *unstructured.Unstructured
	}{
		{"PlanMoves", job(decided, planned, energy, waiting), job("2026-01-01T01:00:00Z", planned, energy, waiting)},
		{"RunStarts", job(decided, planned, energy, waiting), job(decided, planned, energy, started, running)},
		{"RunEnds", job(decided, planned, energy, started, running), job(decided, planned, energy, started, ended, ready)},
	} {
		b.Run(write.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if errs := v.UpdateStatus(b.Context(), write.updated.DeepCopy(), write.old); len(errs) > 0 {
					b.Fatal(errs.ToAggregate())
				}
			}
		})
	}
}
