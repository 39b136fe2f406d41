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

// Package replay replays the history of power grids to tell what a policy would have saved there: the
// protocol of the EcoTracker paper, over the policy code that the operator runs (policy.Choose) and the
// estimate that it runs it with (forecast.Blend).
//
// A job is submitted in every slot of every whole UTC day, may wait for the allowed delay, and emits its
// energy times the actual mean intensity over its run. Four policies decide on the same jobs:
//
//	now      starts at the submission, at home
//	argmin   the planner of the paper: the least forecast at the start, decided once
//	default  what the operator does with its default settings
//	oracle   the least actual intensity: the most that can be saved
//
// No policy but the oracle can see what was not known at its decision: it is handed a Knowledge, which
// holds nothing else. The forecasts of a trace are those of the last revision, as providers keep them;
// a live forecast is a little worse, for every policy.
package replay
