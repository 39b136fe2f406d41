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
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// A container's environment cannot be changed after its Job was created, but the annotations of a
// suspended Job's pod template can. So every variable that may change at the start is read from an
// annotation, and the start writes the annotation.

// envAnnotation is the pod-template annotation from which the variable takes its value.
func envAnnotation(env string) string {
	return carbonv1alpha1.AnnotationEnvPrefix + env
}

// requestedModel is the model that the job asks for: llm.model, else the literal value of
// llm.modelEnv in the first container that has one, else the value of the annotation that a
// template already carries. It is empty when the template does not tell.
func requestedModel(llm *carbonv1alpha1.LLMSpec, template *batchv1.JobTemplateSpec) string {
	if llm == nil {
		return ""
	}
	if llm.Model != "" {
		return llm.Model
	}
	if literals := literalValues(template, llm.ModelEnv); len(literals) > 0 {
		return literals[0]
	}
	return template.Spec.Template.Annotations[envAnnotation(llm.ModelEnv)]
}

// modelConflict says what is wrong when llm.model differs from every literal value that the
// template gives to the variable; it is empty when nothing is.
func modelConflict(llm *carbonv1alpha1.LLMSpec, template *batchv1.JobTemplateSpec) string {
	if llm == nil || llm.Model == "" {
		return ""
	}
	literals := literalValues(template, llm.ModelEnv)
	if len(literals) == 0 || slices.Contains(literals, llm.Model) {
		return ""
	}
	return fmt.Sprintf("spec.llm.model is %q but the template sets %s to %q: make them equal or leave spec.llm.model out",
		llm.Model, llm.ModelEnv, literals[0])
}

func literalValues(template *batchv1.JobTemplateSpec, env string) []string {
	var values []string
	for _, c := range allContainers(&template.Spec.Template.Spec) {
		if i := envIndex(c, env); i >= 0 && c.Env[i].ValueFrom == nil && c.Env[i].Value != "" {
			values = append(values, c.Env[i].Value)
		}
	}
	return values
}

// allContainers lists the main containers first: their value counts as the job's own.
func allContainers(pod *corev1.PodSpec) []*corev1.Container {
	var all []*corev1.Container
	for i := range pod.Containers {
		all = append(all, &pod.Containers[i])
	}
	for i := range pod.InitContainers {
		all = append(all, &pod.InitContainers[i])
	}
	return all
}

// wireModel makes the containers read the model from its annotation. Containers that ask for
// another model by a literal value are left alone. With llm.model set, a value taken from elsewhere
// (valueFrom) is replaced, and containers that lack the variable get it: the job has said which
// model it asks for. Without it both are left alone, because their model is unknown.
func wireModel(template *batchv1.JobTemplateSpec, llm *carbonv1alpha1.LLMSpec, requested string) {
	if requested == "" || llm.ModelEnv == "" {
		return
	}
	pod := &template.Spec.Template.Spec
	for _, c := range allContainers(pod) {
		i := envIndex(c, llm.ModelEnv)
		switch {
		case i < 0:
			continue
		case c.Env[i].ValueFrom == nil && c.Env[i].Value == requested, isWired(c.Env[i]):
			c.Env[i] = wiredEnv(llm.ModelEnv)
		case c.Env[i].ValueFrom != nil && llm.Model != "":
			c.Env[i] = wiredEnv(llm.ModelEnv)
		}
	}
	if llm.Model != "" && len(envOwners(pod, llm.ModelEnv)) == 0 {
		for i := range pod.Containers {
			pod.Containers[i].Env = append(pod.Containers[i].Env, wiredEnv(llm.ModelEnv))
		}
	}
	setAnnotation(template, llm.ModelEnv, requested)
}

// wireRegionEnv makes every container read a region's variable from its annotation. A literal value
// becomes the annotation's first value; a variable taken from elsewhere (valueFrom) is left alone.
func wireRegionEnv(template *batchv1.JobTemplateSpec, name string) {
	pod := &template.Spec.Template.Spec
	first := template.Spec.Template.Annotations[envAnnotation(name)]
	for _, c := range allContainers(pod) {
		i := envIndex(c, name)
		switch {
		case i < 0:
			c.Env = append(c.Env, wiredEnv(name))
		case c.Env[i].ValueFrom == nil:
			if first == "" {
				first = c.Env[i].Value
			}
			c.Env[i] = wiredEnv(name)
		}
	}
	setAnnotation(template, name, first)
}

// envIndex is where the container sets the variable, -1 when it does not. Of several entries the last
// one counts, as for the kubelet.
func envIndex(c *corev1.Container, name string) int {
	for i, e := range slices.Backward(c.Env) {
		if e.Name == name {
			return i
		}
	}
	return -1
}

func envOwners(pod *corev1.PodSpec, name string) []*corev1.Container {
	var owners []*corev1.Container
	for _, c := range allContainers(pod) {
		if envIndex(c, name) >= 0 {
			owners = append(owners, c)
		}
	}
	return owners
}

func isWired(e corev1.EnvVar) bool {
	return e.ValueFrom != nil && e.ValueFrom.FieldRef != nil &&
		e.ValueFrom.FieldRef.FieldPath == annotationPath(e.Name)
}

func wiredEnv(name string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: annotationPath(name)},
	}}
}

func annotationPath(env string) string {
	return "metadata.annotations['" + envAnnotation(env) + "']"
}

func setAnnotation(template *batchv1.JobTemplateSpec, env, value string) {
	pod := &template.Spec.Template
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations[envAnnotation(env)] = value
}

// nodeSelectorConflict says which key of the region's placement the template already has with
// another value; it is empty when they agree.
func nodeSelectorConflict(template *batchv1.JobTemplateSpec, placement *carbonv1alpha1.RegionPlacement) string {
	if placement == nil {
		return ""
	}
	for _, key := range sortedKeys(placement.NodeSelector) {
		have, ok := template.Spec.Template.Spec.NodeSelector[key]
		if want := placement.NodeSelector[key]; ok && have != want {
			return fmt.Sprintf("the template's nodeSelector has %s=%s, the region's placement %s=%s", key, have, key, want)
		}
	}
	return ""
}
