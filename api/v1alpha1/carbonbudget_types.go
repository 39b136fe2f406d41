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
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// BudgetPeriod says over which time a CarbonBudget counts.
// +kubebuilder:validation:Enum=Daily;Weekly;Monthly;Total
type BudgetPeriod string

// The periods. Days begin at midnight of the budget's time zone, weeks on Monday.
const (
	BudgetDaily   BudgetPeriod = "Daily"
	BudgetWeekly  BudgetPeriod = "Weekly"
	BudgetMonthly BudgetPeriod = "Monthly"
	// BudgetTotal never begins anew.
	BudgetTotal BudgetPeriod = "Total"
)

// BudgetEnforcement says what a CarbonBudget does when it is used up.
// +kubebuilder:validation:Enum=Warn;Hold;Terminate
type BudgetEnforcement string

const (
	// BudgetWarn only tells, by conditions and Events.
	BudgetWarn BudgetEnforcement = "Warn"
	// BudgetHold starts no job whose expected emissions do not fit into what remains.
	BudgetHold BudgetEnforcement = "Hold"
	// BudgetTerminate does what Hold does, and stops what runs when the limit is reached.
	BudgetTerminate BudgetEnforcement = "Terminate"
)

// CarbonBudgetSpec is a limit to what the CarbonAwareJobs of a namespace emit.
type CarbonBudgetSpec struct {
	// limitGrams is how much the jobs may emit in one period, in gCO2e, from 0 (nothing may
	// start) to 1000000000 (a thousand tonnes), for example "5000". A fraction must be in quotes.
	// +required
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && !quantity(string(self)).isLessThan(quantity('0')) && !quantity(string(self)).isGreaterThan(quantity('1000000000'))",message="limitGrams must be a number of grams such as \"5000\", from 0 to 1000000000"
	LimitGrams *resource.Quantity `json:"limitGrams,omitempty"`

	// period over which the grams are counted: Daily, Weekly (from Monday), Monthly or Total.
	// +optional
	// +kubebuilder:default=Monthly
	Period BudgetPeriod `json:"period,omitempty"`

	// timeZone in which the periods begin, a name of the IANA time zone database such as
	// Europe/Amsterdam. Unset means UTC.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self != 'Local' && !self.contains(':') && timestamp('2026-01-01T00:00:00Z').getHours(self) >= 0",message="timeZone must be a name of the IANA time zone database, for example Europe/Amsterdam"
	TimeZone string `json:"timeZone,omitempty"`

	// selector chooses the CarbonAwareJobs of this namespace that count, by their own labels.
	// Unset means all of them.
	// +optional
	Selector *BudgetSelector `json:"selector,omitempty"`

	// enforcement of the limit. Warn only tells; Hold lets no job start that does not fit into what
	// remains; Terminate also stops all runs at the moment when the limit is reached by what was
	// consumed and what the runs have emitted so far.
	// +optional
	// +kubebuilder:default=Hold
	Enforcement BudgetEnforcement `json:"enforcement,omitempty"`

	// warnAtPercent of the limit, used and reserved together, the budget counts as nearly used up.
	// +optional
	// +kubebuilder:default=80
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	WarnAtPercent int32 `json:"warnAtPercent,omitempty"`
}

// BudgetSelector chooses CarbonAwareJobs.
// +kubebuilder:validation:MinProperties=0
type BudgetSelector struct {
	// matchLabels are labels that a CarbonAwareJob must all have.
	// +optional
	// +kubebuilder:validation:MinProperties=0
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 317 && size(self[k]) <= 63)",message="matchLabels must be labels: keys of at most 317, values of at most 63 characters"
	MatchLabels map[string]string `json:"matchLabels,omitempty"`
}

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

// CarbonBudget limits what the CarbonAwareJobs of its namespace emit in a period.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=cb,categories=carbon
// +kubebuilder:printcolumn:name="Period",type=string,JSONPath=`.spec.period`
// +kubebuilder:printcolumn:name="Limit",type=string,JSONPath=`.spec.limitGrams`,description="May be emitted in a period, gCO2e"
// +kubebuilder:printcolumn:name="Consumed",type=string,JSONPath=`.status.consumedGrams`,description="Emitted by runs that ended in this period, gCO2e"
// +kubebuilder:printcolumn:name="Reserved",type=string,JSONPath=`.status.reservedGrams`,description="Set aside for jobs that run, gCO2e"
// +kubebuilder:printcolumn:name="Remaining",type=string,JSONPath=`.status.remainingGrams`,description="Left for jobs that have not started, gCO2e"
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`,priority=1
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="metadata.name must be at most 63 characters long"
type CarbonBudget struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the limit, and for whom.
	// +required
	Spec CarbonBudgetSpec `json:"spec,omitzero"`

	// status is what was used.
	// +optional
	Status CarbonBudgetStatus `json:"status,omitzero"`
}

// CarbonBudgetList is a list of CarbonBudgets.
// +kubebuilder:object:root=true
type CarbonBudgetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []CarbonBudget `json:"items"`
}
