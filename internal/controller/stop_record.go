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

// stopRecord says why a running Job was stopped for good. It is written onto the Job by the very patch
// that suspends it.
type stopRecord struct {
	// At is when the stop was issued.
	At time.Time `json:"at"`
	// Message says why, for people.
	Message string `json:"message"`
}

func (r stopRecord) encode() (string, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("encoding the stop record: %w", err)
	}
	return string(data), nil
}

// isStopped says whether we stopped the Job for good.
func isStopped(job *batchv1.Job) bool {
	return job != nil && job.Annotations[carbonv1alpha1.AnnotationStop] != ""
}

// stopRecordOf is the Job's stop record; one that somebody garbled counts all the same.
func stopRecordOf(job *batchv1.Job) (record stopRecord) {
	if err := json.Unmarshal([]byte(job.Annotations[carbonv1alpha1.AnnotationStop]), &record); err != nil {
		return stopRecord{Message: "the run was stopped"}
	}
	return record
}
