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

// Package controller reconciles the kinds of this project. It is the only package that touches the
// cluster, and it decides nothing that forecast, policy and estimate can decide.
//
// A pass over a CarbonAwareJob gathers every fact into one scope, plans, creates the suspended Job,
// observes the run, accounts for it, and ends with one status patch; events follow the write. The
// Starter has a queue of its own and makes the one patch that starts a Job. Waiting is not an
// error: what only a change from outside can end becomes a condition.
package controller
