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

package v1alpha1

import (
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CarbonAwareJobSpec is a Job and how long it may wait for a greener grid.
// +kubebuilder:validation:XValidation:rule="!has(self.energy) || !has(self.llm) || !has(self.llm.workload)",message="at most one of energy and llm.workload may be set: remove energy to have it estimated from the calls, or llm.workload to declare it",fieldPath=".energy"
// +kubebuilder:validation:XValidation:rule="!has(self.maxGrams) || has(self.energy) || (has(self.llm) && (has(self.llm.workload) || has(self.llm.meter) && has(self.llm.meter.mode) && self.llm.meter.mode == 'Enforce'))",message="maxGrams needs an energy to count by: set energy.kWh, energy.watts or llm.workload, or llm.meter.mode Enforce",fieldPath=".maxGrams"
type CarbonAwareJobSpec struct {
	// regions are the names of the GridRegions in which the job may run. The first is its home:
	// the baseline is what the job would have emitted there, started at once. Empty means the
	// GridRegion annotated as the default one.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=0
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.all(r, self.exists_one(s, s == r))",message="regions must not name a region twice"
	Regions []string `json:"regions,omitempty"`

	// maxDelay is how long the start may be put off: the latest start is the creation plus
	// maxDelay. A duration such as 30m or 4h, at most 168h; 0s starts at once. Unset means 4h.
	// +optional
	// +kubebuilder:default="4h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self != '' && self.matches('^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$') && duration(self) <= duration('168h')",message="maxDelay must be a duration such as 90s, 30m or 4h, at most 168h"
	MaxDelay *metav1.Duration `json:"maxDelay,omitempty"`

	// expectedDuration is how long the run is expected to take: the start is chosen by the mean
	// intensity over that time. A duration such as 30m or 2h, from 1s to 168h. Unset means 30m.
	// +optional
	// +kubebuilder:default="30m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self != '' && self.matches('^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$') && duration(self) >= duration('1s') && duration(self) <= duration('168h')",message="expectedDuration must be a duration such as 90s, 30m or 4h, from 1s to 168h"
	ExpectedDuration *metav1.Duration `json:"expectedDuration,omitempty"`

	// jitter spreads the starts of jobs that wait for the same slot: each job has a phase that follows
	// from its UID, less than jitter and than a slot of the forecast, and takes the greenest of the starts
	// with that phase. Unset means the whole slot, 0s none.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self != '' && self.matches('^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$') && duration(self) <= duration('168h')",message="jitter must be a duration such as 90s, 30m or 4h, at most 168h; 0s turns it off"
	Jitter *metav1.Duration `json:"jitter,omitempty"`

	// minimumSaving is what waiting must save; for less the job starts at once.
	// +optional
	// +kubebuilder:default={percent: 1}
	MinimumSaving *MinimumSaving `json:"minimumSaving,omitempty"`

	// llm says which model the job uses, and when a cheaper one will do.
	// +optional
	LLM *LLMSpec `json:"llm,omitempty"`

	// energy is what one run consumes; llm.workload has it estimated instead. Without either the job
	// is still shifted, and its emissions are reported as unknown.
	// +optional
	Energy *EnergySpec `json:"energy,omitempty"`

	// maxGrams is the most that the run may emit, in gCO2e, above 0 and at most 1000000000, for example
	// "5". At the moment when it has emitted that much it is stopped for good and the job has failed;
	// it is not started while its energy is unknown. It can be changed while the job runs. A fraction must
	// be in quotes.
	// +optional
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).isGreaterThan(quantity('0')) && !quantity(string(self)).isGreaterThan(quantity('1000000000'))",message="maxGrams must be a number of grams such as \"5\", above 0 and at most 1000000000"
	MaxGrams *resource.Quantity `json:"maxGrams,omitempty"`

	// suspend holds the job by hand: before its start it is not started, while it runs it is
	// paused. Setting it back lets it go on, at once if its latest start has passed.
	// +optional
	Suspend *bool `json:"suspend,omitempty"`

	// ttlSecondsAfterFinished deletes the CarbonAwareJob and its Job this many seconds after the
	// job finished, and not before its emissions are final or a day after the run has passed. Unset keeps
	// them.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=31536000
	TTLSecondsAfterFinished *int32 `json:"ttlSecondsAfterFinished,omitempty"`

	// jobTemplate is the Job to run, as in a CronJob; "kubectl explain job" describes its fields. Its
	// suspend field and its name belong to the operator.
	// +required
	// +kubebuilder:validation:XValidation:rule="!self.spec.?suspend.orValue(false)",message="jobTemplate.spec.suspend must not be true: the operator creates the Job suspended and starts it; to hold it by hand set spec.suspend",fieldPath=".spec.suspend"
	// +kubebuilder:validation:XValidation:rule="self.spec.template.?spec.?restartPolicy.orValue('') in ['Never', 'OnFailure']",message="jobTemplate.spec.template.spec.restartPolicy must be Never or OnFailure",fieldPath=".spec.template.spec.restartPolicy"
	// +kubebuilder:validation:XValidation:rule="!self.?metadata.?name.hasValue()",message="jobTemplate.metadata.name must not be set: the Job takes the CarbonAwareJob's name",fieldPath=".metadata.name"
	// +kubebuilder:validation:XValidation:rule="!self.?metadata.?namespace.hasValue()",message="jobTemplate.metadata.namespace must not be set: the Job is created in the CarbonAwareJob's namespace",fieldPath=".metadata.namespace"
	// +kubebuilder:validation:XValidation:rule="!has(self.metadata) || !has(self.metadata.annotations) || !self.metadata.annotations.exists(k, k in ['carbon.ecotracker.dev/start', 'carbon.ecotracker.dev/stop', 'carbon.ecotracker.dev/given-back', 'carbon.ecotracker.dev/template'])",message="jobTemplate.metadata.annotations must not have carbon.ecotracker.dev/start, carbon.ecotracker.dev/stop, carbon.ecotracker.dev/given-back or carbon.ecotracker.dev/template: the operator writes them",fieldPath=".metadata.annotations"
	JobTemplate *batchv1.JobTemplateSpec `json:"jobTemplate,omitempty"`
}

