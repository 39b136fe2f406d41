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
	"maps"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// startPatch is the one patch that starts a Job: the start record, the values of the variables, the
// placement, and the end of its suspension or the queue label. It carries the resourceVersion, so
// of two that try only one succeeds.
func startPatch(caj *carbonv1alpha1.CarbonAwareJob, job *batchv1.Job, region regionFacts, record startRecord) (client.Patch, *batchv1.Job, error) {
	text, err := record.encode()
	if err != nil {
		return nil, nil, err
	}
	started := job.DeepCopy()
	started.Annotations = maps.Clone(started.Annotations)
	if started.Annotations == nil {
		started.Annotations = map[string]string{}
	}
	started.Annotations[carbonv1alpha1.AnnotationStart] = text
	setEnvAnnotations(caj, &started.Spec.Template, region, record.Model)
	setMeterDecisions(caj, &started.Spec.Template.ObjectMeta, region, record)
	if region.object != nil && region.object.Spec.Placement != nil {
		place(&started.Spec.Template.Spec, region.object.Spec.Placement)
	}
	if record.Queue != "" {
		started.Labels[carbonv1alpha1.LabelKueueQueue] = record.Queue
	} else {
		started.Spec.Suspend = new(false)
	}
	return lockedPatch(job), started, nil
}

// setEnvAnnotations gives the variables the values that they have in the region.
func setEnvAnnotations(caj *carbonv1alpha1.CarbonAwareJob, template *corev1.PodTemplateSpec, region regionFacts, model string) {
	set := func(env, value string) {
		if template.Annotations == nil {
			template.Annotations = map[string]string{}
		}
		template.Annotations[envAnnotation(env)] = value
	}
	if caj.Spec.LLM != nil && caj.Spec.LLM.ModelEnv != "" && model != "" {
		set(caj.Spec.LLM.ModelEnv, model)
	}
	if region.object == nil || region.object.Spec.Placement == nil {
		return
	}
	for _, e := range region.object.Spec.Placement.Env {
		if caj.Spec.LLM == nil || caj.Spec.LLM.ModelEnv != e.Name {
			set(e.Name, e.Value)
		}
	}
}

// place adds the region's nodeSelector and tolerations. A key that the template has already keeps
// its value; the planner lets no region through where that makes a difference.
func place(pod *corev1.PodSpec, placement *carbonv1alpha1.RegionPlacement) {
	for key, value := range placement.NodeSelector {
		if pod.NodeSelector == nil {
			pod.NodeSelector = map[string]string{}
		}
		if _, has := pod.NodeSelector[key]; !has {
			pod.NodeSelector[key] = value
		}
	}
	for _, t := range placement.Tolerations {
		if !hasToleration(pod.Tolerations, t) {
			pod.Tolerations = append(pod.Tolerations, t)
		}
	}
}

func hasToleration(tolerations []corev1.Toleration, want corev1.Toleration) bool {
	for _, t := range tolerations {
		if equality.Semantic.DeepEqual(t, want) {
			return true
		}
	}
	return false
}
