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
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// Room that the start needs in annotations, in bytes: for the start record on the Job, and for the
// value of a variable on the pod template (the longest that the API allows).
const (
	startRecordRoom = 8 << 10
	envValueRoom    = 1 << 10
)

// lackOfRoom says which annotations of the template leave the start no room; empty when there is
// enough. The API server bounds all annotations of an object together. It would take the suspended
// Job, and refuse to start it when it is due.
func lackOfRoom(template *batchv1.JobTemplateSpec, llm *carbonv1alpha1.LLMSpec, regions []regionFacts) string {
	podRoom := 0
	for _, name := range regionEnvNames(regions) {
		podRoom += len(envAnnotation(name)) + envValueRoom
	}
	if llm != nil {
		podRoom += len(envAnnotation(llm.ModelEnv)) + envValueRoom
	}
	if llm != nil && llm.Meter != nil {
		podRoom += meterRoom
	}
	for _, part := range []struct {
		field       string
		annotations map[string]string
		room        int
	}{
		{"jobTemplate.metadata.annotations", template.Annotations, startRecordRoom},
		{"jobTemplate.spec.template.metadata.annotations", template.Spec.Template.Annotations, podRoom},
	} {
		size, limit := 0, apivalidation.TotalAnnotationSizeLimitB-part.room
		for key, value := range part.annotations {
			size += len(key) + len(value)
		}
		if size > limit {
			return fmt.Sprintf("%s have %d bytes, only %d leave room for what the start adds: put long texts into a ConfigMap", part.field, size, limit)
		}
	}
	return ""
}
