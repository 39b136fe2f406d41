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

// Package build makes objects for tests: build.CarbonAwareJob("x", "ns").Regions("gb").Obj().
package build

import (
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// Job builds a CarbonAwareJob.
type Job struct{ object carbonv1alpha1.CarbonAwareJob }

// CarbonAwareJob is a valid one with one container that does nothing.
func CarbonAwareJob(name, namespace string) *Job {
	return &Job{carbonv1alpha1.CarbonAwareJob{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: carbonv1alpha1.CarbonAwareJobSpec{
			JobTemplate: &batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyNever,
				Containers:    []corev1.Container{{Name: "main", Image: "example.org/job:1"}},
			}}}},
		},
	}}
}

// Obj is a copy of what was built.
func (j *Job) Obj() *carbonv1alpha1.CarbonAwareJob { return j.object.DeepCopy() }

// Regions sets spec.regions.
func (j *Job) Regions(names ...string) *Job {
	j.object.Spec.Regions = names
	return j
}

// MaxDelay sets spec.maxDelay.
func (j *Job) MaxDelay(d time.Duration) *Job {
	j.object.Spec.MaxDelay = &metav1.Duration{Duration: d}
	return j
}

// Duration sets spec.expectedDuration.
func (j *Job) Duration(d time.Duration) *Job {
	j.object.Spec.ExpectedDuration = &metav1.Duration{Duration: d}
	return j
}

// Jitter sets spec.jitter.
func (j *Job) Jitter(d time.Duration) *Job {
	j.object.Spec.Jitter = &metav1.Duration{Duration: d}
	return j
}

// KWh sets spec.energy.kWh.
func (j *Job) KWh(quantity string) *Job {
	j.object.Spec.Energy = &carbonv1alpha1.EnergySpec{KWh: new(resource.MustParse(quantity))}
	return j
}

// Watts sets spec.energy.watts.
func (j *Job) Watts(quantity string) *Job {
	j.object.Spec.Energy = &carbonv1alpha1.EnergySpec{Watts: new(resource.MustParse(quantity))}
	return j
}

// Suspend sets spec.suspend.
func (j *Job) Suspend(suspend bool) *Job {
	j.object.Spec.Suspend = &suspend
	return j
}

// TTL sets spec.ttlSecondsAfterFinished.
func (j *Job) TTL(seconds int32) *Job {
	j.object.Spec.TTLSecondsAfterFinished = &seconds
	return j
}

// RunNow sets the run-now annotation.
func (j *Job) RunNow() *Job {
	j.object.Annotations = map[string]string{carbonv1alpha1.AnnotationRunNow: "true"}
	return j
}

// Model sets spec.llm with a downgrade above the given intensity; a cheaper model may be empty.
func (j *Job) Model(env, model, cheaper string, above int32) *Job {
	if j.object.Spec.LLM == nil {
		j.object.Spec.LLM = &carbonv1alpha1.LLMSpec{}
	}
	j.object.Spec.LLM.ModelEnv, j.object.Spec.LLM.Model = env, model
	j.object.Spec.LLM.Downgrade = &carbonv1alpha1.DowngradeSpec{Model: cheaper, AboveGramsPerKWh: &above}
	return j
}

// Workload sets spec.llm.workload; call it after Model.
func (j *Job) Workload(calls, outputTokensPerCall int64) *Job {
	j.object.Spec.LLM.Workload = &carbonv1alpha1.WorkloadSpec{Calls: calls, OutputTokensPerCall: outputTokensPerCall}
	return j
}

// Env adds a literal variable to the first container.
func (j *Job) Env(name, value string) *Job {
	c := &j.object.Spec.JobTemplate.Spec.Template.Spec.Containers[0]
	c.Env = append(c.Env, corev1.EnvVar{Name: name, Value: value})
	return j
}

// Template changes the Job template.
func (j *Job) Template(change func(*batchv1.JobTemplateSpec)) *Job {
	change(j.object.Spec.JobTemplate)
	return j
}

// Labels sets the labels of the CarbonAwareJob itself.
func (j *Job) Labels(labels map[string]string) *Job {
	j.object.Labels = labels
	return j
}

// Budget builds a CarbonBudget.
type Budget struct{ object carbonv1alpha1.CarbonBudget }

// CarbonBudget is one for every job of the namespace, without a period, that holds.
func CarbonBudget(name, namespace, limitGrams string) *Budget {
	return &Budget{carbonv1alpha1.CarbonBudget{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: carbonv1alpha1.CarbonBudgetSpec{
			LimitGrams: new(resource.MustParse(limitGrams)), Period: carbonv1alpha1.BudgetTotal, Enforcement: carbonv1alpha1.BudgetHold,
		},
	}}
}

// Obj is a copy of what was built.
func (b *Budget) Obj() *carbonv1alpha1.CarbonBudget { return b.object.DeepCopy() }

// Period sets spec.period.
func (b *Budget) Period(period carbonv1alpha1.BudgetPeriod) *Budget {
	b.object.Spec.Period = period
	return b
}

// Enforcement sets spec.enforcement.
func (b *Budget) Enforcement(enforcement carbonv1alpha1.BudgetEnforcement) *Budget {
	b.object.Spec.Enforcement = enforcement
	return b
}

// Selector sets spec.selector.matchLabels.
func (b *Budget) Selector(labels map[string]string) *Budget {
	b.object.Spec.Selector = &carbonv1alpha1.BudgetSelector{MatchLabels: labels}
	return b
}

// TimeZone sets spec.timeZone.
func (b *Budget) TimeZone(name string) *Budget {
	b.object.Spec.TimeZone = name
	return b
}

// MaxGrams sets spec.maxGrams.
func (j *Job) MaxGrams(quantity string) *Job {
	j.object.Spec.MaxGrams = new(resource.MustParse(quantity))
	return j
}

// Meter sets spec.llm.meter.mode.
func (j *Job) Meter(mode carbonv1alpha1.MeterMode) *Job {
	if j.object.Spec.LLM == nil {
		j.object.Spec.LLM = &carbonv1alpha1.LLMSpec{}
	}
	j.object.Spec.LLM.Meter = &carbonv1alpha1.MeterSpec{Mode: mode}
	return j
}
