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

// Package report adds up what CarbonAwareJobs emitted and avoided, by namespace, model, region and
// day, and writes it as a table, JSON, YAML, CSV or one HTML page. It reads no cluster and no clock:
// jobs are handed to a Builder one by one, so memory grows with the groups and not with the jobs.
//
// Sums are exact: the decimal numbers of the records are added as decimal numbers, whatever their
// length. Only the table and the page round, for the eye.
package report
