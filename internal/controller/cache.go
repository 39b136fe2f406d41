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
	"maps"
	"strings"
	"unique"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// CacheOptions is what the operator keeps in memory of the cluster: its own kinds, the Jobs that it
// made, their pods that have a meter, and the ConfigMaps of its own namespace, each without what no decision needs.
func CacheOptions(namespace string) (cache.Options, error) {
	ours, err := labels.NewRequirement(carbonv1alpha1.LabelJob, selection.Exists, nil)
	if err != nil {
		return cache.Options{}, fmt.Errorf("selecting our Jobs: %w", err)
	}
	return cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&batchv1.Job{}:                   {Label: labels.NewSelector().Add(*ours), Transform: Trim},
			&carbonv1alpha1.CarbonAwareJob{}: {Transform: Trim},
			&corev1.Pod{}:                    meteredPods(),
			&corev1.ConfigMap{}:              {Namespaces: map[string]cache.Config{namespace: {}}},
		},
	}, nil
}

// Trim takes out of a Job or a CarbonAwareJob what is only needed to create the Job, which is done
// from the API server's own answer: templates are most of the memory that a waiting job takes. What
// was trimmed must never be written back whole, only as a patch against a trimmed one. Other objects
// stay as they are.
func Trim(object any) (any, error) {
	switch o := object.(type) {
	case *batchv1.Job:
		trimJob(o)
		trimMeta(&o.ObjectMeta)
	case *carbonv1alpha1.CarbonAwareJob:
		trimMeta(&o.ObjectMeta)
		trimTemplate(o)
		shareStatus(&o.Status)
		if job := o.Status.Job; job != nil {
			shareName(&job.Name, &o.ObjectMeta)
		}
	}
	return object, nil
}

func trimMeta(m *metav1.ObjectMeta) {
	m.ManagedFields = nil
	delete(m.Annotations, corev1.LastAppliedConfigAnnotation)
	share(&m.Namespace)
	shareKeys(m.Labels)
	shareKeys(m.Annotations)
	for i := range m.Finalizers {
		share(&m.Finalizers[i])
	}
	for i := range m.OwnerReferences {
		owner := &m.OwnerReferences[i]
		share(&owner.APIVersion)
		share(&owner.Kind)
		shareName(&owner.Name, m)
	}
}

// shareKeys lets the keys that many objects have be in memory once.
func shareKeys(words map[string]string) {
	for key, value := range words {
		share(&key)
		words[key] = value // which takes the key that it is given
	}
}

// shareName lets a name be in memory once that an object has in several places.
func shareName(name *string, m *metav1.ObjectMeta) {
	if *name == m.Name {
		*name = m.Name
	}
}

// shareStatus lets the words that all jobs have in common be in memory once. A message stands in up to
// three places of one status.
func shareStatus(status *carbonv1alpha1.CarbonAwareJobStatus) {
	message := ""
	if plan := status.Plan; plan != nil {
		share(&plan.Region)
		share(&plan.Reason)
		share(&plan.Quality)
		share(&plan.Signal)
		message = plan.Message
		plan.Candidates = fitting(plan.Candidates)
		for i := range plan.Candidates {
			share(&plan.Candidates[i].Region)
			share(&plan.Candidates[i].Quality)
		}
	}
	status.Conditions = fitting(status.Conditions)
	for i := range status.Conditions {
		c := &status.Conditions[i]
		share(&c.Type)
		share(&c.Reason)
		share(&c.Status)
		if c.Message == message {
			c.Message = message
		}
	}
}

// fitting is the list without the room for more that decoding leaves behind it.
func fitting[T any](list []T) []T {
	if len(list) == cap(list) {
		return list
	}
	return append(make([]T, 0, len(list)), list...)
}

// share puts one copy in the place of a word that many objects have: a new one whenever garbage was collected, which
// are few.
func share[T ~string](word *T) { *word = T(unique.Make(string(*word)).Value()) }

// trimJob leaves what the start patch changes, and what tells of the run.
func trimJob(job *batchv1.Job) {
	pod := job.Spec.Template
	keepOurs(job.Labels)
	keepOurs(job.Annotations)
	keepOurs(pod.Annotations)
	if name, has := job.Labels[carbonv1alpha1.LabelJob]; has {
		shareName(&name, &job.ObjectMeta)
		job.Labels[carbonv1alpha1.LabelJob] = name
	}
	job.Spec = batchv1.JobSpec{Suspend: job.Spec.Suspend, Template: corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Annotations: pod.Annotations},
		Spec:       corev1.PodSpec{NodeSelector: pod.Spec.NodeSelector, Tolerations: pod.Spec.Tolerations},
	}}
	job.Status.UncountedTerminatedPods = nil
}

// keepOurs leaves the labels or annotations of the operator, and the queue of Kueue: the user's own are nothing to it.
func keepOurs(words map[string]string) {
	maps.DeleteFunc(words, func(key, _ string) bool {
		return !strings.Contains(key, carbonv1alpha1.GroupVersion.Group) && key != carbonv1alpha1.LabelKueueQueue
	})
}

// trimTemplate leaves what plans, energies and the model are told by, and, until there is a Job, the
// annotations, whose size is checked.
func trimTemplate(caj *carbonv1alpha1.CarbonAwareJob) {
	whole := templateOf(caj)
	pod := &whole.Spec.Template
	var kept batchv1.JobTemplateSpec
	if queue := queueOf(caj); queue != "" {
		kept.Labels = map[string]string{carbonv1alpha1.LabelKueueQueue: queue}
	}
	kept.Spec.Completions, kept.Spec.Parallelism = whole.Spec.Completions, whole.Spec.Parallelism
	kept.Spec.Template.Spec.NodeSelector = pod.Spec.NodeSelector
	kept.Annotations, kept.Spec.Template.Annotations = whole.Annotations, pod.Annotations
	if caj.Status.Job != nil {
		kept.Annotations, kept.Spec.Template.Annotations = nil, nil
	}
	if llm := caj.Spec.LLM; llm != nil {
		if model, has := pod.Annotations[envAnnotation(llm.ModelEnv)]; has && kept.Spec.Template.Annotations == nil {
			setAnnotation(&kept, llm.ModelEnv, model)
		}
		kept.Spec.Template.Spec.Containers = onlyEnv(pod.Spec.Containers, llm.ModelEnv)
		kept.Spec.Template.Spec.InitContainers = onlyEnv(pod.Spec.InitContainers, llm.ModelEnv)
	}
	caj.Spec.JobTemplate = nil // an empty one would take more than a kilobyte
	if saysSomething(&kept) {
		caj.Spec.JobTemplate = kept.DeepCopy()
	}
}

// saysSomething is false of a template of which nothing was kept.
func saysSomething(kept *batchv1.JobTemplateSpec) bool {
	pod := &kept.Spec.Template
	return len(kept.Labels)+len(kept.Annotations)+len(pod.Annotations)+len(pod.Spec.NodeSelector) > 0 ||
		len(pod.Spec.Containers)+len(pod.Spec.InitContainers) > 0 || kept.Spec.Completions != nil || kept.Spec.Parallelism != nil
}

// onlyEnv are the containers that set the variable, with nothing else.
func onlyEnv(containers []corev1.Container, name string) []corev1.Container {
	var kept []corev1.Container
	for i := range containers {
		if at := envIndex(&containers[i], name); at >= 0 {
			kept = append(kept, corev1.Container{Env: []corev1.EnvVar{containers[i].Env[at]}})
		}
	}
	return kept
}
