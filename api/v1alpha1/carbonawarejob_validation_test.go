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
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

const minimalJob = `
apiVersion: carbon.ecotracker.dev/v1alpha1
kind: CarbonAwareJob
metadata: {name: summarize, namespace: nlp}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - {name: main, image: "summarize:1"}
`

const fullJob = `
apiVersion: carbon.ecotracker.dev/v1alpha1
kind: CarbonAwareJob
metadata: {name: summarize, namespace: nlp}
spec:
  regions: [gb, de]
  maxDelay: 8h
  expectedDuration: 1h30m
  jitter: 0s
  minimumSaving: {percent: 5}
  llm:
    modelEnv: OPENAI_MODEL
    model: gpt-4o
    downgrade: {model: gpt-4o-mini, aboveGramsPerKWh: 300}
  energy: {kWh: "0.0005"}
  maxGrams: "5"
  suspend: false
  ttlSecondsAfterFinished: 86400
  jobTemplate:
    metadata:
      labels: {team: nlp}
      annotations: {example.com/ticket: "42"}
    spec:
      backoffLimit: 2
      template:
        metadata:
          labels: {app: summarize}
          annotations: {example.com/note: kept}
        spec:
          restartPolicy: OnFailure
          containers:
          - name: main
            image: summarize:1
            env: [{name: OPENAI_MODEL, value: gpt-4o}]
            resources: {limits: {cpu: 500m, memory: 1Gi}}
`

func TestCarbonAwareJobDefaults(t *testing.T) {
	got := created(t, carbonAwareJobCRD, minimalJob)
	want := changed(t, minimalJob, "spec: {maxDelay: 4h, expectedDuration: 30m, minimumSaving: {percent: 1}}")
	expectSame(t, got, want)
}

func TestCarbonAwareJobKeepsWhatIsSet(t *testing.T) {
	expectSame(t, created(t, carbonAwareJobCRD, fullJob), changed(t, fullJob, ""))
}

func TestCarbonAwareJobDefaultsInAnEmptyPart(t *testing.T) {
	obj := changed(t, minimalJob, "spec: {minimumSaving: {}}")
	expectAccepted(t, loadCRD(t, carbonAwareJobCRD).Create(t.Context(), obj))
	if percent, _, _ := unstructured.NestedInt64(obj.Object, "spec", "minimumSaving", "percent"); percent != 1 {
		t.Errorf("minimumSaving.percent = %d, want 1", percent)
	}
}

func TestCarbonAwareJobAccepts(t *testing.T) {
	tests := map[string]string{
		"no delay":                   "maxDelay: 0s",
		"the longest delay":          "maxDelay: 168h",
		"a delay of several units":   "maxDelay: 1h30m15s",
		"a run of a second":          "expectedDuration: 1s",
		"any saving":                 "minimumSaving: {percent: 0}",
		"a whole saving":             "minimumSaving: {percent: 100}",
		"power":                      "energy: {watts: 700}",
		"energy with a suffix":       "energy: {kWh: 500u}",
		"the dirtiest limit":         "llm: {modelEnv: MODEL, downgrade: {aboveGramsPerKWh: 5000}}",
		"always downgraded":          "llm: {modelEnv: MODEL, downgrade: {aboveGramsPerKWh: 0}}",
		"a workload":                 "llm: {modelEnv: MODEL, provider: openai, workload: {calls: 1000000000, outputTokensPerCall: 1000000}}",
		"a meter alone":              "llm: {meter: {mode: Observe}}",
		"a meter that is off":        "llm: {modelEnv: MODEL, meter: {}}",
		"a limit that a meter holds": "llm: {meter: {mode: Enforce}}, maxGrams: 5",
		"a downgrade by the meter":   "llm: {model: gpt-4.1, meter: {mode: Enforce}, downgrade: {aboveGramsPerKWh: 300}}",
		"the least workload":         "llm: {modelEnv: MODEL, workload: {calls: 1, outputTokensPerCall: 1}}",
		"a template not suspended":   "jobTemplate: {spec: {suspend: false}}",
		"deletion when it finished":  "ttlSecondsAfterFinished: 0",
		"one region":                 "regions: [gb]",
		"no region, the default one": "regions: []",
	}
	v := loadCRD(t, carbonAwareJobCRD)
	for name, spec := range tests {
		t.Run(name, func(t *testing.T) {
			expectAccepted(t, v.Create(t.Context(), changed(t, minimalJob, "spec: {"+spec+"}")))
		})
	}
}

