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
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// buildJob is the Job of a CarbonAwareJob as it is created: suspended, with our label, finalizer
// and owner reference, with the variables that may change at the start read from annotations, and with
// the meter where one is asked for.
// Everything else is the user's template. A Kueue queue label is left out until the start, so that
// Kueue does not start the Job before its time.
func buildJob(caj *carbonv1alpha1.CarbonAwareJob, regions []regionFacts, meterImage string) *batchv1.Job {
	template := templateOf(caj).DeepCopy()
	wireModel(template, caj.Spec.LLM, requestedModel(caj.Spec.LLM, templateOf(caj)))
	for _, name := range regionEnvNames(regions) {
		if caj.Spec.LLM == nil || caj.Spec.LLM.ModelEnv != name {
			wireRegionEnv(template, name)
		}
	}
	addMeter(caj, &template.Spec.Template, meterImage)

	labels := maps.Clone(template.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	delete(labels, carbonv1alpha1.LabelKueueQueue)
	labels[carbonv1alpha1.LabelJob] = caj.Name

	annotations := maps.Clone(template.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[carbonv1alpha1.AnnotationTemplate] = digest(templateOf(caj))

	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Name:        caj.Name,
			Namespace:   caj.Namespace,
			Labels:      labels,
			Annotations: annotations,
			Finalizers:  []string{carbonv1alpha1.FinalizerJob},
			OwnerReferences: []metav1.OwnerReference{
				*metav1.NewControllerRef(caj, carbonv1alpha1.GroupVersion.WithKind("CarbonAwareJob")),
			},
		},
		Spec: template.Spec,
	}
	job.Spec.Suspend = new(true)
	return job
}

// digest tells one template from another.
func digest(template *batchv1.JobTemplateSpec) string {
	text, err := json.Marshal(template)
	if err != nil {
		return "" // what came as JSON can be written as such
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// isOfAnotherTemplate says whether a Job that nobody has started was created from a template that was edited
// since.
func isOfAnotherTemplate(job *batchv1.Job, caj *carbonv1alpha1.CarbonAwareJob) bool {
	from := job.Annotations[carbonv1alpha1.AnnotationTemplate]
	return from != "" && from != digest(templateOf(caj)) && isSuspended(job) && !isStartIssued(job)
}

// regionEnvNames are the variables that any of the regions sets, sorted.
func regionEnvNames(regions []regionFacts) []string {
	names := map[string]bool{}
	for _, r := range regions {
		if r.object == nil || r.object.Spec.Placement == nil {
			continue
		}
		for _, e := range r.object.Spec.Placement.Env {
			names[e.Name] = true
		}
	}
	return sortedKeys(names)
}

// templateOf is the template of the job, or what the cache has kept of it; never nil, and not to be changed.
func templateOf(caj *carbonv1alpha1.CarbonAwareJob) *batchv1.JobTemplateSpec {
	if caj.Spec.JobTemplate == nil {
		return &noTemplate
	}
	return caj.Spec.JobTemplate
}

// noTemplate is that of a job of whose template nothing was kept.
var noTemplate batchv1.JobTemplateSpec

// queueOf is the Kueue queue that the template names; empty when Kueue is not involved.
func queueOf(caj *carbonv1alpha1.CarbonAwareJob) string {
	return templateOf(caj).Labels[carbonv1alpha1.LabelKueueQueue]
}

// isStartIssued says whether the Job was started by us: the start patch writes this annotation.
func isStartIssued(job *batchv1.Job) bool {
	return job != nil && job.Annotations[carbonv1alpha1.AnnotationStart] != ""
}

func isSuspended(job *batchv1.Job) bool {
	return ptr.Deref(job.Spec.Suspend, false)
}

// finishedCondition is the Job's Complete or Failed condition, nil while it has not finished.
func finishedCondition(job *batchv1.Job) *batchv1.JobCondition {
	i := slices.IndexFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == "True"
	})
	if i < 0 {
		return nil
	}
	return &job.Status.Conditions[i]
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
