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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// MeterMode says how far the meter of a job goes.
// +kubebuilder:validation:Enum=Off;Observe;Enforce
type MeterMode string

const (
	// MeterOff adds no meter.
	MeterOff MeterMode = "Off"
	// MeterObserve counts the calls that the job makes.
	MeterObserve MeterMode = "Observe"
	// MeterEnforce also rewrites the model of each call of a downgraded job, and refuses calls once the
	// job has emitted spec.maxGrams.
	MeterEnforce MeterMode = "Enforce"
)

// MeterSpec adds the metering sidecar to a job.
// +kubebuilder:validation:MinProperties=0
type MeterSpec struct {
	// mode says what the meter does. Off adds none. Observe adds a sidecar to the job's pods through which their calls to LLM
	// providers go, and which counts them: what was measured takes the place of energy.kWh and of workload
	// in the emissions. Enforce also rewrites the model of each call when the job is downgraded, and
	// refuses further calls at maxGrams, which ends the run. Unset means Off.
	// +optional
	// +kubebuilder:default=Off
	Mode MeterMode `json:"mode,omitempty"`
}

// MeterStatus is what the meters of a run's pods handed over, each pod's once.
// +kubebuilder:validation:MinProperties=0
type MeterStatus struct {
	// calls that the job made, those refused included.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Calls int64 `json:"calls,omitempty"`

	// refusedCalls is how many of the calls a meter refused, because maxGrams was reached.
	// +optional
	// +kubebuilder:validation:Minimum=1
	RefusedCalls int64 `json:"refusedCalls,omitempty"`

	// estimatedCalls is how many answered calls did not tell their tokens to the end: they were counted
	// as they came.
	// +optional
	// +kubebuilder:validation:Minimum=1
	EstimatedCalls int64 `json:"estimatedCalls,omitempty"`

	// unknownEnergyCalls is how many answered calls have an unknown energy, which is in no sum.
	// +optional
	// +kubebuilder:validation:Minimum=1
	UnknownEnergyCalls int64 `json:"unknownEnergyCalls,omitempty"`

	// inputTokens of all prompts.
	// +optional
	// +kubebuilder:validation:Minimum=1
	InputTokens int64 `json:"inputTokens,omitempty"`

	// outputTokens of all answers.
	// +optional
	// +kubebuilder:validation:Minimum=1
	OutputTokens int64 `json:"outputTokens,omitempty"`

	// grams that the meters priced the calls at while they ended, in gCO2e: what is held against
	// spec.maxGrams. The record in status.emissions is made with the intensities of the whole run.
	// +optional
	Grams Decimal `json:"grams,omitempty"`

	// podsRead is how many pods ended and handed over their numbers.
	// +optional
	// +kubebuilder:validation:Minimum=1
	PodsRead int32 `json:"podsRead,omitempty"`

	// podsLost is how many pods ended without that: their last numbers are not in any sum.
	// +optional
	// +kubebuilder:validation:Minimum=1
	PodsLost int32 `json:"podsLost,omitempty"`

	// lostBecause says why the numbers of pods were lost.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	LostBecause string `json:"lostBecause,omitempty"`

	// pods are those whose numbers are to come, and those whose numbers came last, so that none counts twice.
	// +optional
	// +listType=map
	// +listMapKey=uid
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Pods []MeteredPod `json:"pods,omitempty"`

	// settledAt is when no more numbers were waited for.
	// +optional
	SettledAt *metav1.Time `json:"settledAt,omitempty"`
}

// MeteredPod is a pod of the job.
type MeteredPod struct {
	// uid of the pod.
	// +required
	UID types.UID `json:"uid,omitempty"`

	// state is Running until the pod has ended, then Counted.
	// +required
	// +kubebuilder:validation:Enum=Running;Counted
	State MeteredPodState `json:"state,omitempty"`
}

// MeteredPodState says whether the numbers of a pod are to come.
type MeteredPodState string

const (
	// MeteredPodRunning is a pod that makes calls.
	MeteredPodRunning MeteredPodState = "Running"
	// MeteredPodCounted is a pod that has ended, and counts as read or as lost.
	MeteredPodCounted MeteredPodState = "Counted"
)

// ModelUsage is what the calls of one kind add up to.
type ModelUsage struct {
	// provider that the calls went to, as the OpenTelemetry conventions name it; "other" with all names
	// "other" stands for the kinds of calls that there was no room for.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Provider string `json:"provider,omitempty"`

	// requested model, as the job's code named it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Requested string `json:"requested,omitempty"`

	// effective model, as the answer named it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Effective string `json:"effective,omitempty"`

	// downgraded says that the meter sent another model on than the code asked for.
	// +optional
	Downgraded bool `json:"downgraded,omitempty"`

	// calls that were answered.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Calls int64 `json:"calls,omitempty"`

	// failedCalls that were not: errors, cancelled and cut off ones.
	// +optional
	// +kubebuilder:validation:Minimum=1
	FailedCalls int64 `json:"failedCalls,omitempty"`

	// unknownEnergyCalls is how many of calls have an unknown energy.
	// +optional
	// +kubebuilder:validation:Minimum=1
	UnknownEnergyCalls int64 `json:"unknownEnergyCalls,omitempty"`

	// inputTokens of the prompts.
	// +optional
	// +kubebuilder:validation:Minimum=1
	InputTokens int64 `json:"inputTokens,omitempty"`

	// outputTokens of the answers, those of reasoning included.
	// +optional
	// +kubebuilder:validation:Minimum=1
	OutputTokens int64 `json:"outputTokens,omitempty"`

	// cachedTokens is how many of the input tokens came from a cache of the provider.
	// +optional
	// +kubebuilder:validation:Minimum=1
	CachedTokens int64 `json:"cachedTokens,omitempty"`

	// reasoningTokens is how many of the output tokens were not shown.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ReasoningTokens int64 `json:"reasoningTokens,omitempty"`

	// energyKWh of the calls, in kWh; absent where unknown.
	// +optional
	EnergyKWh Decimal `json:"energyKWh,omitempty"`

	// requestedKWh is what the requested model would have used, in kWh.
	// +optional
	RequestedKWh Decimal `json:"requestedKWh,omitempty"`
}
