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

package envtest

import (
	"encoding/json"
	"maps"

	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// metered is a job with a meter whose code asks for gpt-4.1.
func (w *world) metered(name string, mode carbonv1alpha1.MeterMode, region string) *build.Job {
	return build.CarbonAwareJob(name, w.namespace).Regions(region).MaxDelay(0).Meter(mode)
}

// pod plays the Job controller that creates a pod of a Job.
func (w *world) pod(job, name string) *corev1.Pod {
	of := w.job(job)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: w.namespace, Labels: maps.Clone(of.Spec.Template.Labels), Annotations: maps.Clone(of.Spec.Template.Annotations),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(of, batchv1.SchemeGroupVersion.WithKind("Job"))},
		},
		Spec: *of.Spec.Template.Spec.DeepCopy(),
	}
	Expect(api.Create(w.ctx, pod)).To(Succeed())
	return pod
}

// podStatus plays the kubelet: the phase of a pod, and the state of its meter.
func (w *world) podStatus(name string, phase corev1.PodPhase, change func(*corev1.ContainerStatus)) *corev1.Pod {
	pod := w.getPod(name)
	sidecar := corev1.ContainerStatus{Name: "carbon-meter"}
	if len(pod.Status.InitContainerStatuses) > 0 {
		sidecar = pod.Status.InitContainerStatuses[0]
	}
	change(&sidecar)
	pod.Status.Phase, pod.Status.InitContainerStatuses = phase, []corev1.ContainerStatus{sidecar}
	Expect(api.Status().Update(w.ctx, pod)).To(Succeed())
	return pod
}

func (w *world) getPod(name string) *corev1.Pod {
	pod := &corev1.Pod{}
	Expect(api.Get(w.ctx, w.key(name), pod)).To(Succeed())
	return pod
}

func (w *world) podRuns(name string) {
	w.podStatus(name, corev1.PodRunning, func(c *corev1.ContainerStatus) {
		c.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(w.clock.Now())}}
	})
}

// podEnds is a pod that ends with a report of its meter.
func (w *world) podEnds(name string, phase corev1.PodPhase, report meter.Report) *corev1.Pod {
	return w.podStatus(name, phase, func(c *corev1.ContainerStatus) {
		c.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Message: message(report)}}
	})
}

// podDies is a pod that ends without a word of its meter.
func (w *world) podDies(name string) *corev1.Pod {
	return w.podStatus(name, corev1.PodFailed, func(c *corev1.ContainerStatus) {
		c.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "ContainerStatusUnknown"}}
	})
}

// podGoes deletes a pod, and has the watch tell of it if somebody watches.
func (w *world) podGoes(name string, watched bool) {
	pod := w.getPod(name)
	Expect(api.Delete(w.ctx, pod, client.GracePeriodSeconds(0))).To(Succeed())
	if watched {
		w.planner.Departed(pod)
	}
}

func message(r meter.Report) string {
	r.Version = 1
	text, err := json.Marshal(r)
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}

// calls is a report of answered calls with 100 output tokens each, at 300 g/kWh.
func calls(n int64, requested, effective string) meter.Report {
	const kWh, wouldKWh = 1e-5, 5e-5
	tally := meter.Tally{Calls: n, Tokens: meter.Tokens{Input: 10 * n, Output: 100 * n}, KWh: kWh * float64(n), RequestedKWh: kWh * float64(n)}
	down := requested != effective
	if down {
		tally.RequestedKWh = wouldKWh * float64(n)
	}
	tally.Nanograms = 3_000_000 * estimate.Nanograms(n)
	return meter.Report{Lines: []meter.Line{{
		Kind:  meter.Kind{Provider: "openai", Operation: "chat", Requested: requested, Effective: effective, Status: "200", Downgraded: down},
		Tally: tally,
	}}}
}

// nanoOf is a Decimal of grams.
func nanoOf(d carbonv1alpha1.Decimal) estimate.Nanograms {
	q, err := resource.ParseQuantity(string(d))
	Expect(err).NotTo(HaveOccurred(), "%q is no number", d)
	return estimate.Nanograms(q.ScaledValue(resource.Nano))
}