// MinimumSaving is what waiting must save.
// +kubebuilder:validation:MinProperties=0
type MinimumSaving struct {
	// percent of the intensity of an immediate start, 0 to 100. Unset means 1.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Percent *int32 `json:"percent,omitempty"`
}

// LLMSpec says which model a job uses, and how much.
// +kubebuilder:validation:MinProperties=0
// +kubebuilder:validation:XValidation:rule="has(self.modelEnv) || has(self.meter) && has(self.meter.mode) && self.meter.mode != 'Off'",message="modelEnv must be set, unless meter.mode is Observe or Enforce",fieldPath=".modelEnv"
// +kubebuilder:validation:XValidation:rule="!has(self.downgrade) || has(self.modelEnv) || has(self.model) && has(self.meter) && has(self.meter.mode) && self.meter.mode == 'Enforce'",message="downgrade needs modelEnv, by which the model is switched; without it model and meter.mode Enforce, by which calls are",fieldPath=".downgrade"
type LLMSpec struct {
	// provider that serves the model: anthropic, cohere, google, huggingface, mistral, openai (azure
	// too), or one that the cluster's table of models adds. It tells the energy of the data centre
	// around the servers. Unset means the model's own.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Provider string `json:"provider,omitempty"`

	// modelEnv is the environment variable from which the containers read the model's name. It must be set
	// unless meter.mode is Observe or Enforce.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z]([A-Za-z0-9_]*[A-Za-z0-9])?$')",message="modelEnv must be made of letters, digits and underscores, start with a letter and end with a letter or digit, for example OPENAI_MODEL"
	ModelEnv string `json:"modelEnv,omitempty"`

	// model the job asks for. Unset means the literal value that the template gives to modelEnv;
	// it must be set where the template has none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Model string `json:"model,omitempty"`

	// downgrade switches to a cheaper model when the grid is dirty at the start.
	// +optional
	Downgrade *DowngradeSpec `json:"downgrade,omitempty"`

	// workload is the calls that one whole run makes, all its pods together. Its energy is estimated
	// from them and the model, by the EcoLogits method; a model that is in no table is reported before
	// the start.
	// +optional
	Workload *WorkloadSpec `json:"workload,omitempty"`

	// meter adds a sidecar to the job's pods that counts the calls which they really make.
	// +optional
	Meter *MeterSpec `json:"meter,omitempty"`
}

