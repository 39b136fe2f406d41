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

// Condition types and reasons of a CarbonBudget.
const (
	// BudgetReady is True while a job could still start. Its reason is the STATUS column of kubectl.
	BudgetReady = "Ready"
	// BudgetWithinBudget is False once what was consumed has reached the limit.
	BudgetWithinBudget = "WithinBudget"
	// BudgetNearLimit is True from warnAtPercent of the limit on, reservations included.
	BudgetNearLimit = "NearLimit"

	// ReasonWithinLimit (Ready, WithinBudget, NearLimit): less than warnAtPercent is used.
	ReasonWithinLimit = "WithinLimit"
	// ReasonNearLimit (Ready, NearLimit): warnAtPercent of the limit is used or reserved.
	ReasonNearLimit = "NearLimit"
	// ReasonEased (WithinBudget, NearLimit): the limit was near or reached earlier in this period,
	// and is not any more.
	ReasonEased = "Eased"
	// ReasonFullyReserved (Ready): nothing remains while the present jobs run.
	ReasonFullyReserved = "FullyReserved"
	// ReasonLimitReached (Ready, WithinBudget): what was consumed has reached the limit.
	ReasonLimitReached = "LimitReached"
	// ReasonInvalidTimeZone (Ready): the time zone is unknown, so periods begin in UTC.
	ReasonInvalidTimeZone = "InvalidTimeZone"
)