func TestCarbonAwareJobRefuses(t *testing.T) {
	const duration = "must be a duration such as 90s, 30m or 4h"
	const envName = "letters, digits and underscores, start with a letter and end with a letter or digit"
	rows := []invalid{
		{"no spec", "spec: null", "spec", "Required value"},
		{"no template", "spec: {jobTemplate: null}", "spec.jobTemplate", "Required value"},
		{"no pod template", "spec: {jobTemplate: {spec: {template: null}}}", "spec.jobTemplate.spec.template", "Required value"},
		{"long name", "metadata: {name: a123456789012345678901234567890123456789012345678901234567890123}", "<nil>", "metadata.name must be at most 63 characters long"},
		{"misspelled field", "spec: {maxdelay: 4h}", "spec.maxdelay", "unknown field"},

		{"delay in words", "spec: {maxDelay: soon}", "spec.maxDelay", duration},
		{"delay without a unit", `spec: {maxDelay: "30"}`, "spec.maxDelay", duration},
		{"delay as a number", "spec: {maxDelay: 30}", "spec.maxDelay", "must be of type string"},
		{"empty delay", `spec: {maxDelay: ""}`, "spec.maxDelay", duration},
		{"negative delay", "spec: {maxDelay: -1h}", "spec.maxDelay", duration},
		{"delay in days", "spec: {maxDelay: 2d}", "spec.maxDelay", duration},
		{"delay over a week", "spec: {maxDelay: 169h}", "spec.maxDelay", "at most 168h"},
		{"delay that overflows", "spec: {maxDelay: 9999999999h}", "spec.maxDelay", "at most 168h"},
		{"fraction of an hour", "spec: {maxDelay: 1.5h}", "spec.maxDelay", duration},
		{"no duration", "spec: {expectedDuration: 0s}", "spec.expectedDuration", "from 1s to 168h"},
		{"duration over a week", "spec: {expectedDuration: 200h}", "spec.expectedDuration", "from 1s to 168h"},
		{"jitter in words", "spec: {jitter: a bit}", "spec.jitter", "0s turns it off"},

		{"region twice", "spec: {regions: [gb, de, gb]}", "spec.regions", "must not name a region twice"},
		{"empty region", `spec: {regions: [""]}`, "spec.regions[0]", "at least 1 chars"},
		{"long region", "spec: {regions: [a123456789012345678901234567890123456789012345678901234567890123]}", "spec.regions[0]", "may not be more than 63"},
		{"too many regions", "spec: {regions: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]}", "spec.regions", "must have at most 16 items"},
		{"one region, no list", "spec: {regions: gb}", "spec.regions", "must be of type array"},

		{"negative saving", "spec: {minimumSaving: {percent: -1}}", "spec.minimumSaving.percent", "greater than or equal to 0"},
		{"saving over everything", "spec: {minimumSaving: {percent: 101}}", "spec.minimumSaving.percent", "less than or equal to 100"},
		{"negative time to live", "spec: {ttlSecondsAfterFinished: -1}", "spec.ttlSecondsAfterFinished", "greater than or equal to 0"},

		{"no variable", "spec: {llm: {model: gpt-4o}}", "spec.llm.modelEnv", "modelEnv must be set, unless meter.mode is Observe or Enforce"},
		{"no variable, and a meter that is off", "spec: {llm: {model: gpt-4o, meter: {}}}", "spec.llm.modelEnv", "modelEnv must be set"},
		{"an unknown mode of the meter", "spec: {llm: {modelEnv: M, meter: {mode: On}}}", "spec.llm.meter.mode", `supported values: "Off", "Observe", "Enforce"`},
		{"a downgrade without a variable", "spec: {llm: {model: gpt-4o, meter: {mode: Observe}, downgrade: {aboveGramsPerKWh: 1}}}", "spec.llm.downgrade", "downgrade needs modelEnv"},
		{"a downgrade without variable and model", "spec: {llm: {meter: {mode: Enforce}, downgrade: {aboveGramsPerKWh: 1}}}", "spec.llm.downgrade", "without it model and meter.mode Enforce"},
		{"a limit that a meter only watches", "spec: {llm: {meter: {mode: Observe}}, maxGrams: 5}", "spec.maxGrams", "or llm.meter.mode Enforce"},
		{"variable with a dash", "spec: {llm: {modelEnv: OPENAI-MODEL}}", "spec.llm.modelEnv", envName},
		{"variable that starts with a digit", "spec: {llm: {modelEnv: 1MODEL}}", "spec.llm.modelEnv", envName},
		{"variable that ends with an underscore", "spec: {llm: {modelEnv: MODEL_}}", "spec.llm.modelEnv", envName},
		{"empty model", `spec: {llm: {modelEnv: M, model: ""}}`, "spec.llm.model", "at least 1 chars"},
		{"downgrade without a limit", "spec: {llm: {modelEnv: M, downgrade: {model: mini}}}", "spec.llm.downgrade.aboveGramsPerKWh", "Required value"},
		{"limit over the dirtiest grid", "spec: {llm: {modelEnv: M, downgrade: {aboveGramsPerKWh: 5001}}}", "spec.llm.downgrade.aboveGramsPerKWh", "less than or equal to 5000"},

		{"empty provider", `spec: {llm: {modelEnv: M, provider: ""}}`, "spec.llm.provider", "at least 1 chars"},
		{"workload without calls", "spec: {llm: {modelEnv: M, workload: {outputTokensPerCall: 400}}}", "spec.llm.workload.calls", "Required value"},
		{"workload without tokens", "spec: {llm: {modelEnv: M, workload: {calls: 50}}}", "spec.llm.workload.outputTokensPerCall", "Required value"},
		{"no calls", "spec: {llm: {modelEnv: M, workload: {calls: 0, outputTokensPerCall: 400}}}", "spec.llm.workload.calls", "greater than or equal to 1"},
		{"too many calls", "spec: {llm: {modelEnv: M, workload: {calls: 1000000001, outputTokensPerCall: 400}}}", "spec.llm.workload.calls", "less than or equal to 1000000000"},
		{"too many tokens", "spec: {llm: {modelEnv: M, workload: {calls: 1, outputTokensPerCall: 1000001}}}", "spec.llm.workload.outputTokensPerCall", "less than or equal to 1000000"},
		{"energy and workload", `spec: {energy: {kWh: "1"}, llm: {modelEnv: M, workload: {calls: 1, outputTokensPerCall: 1}}}`, "spec.energy", "at most one of energy and llm.workload may be set"},
		{"power and workload", `spec: {energy: {watts: "1"}, llm: {modelEnv: M, workload: {calls: 1, outputTokensPerCall: 1}}}`, "spec.energy", "at most one of energy and llm.workload may be set"},

		{"limit without an energy", `spec: {energy: null, maxGrams: "5"}`, "spec.maxGrams", "set energy.kWh, energy.watts or llm.workload"},
		{"limit without a workload", `spec: {energy: null, llm: {modelEnv: M}, maxGrams: "5"}`, "spec.maxGrams", "set energy.kWh, energy.watts or llm.workload"},
		{"limit of nothing", `spec: {energy: {kWh: "1"}, maxGrams: "0"}`, "spec.maxGrams", "above 0 and at most 1000000000"},
		{"limit in words", `spec: {energy: {kWh: "1"}, maxGrams: some}`, "spec.maxGrams", `must be a number of grams such as "5"`},
		{"limit beyond measure", `spec: {energy: {kWh: "1"}, maxGrams: 2G}`, "spec.maxGrams", "above 0 and at most 1000000000"},
		{"template that says it was stopped", `spec: {jobTemplate: {metadata: {annotations: {carbon.ecotracker.dev/stop: "{}"}}}}`, "spec.jobTemplate.metadata.annotations", "carbon.ecotracker.dev/stop"},
		{"energy twice", `spec: {energy: {kWh: "1", watts: "1"}}`, "spec.energy", "exactly one of kWh and watts must be set"},
		{"energy not at all", "spec: {energy: {}}", "spec.energy", "exactly one of kWh and watts must be set"},
		{"no energy", `spec: {energy: {kWh: "0"}}`, "spec.energy.kWh", "above 0 and at most 1000000"},
		{"energy in words", "spec: {energy: {kWh: little}}", "spec.energy.kWh", `must be a number such as "0.0005"`},
		{"energy without quotes", "spec: {energy: {kWh: 0.0005}}", "spec.energy.kWh", "must be of type integer,string"},
		{"too much energy", `spec: {energy: {kWh: "2M"}}`, "spec.energy.kWh", "above 0 and at most 1000000"},
		{"negative power", `spec: {energy: {watts: "-700"}}`, "spec.energy.watts", "above 0 and at most 100000000"},
		{"power in words", "spec: {energy: {watts: 700W}}", "spec.energy.watts", `must be a number such as "700"`},

		{"suspended template", "spec: {jobTemplate: {spec: {suspend: true}}}", "spec.jobTemplate.spec.suspend", "to hold it by hand set spec.suspend"},
		{"restart policy of a service", "spec: {jobTemplate: {spec: {template: {spec: {restartPolicy: Always}}}}}", "spec.jobTemplate.spec.template.spec.restartPolicy", "must be Never or OnFailure"},
		{"no restart policy", "spec: {jobTemplate: {spec: {template: {spec: {restartPolicy: null}}}}}", "spec.jobTemplate.spec.template.spec.restartPolicy", "must be Never or OnFailure"},
		{"named template", "spec: {jobTemplate: {metadata: {name: other}}}", "spec.jobTemplate.metadata.name", "the Job takes the CarbonAwareJob's name"},
		{"template in a namespace", "spec: {jobTemplate: {metadata: {namespace: other}}}", "spec.jobTemplate.metadata.namespace", "created in the CarbonAwareJob's namespace"},
		{"template that says it was started", `spec: {jobTemplate: {metadata: {annotations: {carbon.ecotracker.dev/start: "{}"}}}}`, "spec.jobTemplate.metadata.annotations", "must not have carbon.ecotracker.dev/start"},
	}
	expectRefused(t, carbonAwareJobCRD, minimalJob, rows)
}

