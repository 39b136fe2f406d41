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
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// The whole paragraph of a metered job, as explain prints it.
func TestExplainTellsWhatAMeterCounted(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*carbonv1alpha1.CarbonAwareJob)
		want   string
	}{
		"downgraded, and declared otherwise": {
			func(caj *carbonv1alpha1.CarbonAwareJob) {
				caj.Spec.LLM.Workload = &carbonv1alpha1.WorkloadSpec{Calls: 64, OutputTokensPerCall: 400}
				caj.Status.Meter = &carbonv1alpha1.MeterStatus{Calls: 52, InputTokens: 6000, OutputTokens: 20000, RefusedCalls: 1, PodsRead: 1}
				caj.Status.Model.Usage = []carbonv1alpha1.ModelUsage{{
					Provider: "openai", Requested: "gpt-4.1", Effective: "gpt-4.1-mini-2025-04-14", Downgraded: true,
					Calls: 50, FailedCalls: 1, OutputTokens: 20000, EnergyKWh: "0.0065", RequestedKWh: "0.0323",
				}}
				caj.Status.Emissions.DeclaredKWh = "0.0083"
			},
			"Its meter counted 52 calls with 6000 input and 20000 output tokens, 1 of them refused. " +
				"51 calls asked for gpt-4.1 and got gpt-4.1-mini-2025-04-14, with 0.0065 kWh instead of 0.0323; 1 were not answered. " +
				"Declared were 64 calls with 25600 output tokens, or 0.0083 kWh.",
		},
		"a pod lost, models unknown": {
			func(caj *carbonv1alpha1.CarbonAwareJob) {
				caj.Status.Meter = &carbonv1alpha1.MeterStatus{Calls: 3, InputTokens: 9, OutputTokens: 7, PodsRead: 2, PodsLost: 1, LostBecause: "EvictionByEvictionAPI"}
				caj.Status.Model.Usage = []carbonv1alpha1.ModelUsage{
					{Provider: "openai", Requested: "my-own", Effective: "my-own", Calls: 2, UnknownEnergyCalls: 2},
					{Provider: "openai", Calls: 1, UnknownEnergyCalls: 1},
				}
			},
			"Its meter counted 3 calls with 9 input and 7 output tokens. 2 calls asked for my-own; the energy of 2 is unknown. " +
				"1 call asked for no model by name; the energy of 1 is unknown. The numbers of 1 of 3 pods were lost (EvictionByEvictionAPI).",
		},
		"no call at all": {
			func(caj *carbonv1alpha1.CarbonAwareJob) {
				caj.Status.Meter = &carbonv1alpha1.MeterStatus{PodsRead: 1}
				caj.Status.Emissions.DeclaredKWh = ""
			},
			"Its meter counted 0 calls with 0 input and 0 output tokens.",
		},
	} {
		job := nightlyEval()
		c.change(job)
		out, err := run(t, 0, []client.Object{job}, "explain", job.Name, "-n", job.Namespace)
		if err != nil || !strings.Contains(strings.ReplaceAll(out, "\n", " "), c.want+" ") {
			t.Errorf("%s: %v, it does not say %q:\n%s", name, err, c.want, out)
		}
	}
	out, err := run(t, 0, []client.Object{nightlyEval()}, "explain", "nightly-eval", "-n", "nlp")
	if err != nil || strings.Contains(out, "meter") {
		t.Errorf("%v: of a job without a meter it says:\n%s", err, out)
	}
}
