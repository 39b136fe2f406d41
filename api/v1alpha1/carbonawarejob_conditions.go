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

// Condition types of a CarbonAwareJob.
const (
	// ConditionReady is True when the job completed. Its reason is the STATUS column of kubectl.
	ConditionReady = "Ready"
	// ConditionPlanned is True while there is a plan that is based on a forecast.
	ConditionPlanned = "Planned"
	// ConditionWithinBudget is True once every CarbonBudget that matches has set the grams of the
	// run aside, False while one holds the job, and when the run was stopped. It is absent when no
	// budget matches.
	ConditionWithinBudget = "WithinBudget"
	// ConditionStarted is True from the start of the Job on.
	ConditionStarted = "Started"
	// ConditionDowngraded is True when the run uses the cheaper model.
	ConditionDowngraded = "Downgraded"
	// ConditionEnergyKnown is True when the energy of a run can be told, and so its emissions.
	ConditionEnergyKnown = "EnergyKnown"
	// ConditionEmissionsRecorded is True when the emissions are final, Unknown while provisional.
	ConditionEmissionsRecorded = "EmissionsRecorded"
	// ConditionComplete is True when the Job completed.
	ConditionComplete = "Complete"
	// ConditionFailed is True when the Job failed or was deleted before it finished.
	ConditionFailed = "Failed"
)

// Reasons of the condition Ready: what the STATUS column shows.
const (
	// ReasonWaiting: planned, its start has not come.
	ReasonWaiting = "Waiting"
	// ReasonBudgetHold: its start has come, but a CarbonBudget has no room for it.
	ReasonBudgetHold = "BudgetHold"
	// ReasonBudgetExceeded: the run was stopped, because it had emitted spec.maxGrams or because a
	// CarbonBudget was used up.
	ReasonBudgetExceeded = "BudgetExceeded"
	// ReasonStarting: the start is due or was issued, no pod is counted yet.
	ReasonStarting = "Starting"
	// ReasonRunning: the Job runs.
	ReasonRunning = "Running"
	// ReasonCompleted: the Job completed.
	ReasonCompleted = "Completed"
	// ReasonFailed: the Job failed.
	ReasonFailed = "Failed"
	// ReasonSuspended: held by spec.suspend.
	ReasonSuspended = "Suspended"
	// ReasonInvalid: the job cannot be created or placed; the message says what to change.
	ReasonInvalid = "Invalid"
	// ReasonNameConflict: a Job of the same name exists that is not ours.
	ReasonNameConflict = "NameConflict"
)

// Further reasons.
const (
	// ReasonTemplateRejected (Ready=Invalid's sibling on Planned): the API server refused the Job.
	ReasonTemplateRejected = "TemplateRejected"
	// ReasonRegionNotFound (Planned): none of the named GridRegions exists.
	ReasonRegionNotFound = "RegionNotFound"
	// ReasonRegionPending (Planned): the GridRegions have not been read for the first time yet.
	ReasonRegionPending = "RegionPending"
	// ReasonPlacementConflict (Planned): the template's nodeSelector excludes every region.
	ReasonPlacementConflict = "PlacementConflict"
	// ReasonModelUnknown (Downgraded, EnergyKnown): the template does not say which model it asks for.
	ReasonModelUnknown = "ModelUnknown"
	// ReasonModelConflict (Planned): llm.model differs from what the template sets.
	ReasonModelConflict = "ModelConflict"
	// ReasonMeterConflict (Planned): the template has something that the meter cannot be added beside.
	ReasonMeterConflict = "MeterConflict"
	// ReasonMetered (EnergyKnown): nothing is declared, the meter counts the calls while they are made.
	ReasonMetered = "Metered"
	// ReasonMeasured (EnergyKnown): the meter counted the calls.
	ReasonMeasured = "Measured"
	// ReasonMeterPending (EmissionsRecorded): the run has ended, but not all of its meters handed their numbers over.
	ReasonMeterPending = "MeterPending"
	// ReasonNoCheaperModel (Downgraded): no cheaper model is known for the one asked for.
	ReasonNoCheaperModel = "NoCheaperModel"
	// ReasonDirtyGrid (Downgraded): the grid was dirtier than the limit at the start.
	ReasonDirtyGrid = "DirtyGrid"
	// ReasonCleanGrid (Downgraded): the grid was not dirtier than the limit at the start.
	ReasonCleanGrid = "CleanGrid"
	// ReasonIntensityUnknown (Downgraded, EmissionsRecorded): no carbon intensity was known. A record is
	// Unknown while that may change, and False from a day after the run on.
	ReasonIntensityUnknown = "IntensityUnknown"
	// ReasonEnergyUnknown (EnergyKnown, EmissionsRecorded, WithinBudget): the energy of the run is
	// unknown, and so are its emissions; no budget can be checked.
	ReasonEnergyUnknown = "EnergyUnknown"
	// ReasonEnergyDeclared (EnergyKnown): spec.energy.kWh is set.
	ReasonEnergyDeclared = "Declared"
	// ReasonPowerTimesDuration (EnergyKnown): spec.energy.watts is set.
	ReasonPowerTimesDuration = "PowerTimesDuration"
	// ReasonEcoLogits (EnergyKnown): spec.llm.workload is set, and the model is known.
	ReasonEcoLogits = "EcoLogits"
	// ReasonModelNotInTable (EnergyKnown, EmissionsRecorded): spec.llm.workload is set, and the model or
	// its provider is in no table.
	ReasonModelNotInTable = "ModelNotInTable"
	// ReasonProvisional (EmissionsRecorded): some actual intensities are not published yet.
	ReasonProvisional = "Provisional"
	// ReasonFinal (EmissionsRecorded): the record will not change any more.
	ReasonFinal = "Final"
	// ReasonReserved (WithinBudget): the grams are set aside in every budget that matches.
	ReasonReserved = "Reserved"
	// ReasonCarbonBudgetExceeded (Failed, WithinBudget): the run was stopped, because it had emitted
	// spec.maxGrams or because a CarbonBudget was used up.
	ReasonCarbonBudgetExceeded = "CarbonBudgetExceeded"
	// ReasonStartIssued (Started): the start patch was acknowledged.
	ReasonStartIssued = "StartIssued"
	// ReasonHandedToKueue (Started): the queue label was added; Kueue unsuspends the Job.
	ReasonHandedToKueue = "HandedToKueue"
	// ReasonUnsuspendedByOthers (Started): somebody else unsuspended the Job before its planned start.
	ReasonUnsuspendedByOthers = "UnsuspendedByOthers"
	// ReasonJobDeleted (Failed): the Job was deleted before it finished.
	ReasonJobDeleted = "JobDeleted"
	// ReasonNeverRan (EmissionsRecorded): the Job ended without running.
	ReasonNeverRan = "NeverRan"
)