func TestCarbonAwareJobUpdates(t *testing.T) {
	const exists = "status: {job: {name: summarize, uid: u1}}"
	const started = `status: {job: {name: summarize, uid: u1}, conditions: [
		{type: Started, status: "True", reason: StartIssued, message: "", lastTransitionTime: "2026-01-01T00:00:00Z"}]}`
	const notStarted = `status: {job: {name: summarize, uid: u1}, conditions: [
		{type: Started, status: "False", reason: Waiting, message: "", lastTransitionTime: "2026-01-01T00:00:00Z"}]}`
	const template = "spec: {jobTemplate: {spec: {backoffLimit: 3}}}"
	const onceCreated = "cannot change once the Job exists: delete the CarbonAwareJob and create it again"
	const onceStarted = "cannot change once the job has started, only suspend, ttlSecondsAfterFinished and maxGrams can"

	tests := []struct {
		name, status, change string
		field, phrase        string // empty: accepted
	}{
		{"template before the Job exists", "", template, "", ""},
		{"template after", exists, template, "spec", "spec.jobTemplate " + onceCreated},
		{"template's labels after", exists, "spec: {jobTemplate: {metadata: {labels: {team: x}}}}", "spec", "spec.jobTemplate " + onceCreated},
		{"model before the Job exists", "", "spec: {llm: {model: o3}}", "", ""},
		{"model after", exists, "spec: {llm: {model: o3}}", "spec", "spec.llm.model " + onceCreated},
		{"model removed after", exists, "spec: {llm: {model: null}}", "spec", "spec.llm.model " + onceCreated},
		{"llm removed after", exists, "spec: {llm: null}", "spec", "spec.llm.model " + onceCreated},
		{"variable after", exists, "spec: {llm: {modelEnv: MODEL}}", "spec", "spec.llm.modelEnv " + onceCreated},

		{"regions before the start", notStarted, "spec: {regions: [de]}", "", ""},
		{"delay before the start", notStarted, "spec: {maxDelay: 1h}", "", ""},
		{"downgrade before the start", notStarted, "spec: {llm: {downgrade: {aboveGramsPerKWh: 1}}}", "", ""},
		{"energy before the start", notStarted, "spec: {energy: null, maxGrams: null}", "", ""},

		{"regions after the start", started, "spec: {regions: [de]}", "spec", "spec.regions " + onceStarted},
		{"regions removed after the start", started, "spec: {regions: null}", "spec", "spec.regions " + onceStarted},
		{"delay after the start", started, "spec: {maxDelay: 1h}", "spec", "spec.maxDelay " + onceStarted},
		{"duration after the start", started, "spec: {expectedDuration: 1h}", "spec", "spec.expectedDuration " + onceStarted},
		{"jitter after the start", started, "spec: {jitter: 1m}", "spec", "spec.jitter " + onceStarted},
		{"jitter removed after the start", started, "spec: {jitter: null}", "spec", "spec.jitter " + onceStarted},
		{"saving after the start", started, "spec: {minimumSaving: {percent: 6}}", "spec", "spec.minimumSaving " + onceStarted},
		{"downgrade after the start", started, "spec: {llm: {downgrade: {aboveGramsPerKWh: 1}}}", "spec", "spec.llm " + onceStarted},
		{"energy after the start", started, `spec: {energy: {kWh: "1"}}`, "spec", "spec.energy " + onceStarted},
		{"kind of energy after the start", started, `spec: {energy: {kWh: null, watts: "1"}}`, "spec", "spec.energy " + onceStarted},
		{"energy removed after the start", started, "spec: {energy: null}", "spec", "spec.energy " + onceStarted},

		{"pause after the start", started, "spec: {suspend: true}", "", ""},
		{"limit after the start", started, `spec: {maxGrams: "6"}`, "", ""},
		{"time to live after the start", started, "spec: {ttlSecondsAfterFinished: 5}", "", ""},
		{"labels after the start", started, "metadata: {labels: {a: b}}", "", ""},
		{"same delay in other words after the start", started, "spec: {maxDelay: 480m}", "", ""},
		{"same energy in other words after the start", started, "spec: {energy: {kWh: 500u}}", "", ""},
	}
	v := loadCRD(t, carbonAwareJobCRD)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			errs := v.Update(t.Context(), changed(t, fullJob, tt.change), changed(t, fullJob, tt.status))
			if tt.phrase == "" {
				expectAccepted(t, errs)
			} else {
				expectError(t, errs, tt.field, tt.phrase)
			}
		})
	}
}

// A Go client writes the object back in Go's words: 8h0m0s for 8h, 500u for 0.0005.
func TestCarbonAwareJobUpdateByAGoClient(t *testing.T) {
	const status = `status: {job: {name: summarize, uid: u1}, conditions: [
		{type: Started, status: "True", reason: StartIssued, message: "", lastTransitionTime: "2026-01-01T00:00:00Z"}]}`
	old := changed(t, fullJob, status)

	var job carbonv1alpha1.CarbonAwareJob
	converter := runtime.DefaultUnstructuredConverter
	if err := converter.FromUnstructuredWithValidation(old.Object, &job, true); err != nil {
		t.Fatal(err)
	}
	job.Labels = map[string]string{"a": "b"}
	object, err := converter.ToUnstructured(&job)
	if err != nil {
		t.Fatal(err)
	}
	v := loadCRD(t, carbonAwareJobCRD)
	expectAccepted(t, v.Update(t.Context(), &unstructured.Unstructured{Object: object}, old))
}