// WorkloadSpec says how much a run asks of its model.
type WorkloadSpec struct {
	// calls of the model in one whole run, 1 to 1000000000.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	Calls int64 `json:"calls,omitempty"`

	// outputTokensPerCall is the mean number of tokens in an answer, those of reasoning included; 1 to
	// 1000000. The tokens of prompts are not counted: the method has no figure for them.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	OutputTokensPerCall int64 `json:"outputTokensPerCall,omitempty"`
}

// DowngradeSpec says when a cheaper model will do.
type DowngradeSpec struct {
	// model to use instead. Unset means the built-in one for the model asked for, by whatever date, which
	// takes less than half of its energy:
	// gpt-4o-mini for gpt-4, gpt-4-turbo, gpt-4o, chatgpt-4o; gpt-4.1-mini for gpt-4.1; gpt-4.1-nano for
	// gpt-4.1-mini; gpt-5-mini for gpt-5, gpt-5.1, gpt-5.2, gpt-5.4; gpt-5-nano for gpt-5-mini;
	// gpt-5 for gpt-5-pro, gpt-5.2 for gpt-5.2-pro, gpt-5.4 for gpt-5.4-pro; gpt-5.1-codex-mini for
	// gpt-5-codex, gpt-5.1-codex, gpt-5.2-codex, gpt-5.3-codex; o4-mini for o1; gpt-oss-20b for gpt-oss-120b;
	// claude-haiku-4-5 for claude-sonnet-4, -4-0, -4-5, -4-6 and claude-opus-4, -4-0, -4-1, -4-5, -4-6;
	// gemini-2.0-flash-lite for gemini-2.0-flash; gemini-2.5-flash-lite for gemini-2.5-flash;
	// gemini-2.5-flash for gemini-2.5-pro; gemini-3-flash-preview for gemini-3-pro-preview,
	// gemini-3.1-pro-preview; gemini-3.1-flash-lite-preview for gemini-3-flash-preview;
	// mistral-small-latest for mistral-large, mistral-medium; magistral-small-latest for magistral-medium;
	// devstral-small-latest for devstral-medium; command-r-08-2024 for command-a, command-r-plus;
	// Llama-3.1-70B-Instruct for Llama-3.1-405B-Instruct; Llama-3.1-8B-Instruct for
	// Llama-3.1-70B-Instruct, Llama-3.3-70B-Instruct; Qwen2.5-7B-Instruct for Qwen2.5-72B-Instruct;
	// Qwen3-30B-A3B for Qwen3-235B-A22B, Qwen3-30B-A3B-Instruct-2507 for Qwen3-235B-A22B-Instruct.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Model string `json:"model,omitempty"`

	// aboveGramsPerKWh is the carbon intensity at the start, in gCO2e/kWh, above which the cheaper
	// model is used; 0 to 5000.
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=5000
	AboveGramsPerKWh *int32 `json:"aboveGramsPerKWh,omitempty"`
}

