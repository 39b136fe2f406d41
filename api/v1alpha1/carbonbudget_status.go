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

// CarbonBudgetStatus is what has been used of a budget, and by whom. Everything in it is the sum
// over the CarbonAwareJobs that match, plus what deleted ones have left in settled.
// +kubebuilder:validation:MinProperties=0
type CarbonBudgetStatus struct {
	// conditions are Ready, WithinBudget and NearLimit.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status belongs to.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// period that is being counted.
	// +optional
	Period *BudgetPeriodStatus `json:"period,omitempty"`

	// consumedGrams of runs that ended in this period, in gCO2e.
	// +optional
	ConsumedGrams Decimal `json:"consumedGrams,omitempty"`

	// reservedGrams of jobs that run or are about to start, in gCO2e.
	// +optional
	ReservedGrams Decimal `json:"reservedGrams,omitempty"`

	// remainingGrams is the limit less what is consumed and reserved, in gCO2e; negative when the
	// budget is overdrawn.
	// +optional
	RemainingGrams Decimal `json:"remainingGrams,omitempty"`

	// avoidedGrams of runs that ended in this period, in gCO2e.
	// +optional
	AvoidedGrams Decimal `json:"avoidedGrams,omitempty"`

	// completedJobs is the number of runs that ended in this period; absent for none.
	// +optional
	// +kubebuilder:validation:Minimum=1
	CompletedJobs int32 `json:"completedJobs,omitempty"`

	// runningJobs is the number of jobs that run or are about to start; absent for none.
	// +optional
	// +kubebuilder:validation:Minimum=1
	RunningJobs int32 `json:"runningJobs,omitempty"`

	// heldJobs is the number of jobs whose start has come and that some budget holds; absent
	// for none.
	// +optional
	// +kubebuilder:validation:Minimum=1
	HeldJobs int32 `json:"heldJobs,omitempty"`

	// settled is the part of the current period that deleted CarbonAwareJobs have left.
	// +optional
	Settled *SettledTotal `json:"settled,omitempty"`

	// settling are CarbonAwareJobs that are being deleted: their grams are part of settled already.
	// +optional
	// +listType=map
	// +listMapKey=uid
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	Settling []SettlingJob `json:"settling,omitempty"`

	// leader names the process that reserves in this budget. Another one takes the budget over by writing
	// its own name here, and reads all reservations after that: the former one can write no more.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Leader string `json:"leader,omitempty"`

	// granted are CarbonAwareJobs for which grams are set aside here, as part of reservedGrams, and whose
	// own status does not say so yet. None starts before both do.
	// +optional
	// +listType=map
	// +listMapKey=uid
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	Granted []GrantedJob `json:"granted,omitempty"`

	// history holds the periods before this one, the latest first, at most 12.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=12
	History []PeriodTotal `json:"history,omitempty"`
}

// BudgetPeriodStatus bounds a period. A Total budget has no bounds.
type BudgetPeriodStatus struct {
	// start of the period.
	// +required
	Start metav1.Time `json:"start,omitzero"`

	// end of the period: the next one begins then.
	// +required
	End metav1.Time `json:"end,omitzero"`
}

// SettledTotal is what deleted CarbonAwareJobs have left in a period.
type SettledTotal struct {
	// consumedGrams is what they emitted, in gCO2e.
	// +required
	ConsumedGrams Decimal `json:"consumedGrams,omitempty"`

	// avoidedGrams is what they avoided, in gCO2e.
	// +required
	AvoidedGrams Decimal `json:"avoidedGrams,omitempty"`

	// jobs is the number of runs.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Jobs int32 `json:"jobs,omitempty"`
}

// SettlingJob is a CarbonAwareJob that is being deleted and whose grams are settled.
type SettlingJob struct {
	// uid of the CarbonAwareJob.
	// +required
	UID types.UID `json:"uid,omitempty"`

	// grams that were settled, in gCO2e.
	// +required
	Grams Decimal `json:"grams,omitempty"`
}

// GrantedJob is a CarbonAwareJob that was granted room in a budget.
type GrantedJob struct {
	// uid of the CarbonAwareJob.
	// +required
	UID types.UID `json:"uid,omitempty"`

	// grams that were granted, in gCO2e.
	// +required
	Grams Decimal `json:"grams,omitempty"`

	// resourceVersion of the CarbonAwareJob for which this holds. A later one that has no reservation has
	// given it up.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	ResourceVersion string `json:"resourceVersion,omitempty"`
}

// PeriodTotal is what was used in a period that is over.
type PeriodTotal struct {
	// start of the period.
	// +required
	Start metav1.Time `json:"start,omitzero"`

	// end of the period.
	// +required
	End metav1.Time `json:"end,omitzero"`

	// consumedGrams of runs that ended in the period, in gCO2e.
	// +required
	ConsumedGrams Decimal `json:"consumedGrams,omitempty"`

	// avoidedGrams of runs that ended in the period, in gCO2e.
	// +required
	AvoidedGrams Decimal `json:"avoidedGrams,omitempty"`

	// jobs is the number of runs that ended in the period.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Jobs int32 `json:"jobs,omitempty"`

	// settled is the part of it that deleted CarbonAwareJobs have left.
	// +optional
	Settled *SettledTotal `json:"settled,omitempty"`
}
