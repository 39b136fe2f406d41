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

// CarbonAwareJobStatus is the plan, the run and the emissions of a CarbonAwareJob.
// +kubebuilder:validation:MinProperties=0
type CarbonAwareJobStatus struct {
	// conditions are Ready, Planned, EnergyKnown, WithinBudget, Started, Downgraded,
	// EmissionsRecorded, Complete and Failed.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status belongs to.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// plan is when and where the job starts, and why.
	// +optional
	// +structType=atomic
	Plan *PlanStatus `json:"plan,omitempty"`

	// model is what was asked for and what the run uses.
	// +optional
	// +structType=atomic
	Model *ModelStatus `json:"model,omitempty"`

	// job is the Job that runs the template.
	// +optional
	// +structType=atomic
	Job *JobStatus `json:"job,omitempty"`

	// reservedGrams is what the run is expected to emit, in gCO2e, and what the CarbonBudgets that
	// match the job have set aside for it. It stands from just before the start until the emissions
	// are recorded, and for good if they remain unknown.
	// +optional
	ReservedGrams Decimal `json:"reservedGrams,omitempty"`

	// reservedIn are the CarbonBudgets that have set reservedGrams aside. The job does not start before all
	// that hold it and match its labels are among them.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	ReservedIn []string `json:"reservedIn,omitempty"`

	// meter is what the meters of the run's pods counted; see spec.llm.meter.
	// +optional
	// +structType=atomic
	Meter *MeterStatus `json:"meter,omitempty"`

	// emissions is the record of the run. It is absent while nothing ran, and when the energy is
	// unknown.
	// +optional
	// +structType=atomic
	Emissions *EmissionsStatus `json:"emissions,omitempty"`
}

// PlanStatus is when and where a job starts, and why.
type PlanStatus struct {
	// region in which the job is to run; absent when no region is known.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Region string `json:"region,omitempty"`

	// start is when the job is to start.
	// +required
	Start metav1.Time `json:"start,omitzero"`

	// latestStart is the creation plus maxDelay: the job starts then at the latest.
	// +required
	LatestStart metav1.Time `json:"latestStart,omitzero"`

	// windowStart and windowEnd bound the window that was chosen; start is windowStart moved by the job's
	// phase (spec.jitter).
	// +optional
	WindowStart *metav1.Time `json:"windowStart,omitempty"`

	// windowEnd is the end of the window that was chosen.
	// +optional
	WindowEnd *metav1.Time `json:"windowEnd,omitempty"`

	// gramsPerKWh is the mean intensity expected over the run, in gCO2e/kWh; absent when unknown.
	// +optional
	GramsPerKWh Decimal `json:"gramsPerKWh,omitempty"`

	// baselineGramsPerKWh is the mean intensity expected at home for an immediate start at the
	// time of the first plan, in gCO2e/kWh; absent when unknown.
	// +optional
	BaselineGramsPerKWh Decimal `json:"baselineGramsPerKWh,omitempty"`

	// signal says whether these are average or marginal intensities.
	// +optional
	Signal IntensitySignal `json:"signal,omitempty"`

	// quality of the values that the plan is based on.
	// +optional
	Quality IntensityQuality `json:"quality,omitempty"`

	// reason for the choice, one word: GreenestWindow, GreenestNow, SavingTooSmall, SlotsFull,
	// NoForecast, RunNow, NoDelayAllowed, PastLatestStart, NoRegion.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Reason string `json:"reason,omitempty"`

	// message says why, in a sentence.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`

	// decidedAt is when the plan was made.
	// +required
	DecidedAt metav1.Time `json:"decidedAt,omitzero"`

	// improvements is how often news moved the plan to a greener start. Each move must save twice as
	// much as the one before, so there are at most seven.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Improvements int32 `json:"improvements,omitempty"`

	// candidates holds the greenest start in every region, the chosen one among them.
	// +optional
	// +listType=map
	// +listMapKey=region
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Candidates []CandidateStatus `json:"candidates,omitempty"`
}

// CandidateStatus is the greenest start in one region.
type CandidateStatus struct {
	// region is the GridRegion's name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Region string `json:"region,omitempty"`

	// start that the job would have there.
	// +optional
	Start *metav1.Time `json:"start,omitempty"`

	// gramsPerKWh is the mean intensity expected over the run there, in gCO2e/kWh.
	// +optional
	GramsPerKWh Decimal `json:"gramsPerKWh,omitempty"`

	// quality of the region's values.
	// +optional
	Quality IntensityQuality `json:"quality,omitempty"`

	// excluded says why the region cannot be chosen.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Excluded string `json:"excluded,omitempty"`
}

// ModelStatus is the model asked for and the model that the run uses.
// +kubebuilder:validation:MinProperties=0
type ModelStatus struct {
	// requested model.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Requested string `json:"requested,omitempty"`

	// effective model; decided at the start.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Effective string `json:"effective,omitempty"`

	// usage is what the meters counted, by the models that the code asked for and got.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Usage []ModelUsage `json:"usage,omitempty"`
}

// JobStatus is the Job that runs the template.
type JobStatus struct {
	// name of the Job.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name,omitempty"`

	// uid of the Job. There is never a second one.
	// +required
	UID types.UID `json:"uid,omitempty"`

	// region in which the Job was started.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Region string `json:"region,omitempty"`

	// startTime is when the Job controller first saw the Job started.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`

	// completionTime is when the Job completed or failed.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`

	// succeeded is how many pods of the finished Job succeeded.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Succeeded *int32 `json:"succeeded,omitempty"`

	// lost is how many pods of the finished Job failed or were stopped before their end.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Lost *int32 `json:"lost,omitempty"`

	// runs are the intervals in which the Job ran, more than one when it was paused. The last one
	// has no end while the Job runs. After 32 the two nearest
	// to each other are joined.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Runs []RunInterval `json:"runs,omitempty"`
}

// RunInterval is a time in which a Job ran.
type RunInterval struct {
	// start of the run.
	// +required
	Start metav1.Time `json:"start,omitzero"`

	// end of the run; absent while it runs.
	// +optional
	End *metav1.Time `json:"end,omitempty"`
}
