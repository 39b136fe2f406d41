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

	// period over which the grams are counted: Daily, Weekly (from Monday), Monthly or Total. Unset means
	// Monthly.
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
	// consumed and what the runs have emitted so far. Unset means Hold.
	// +optional
	// +kubebuilder:default=Hold
	Enforcement BudgetEnforcement `json:"enforcement,omitempty"`

	// warnAtPercent of the limit, used and reserved together, the budget counts as nearly used up. Unset
	// means 80.
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
