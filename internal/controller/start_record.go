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

package controller

import (
	"encoding/json"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// startRecord is what was decided when a Job was started. It is written onto the Job by the very
// patch that starts it, so it can neither be lost nor told apart from the start.
type startRecord struct {
	// At is when the start was issued.
	At time.Time `json:"at"`
	// Region the Job was started in; empty when none was known.
	Region string `json:"region,omitempty"`
	// GramsPerKWh is the region's intensity at the start in gCO2e/kWh; empty when unknown.
	GramsPerKWh carbonv1alpha1.Decimal `json:"gramsPerKWh,omitempty"`
	// RequestedModel and Model are the model asked for and the model used.
	RequestedModel string `json:"requestedModel,omitempty"`
	Model          string `json:"model,omitempty"`
	// DowngradeReason and DowngradeMessage say why the model was switched or not; empty when the
	// job allows no downgrade.
	DowngradeReason  string `json:"downgradeReason,omitempty"`
	DowngradeMessage string `json:"downgradeMessage,omitempty"`
	// Queue is the Kueue queue that the Job was handed to.
	Queue string `json:"queue,omitempty"`
	// ByOthers says that somebody else unsuspended the Job.
	ByOthers bool `json:"byOthers,omitempty"`
}

func (r startRecord) encode() (string, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("encoding the start record: %w", err)
	}
	return string(data), nil
}

// startRecordOf is the Job's start record. A record that somebody garbled counts as an empty one:
// that the Job was started is certain all the same.
func startRecordOf(job *batchv1.Job) (record startRecord) {
	if job == nil {
		return record
	}
	if err := json.Unmarshal([]byte(job.Annotations[carbonv1alpha1.AnnotationStart]), &record); err != nil {
		return startRecord{}
	}
	return record
}

func (r startRecord) downgraded() bool {
	return r.DowngradeReason == carbonv1alpha1.ReasonDirtyGrid
}
