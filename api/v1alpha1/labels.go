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

const (
	// LabelJob marks every Job that the operator creates; its value is the name of the CarbonAwareJob.
	LabelJob = "carbon.ecotracker.dev/carbonawarejob"

	// LabelMeter marks every pod with a meter; its value is the name of the CarbonAwareJob.
	LabelMeter = "carbon.ecotracker.dev/meter"

	// AnnotationCounted on a pod, with the value "true", says that its meter's numbers are on record.
	AnnotationCounted = "carbon.ecotracker.dev/counted"

	// AnnotationRunNow on a CarbonAwareJob, with the value "true", starts it at once.
	AnnotationRunNow = "carbon.ecotracker.dev/run-now"

	// AnnotationDefaultRegion on a GridRegion, with the value "true", makes it the region of
	// every CarbonAwareJob that names none.
	AnnotationDefaultRegion = "carbon.ecotracker.dev/is-default-region"

	// AnnotationEnvPrefix starts the name of the pod-template annotations that carry the values
	// of variables which may change at the start; the variable's name follows the slash.
	AnnotationEnvPrefix = "model.carbon.ecotracker.dev/"

	// AnnotationStart on a Job records, as JSON, what was decided when it was started. It is
	// written by the patch that starts the Job, so that the decision and the start are one write.
	AnnotationStart = "carbon.ecotracker.dev/start"

	// AnnotationStop on a Job records, as JSON, why its run was stopped for good. It is written by
	// the patch that suspends the Job.
	AnnotationStop = "carbon.ecotracker.dev/stop"

	// AnnotationTemplate on a Job is a digest of the spec.jobTemplate from which it was created.
	AnnotationTemplate = "carbon.ecotracker.dev/template"

	// AnnotationGivenBack on a Job is the resourceVersion of its CarbonAwareJob at which the reservation for
	// its start was given back: by that version, or an earlier one, it must not be started.
	AnnotationGivenBack = "carbon.ecotracker.dev/given-back"

	// LabelKueueQueue is Kueue's queue label. A template that carries it is handed to Kueue at
	// the planned time: Kueue unsuspends the Job then.
	LabelKueueQueue = "kueue.x-k8s.io/queue-name"

	// FinalizerCarbonAwareJob keeps a CarbonAwareJob until its Job no longer needs its record.
	FinalizerCarbonAwareJob = "carbon.ecotracker.dev/carbonawarejob"

	// FinalizerJob keeps a Job until its run is recorded.
	FinalizerJob = "carbon.ecotracker.dev/emissions"
)