// EnergySpec declares the energy of a run.
// +kubebuilder:validation:XValidation:rule="has(self.kWh) != has(self.watts)",message="exactly one of kWh and watts must be set"
// +kubebuilder:validation:MinProperties=0
type EnergySpec struct {
	// kWh that one whole run consumes, all its pods together, for example "0.0005". A fraction must be in
	// quotes, as Kubernetes has it for quantities.
	// +optional
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).isGreaterThan(quantity('0')) && !quantity(string(self)).isGreaterThan(quantity('1000000'))",message="kWh must be a number such as \"0.0005\", above 0 and at most 1000000"
	KWh *resource.Quantity `json:"kWh,omitempty"`

	// watts is the mean power of the Job while it runs, all its pods together, for example "700". A
	// fraction must be in quotes.
	// +optional
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).isGreaterThan(quantity('0')) && !quantity(string(self)).isGreaterThan(quantity('100000000'))",message="watts must be a number such as \"700\", above 0 and at most 100000000"
	Watts *resource.Quantity `json:"watts,omitempty"`
}

// CarbonAwareJob runs a Job at the greenest time, in the greenest region, at the latest maxDelay
// after its creation.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=caj,categories=carbon
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Region",type=string,JSONPath=`.status.plan.region`
// +kubebuilder:printcolumn:name="Start",type=string,JSONPath=`.status.plan.start`,description="Planned start"
// +kubebuilder:printcolumn:name="g/kWh",type=string,JSONPath=`.status.plan.gramsPerKWh`,description="Expected mean carbon intensity of the run, gCO2e/kWh"
// +kubebuilder:printcolumn:name="Model",type=string,JSONPath=`.status.model.effective`
// +kubebuilder:printcolumn:name="Grams",type=string,JSONPath=`.status.emissions.actualGrams`,description="Emitted, gCO2e"
// +kubebuilder:printcolumn:name="Avoided",type=string,JSONPath=`.status.emissions.avoidedGrams`,description="Avoided against an immediate start at home, gCO2e"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="metadata.name must be at most 63 characters long: the Job takes the same name"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.job) || !has(self.status) || self.status.?plan.?decidedAt != oldSelf.status.?plan.?decidedAt || self.status.?conditions.optMap(c, size(c)) != oldSelf.status.?conditions.optMap(c, size(c)) || self.status != oldSelf.status || self.spec.jobTemplate == oldSelf.spec.jobTemplate && (!has(self.spec.llm) && !has(oldSelf.spec.llm) || ((has(self.spec.llm) && has(self.spec.llm.model) ? self.spec.llm.model : \"\") == (has(oldSelf.spec.llm) && has(oldSelf.spec.llm.model) ? oldSelf.spec.llm.model : \"\")) && ((has(self.spec.llm) && has(self.spec.llm.modelEnv) ? self.spec.llm.modelEnv : \"\") == (has(oldSelf.spec.llm) && has(oldSelf.spec.llm.modelEnv) ? oldSelf.spec.llm.modelEnv : \"\")) && ((has(self.spec.llm) && has(self.spec.llm.meter) ? self.spec.llm.meter.mode : 'Off') == (has(oldSelf.spec.llm) && has(oldSelf.spec.llm.meter) ? oldSelf.spec.llm.meter.mode : 'Off'))) && (!has(oldSelf.status.conditions) || !oldSelf.status.conditions.exists(c, c.type == 'Started' && c.status == 'True') || (has(self.spec.regions) == has(oldSelf.spec.regions) && (!has(self.spec.regions) || self.spec.regions == oldSelf.spec.regions)) && self.spec.?maxDelay.optMap(d, duration(d)) == oldSelf.spec.?maxDelay.optMap(d, duration(d)) && self.spec.?expectedDuration.optMap(d, duration(d)) == oldSelf.spec.?expectedDuration.optMap(d, duration(d)) && self.spec.?jitter.optMap(d, duration(d)) == oldSelf.spec.?jitter.optMap(d, duration(d)) && (has(self.spec.minimumSaving) == has(oldSelf.spec.minimumSaving) && (!has(self.spec.minimumSaving) || self.spec.minimumSaving == oldSelf.spec.minimumSaving)) && (has(self.spec.llm) == has(oldSelf.spec.llm) && (!has(self.spec.llm) || self.spec.llm == oldSelf.spec.llm)) && ((has(self.spec.energy) ? has(oldSelf.spec.energy) && (has(self.spec.energy.kWh) ? has(oldSelf.spec.energy.kWh) && quantity(string(self.spec.energy.kWh)) == quantity(string(oldSelf.spec.energy.kWh)) : !has(oldSelf.spec.energy.kWh)) && (has(self.spec.energy.watts) ? has(oldSelf.spec.energy.watts) && quantity(string(self.spec.energy.watts)) == quantity(string(oldSelf.spec.energy.watts)) : !has(oldSelf.spec.energy.watts)) : !has(oldSelf.spec.energy))))",messageExpression="self.spec.jobTemplate == oldSelf.spec.jobTemplate ? (!has(self.spec.llm) && !has(oldSelf.spec.llm) || ((has(self.spec.llm) && has(self.spec.llm.model) ? self.spec.llm.model : \"\") == (has(oldSelf.spec.llm) && has(oldSelf.spec.llm.model) ? oldSelf.spec.llm.model : \"\")) && ((has(self.spec.llm) && has(self.spec.llm.modelEnv) ? self.spec.llm.modelEnv : \"\") == (has(oldSelf.spec.llm) && has(oldSelf.spec.llm.modelEnv) ? oldSelf.spec.llm.modelEnv : \"\")) && ((has(self.spec.llm) && has(self.spec.llm.meter) ? self.spec.llm.meter.mode : 'Off') == (has(oldSelf.spec.llm) && has(oldSelf.spec.llm.meter) ? oldSelf.spec.llm.meter.mode : 'Off')) ? (!(has(self.spec.regions) == has(oldSelf.spec.regions) && (!has(self.spec.regions) || self.spec.regions == oldSelf.spec.regions)) ? 'spec.regions' : !(self.spec.?maxDelay.optMap(d, duration(d)) == oldSelf.spec.?maxDelay.optMap(d, duration(d))) ? 'spec.maxDelay' : !(self.spec.?expectedDuration.optMap(d, duration(d)) == oldSelf.spec.?expectedDuration.optMap(d, duration(d))) ? 'spec.expectedDuration' : !(self.spec.?jitter.optMap(d, duration(d)) == oldSelf.spec.?jitter.optMap(d, duration(d))) ? 'spec.jitter' : !(has(self.spec.minimumSaving) == has(oldSelf.spec.minimumSaving) && (!has(self.spec.minimumSaving) || self.spec.minimumSaving == oldSelf.spec.minimumSaving)) ? 'spec.minimumSaving' : !(has(self.spec.llm) == has(oldSelf.spec.llm) && (!has(self.spec.llm) || self.spec.llm == oldSelf.spec.llm)) ? 'spec.llm' : 'spec.energy') + ' cannot change once the job has started, only suspend, ttlSecondsAfterFinished and maxGrams can: create another CarbonAwareJob' : (!((has(self.spec.llm) && has(self.spec.llm.model) ? self.spec.llm.model : \"\") == (has(oldSelf.spec.llm) && has(oldSelf.spec.llm.model) ? oldSelf.spec.llm.model : \"\")) ? 'spec.llm.model' : !((has(self.spec.llm) && has(self.spec.llm.modelEnv) ? self.spec.llm.modelEnv : \"\") == (has(oldSelf.spec.llm) && has(oldSelf.spec.llm.modelEnv) ? oldSelf.spec.llm.modelEnv : \"\")) ? 'spec.llm.modelEnv' : 'spec.llm.meter') + ' cannot change once the Job exists: delete the CarbonAwareJob and create it again') : 'spec.jobTemplate cannot change once the Job exists: delete the CarbonAwareJob and create it again'",message="what a job was made or started from cannot change",fieldPath=".spec"
type CarbonAwareJob struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the Job and how long it may wait.
	// +required
	Spec CarbonAwareJobSpec `json:"spec,omitzero"`

	// status is the plan, the run and the emissions.
	// +optional
	Status CarbonAwareJobStatus `json:"status,omitzero"`
}

// CarbonAwareJobList is a list of CarbonAwareJobs.
// +kubebuilder:object:root=true
type CarbonAwareJobList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []CarbonAwareJob `json:"items"`
}
