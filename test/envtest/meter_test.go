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
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
)

// kWhOf is the energy of calls with 100 output tokens each.
func kWhOf(model string, calls int64) float64 {
	m, err := estimate.BuiltIn().Lookup("openai", model)
	Expect(err).NotTo(HaveOccurred())
	return m.Inference(estimate.EcoLogits011, calls, 100*calls).KWh.Mean()
}

// meterWorld is a world with a region of 300 g/kWh, and what creates and starts a metered job there
// whose code asks for gpt-4.1.
func meterWorld(ctx context.Context) (w *world, runs func(string, func(*batchv1.JobTemplateSpec), carbonv1alpha1.MeterMode)) {
	w = newWorld(ctx)
	gb := w.trace("gb", nil, flat(60, 300)...)
	return w, func(name string, change func(*batchv1.JobTemplateSpec), mode carbonv1alpha1.MeterMode) {
		w.create(w.metered(name, mode, gb).Env("OPENAI_MODEL", "gpt-4.1").Model("OPENAI_MODEL", "", "gpt-4.1-mini", 200).Template(change))
		w.pass(name)
		w.running(name, w.clock.Now())
		w.pass(name)
	}
}

func asItIs(*batchv1.JobTemplateSpec) {}

var _ = Describe("A job with a meter", func() {
	It("has the sidecar in its Job, and what the user wrote besides", func(ctx context.Context) {
		w, runs := meterWorld(ctx)
		runs("x", func(t *batchv1.JobTemplateSpec) {
			t.Spec.Template.Spec.InitContainers = []corev1.Container{{Name: "first", Image: "example.org/first:1"}}
			c := &t.Spec.Template.Spec.Containers[0]
			c.Env = append(c.Env, corev1.EnvVar{Name: "OPENAI_BASE_URL", Value: "http://vllm:8000/v1"})
		}, carbonv1alpha1.MeterEnforce)
		template := w.job("x").Spec.Template
		names := []string{}
		for _, c := range template.Spec.InitContainers {
			names = append(names, c.Name)
		}
		Expect(names).To(Equal([]string{"carbon-meter", "first"}))
		sidecar := template.Spec.InitContainers[0]
		Expect(sidecar.Image).To(Equal(meterImage))
		Expect(sidecar.RestartPolicy).To(HaveValue(Equal(corev1.ContainerRestartPolicyAlways)))
		Expect(sidecar.Args).To(ContainElement("--mode=Enforce"))
		Expect(sidecar.Env).To(ContainElement(corev1.EnvVar{Name: "METER_UPSTREAM_OPENAI", Value: "http://vllm:8000/v1"}))
		Expect(template.Spec.Containers[0].Env).To(ContainElements(
			corev1.EnvVar{Name: "OPENAI_BASE_URL", Value: "http://127.0.0.1:4180/openai"},
			corev1.EnvVar{Name: "ANTHROPIC_BASE_URL", Value: "http://127.0.0.1:4180/anthropic"}))
		Expect(template.Annotations).To(HaveKeyWithValue(meter.AnnotationModels, `{"gpt-4.1":"gpt-4.1-mini"}`))
		Expect(template.Annotations).To(HaveKeyWithValue(meter.AnnotationIntensity, "300"))
		Expect(template.Annotations).To(HaveKeyWithValue(meter.AnnotationRun, string(w.get("x").UID)))
		Expect(template.Annotations).To(HaveKeyWithValue(meter.AnnotationUntil, w.slot(1).Format(time.RFC3339)))
	})

	It("records what its meters counted, each pod once, and what the cheaper model saved", func(ctx context.Context) {
		w, runs := meterWorld(ctx)
		runs("x", asItIs, carbonv1alpha1.MeterEnforce)
		w.pod("x", "a")
		w.podRuns("a")
		w.pass("x")
		w.podEnds("a", corev1.PodFailed, calls(2, "gpt-4.1", "gpt-4.1-mini"))
		w.pass("x")
		w.pass("x")
		Expect(w.get("x").Status.Meter.Calls).To(BeEquivalentTo(2))
		By("a retry, seen by another process")
		w.restart()
		w.pod("x", "b")
		w.podEnds("b", corev1.PodSucceeded, calls(3, "gpt-4.1", "gpt-4.1-mini"))
		w.editJobStatus("x", func(s *jobStatus) { s.Failed = 1 })
		w.clock.SetTime(w.start.Add(10 * time.Minute))
		w.completed("x", w.clock.Now())
		w.pass("x")
		w.pass("x")
		x := w.get("x")
		Expect(x.Status.Meter.PodsRead).To(BeEquivalentTo(2))
		Expect(x.Status.Meter.PodsLost).To(BeZero())
		Expect(x.Status.Model.Usage).To(HaveLen(1))
		usage := x.Status.Model.Usage[0]
		Expect(usage.Calls).To(BeEquivalentTo(5))
		Expect(usage.OutputTokens).To(BeEquivalentTo(500))
		Expect(usage.Downgraded).To(BeTrue())
		e := x.Status.Emissions
		Expect(e.Method).To(Equal("Measured"))
		nano := nanoOf
		Expect(float64(nano(e.ActualGrams)) / 1e9).To(BeNumerically("~", 300*kWhOf("gpt-4.1-mini", 5), 1e-7))
		Expect(float64(nano(e.AvoidedBy.Model)) / 1e9).To(BeNumerically("~", 300*(kWhOf("gpt-4.1", 5)-kWhOf("gpt-4.1-mini", 5)), 1e-7))
		Expect(nano(e.BaselineGrams)).To(Equal(nano(e.ActualGrams) + nano(e.AvoidedGrams)))
		Expect(nano(e.AvoidedGrams)).To(Equal(nano(e.AvoidedBy.Time) + nano(e.AvoidedBy.Region) + nano(e.AvoidedBy.Model)))
		Expect(w.job("x").Finalizers).To(BeEmpty())
	})

	It("says how many pods' numbers were lost, and what stands in for them", func(ctx context.Context) {
		w, runs := meterWorld(ctx)
		runs("x", func(t *batchv1.JobTemplateSpec) { t.Spec.BackoffLimit = new(int32(9)) }, carbonv1alpha1.MeterObserve)
		for _, name := range []string{"read", "died", "deleted", "unseen"} {
			w.pod("x", name)
			w.podRuns(name)
		}
		w.pass("x")
		By("one that is evicted, one that is deleted, one that is deleted while nobody watches")
		w.podEnds("read", corev1.PodSucceeded, calls(4, "gpt-4.1-mini", "gpt-4.1-mini"))
		w.podDies("died")
		w.podGoes("deleted", true)
		w.podGoes("unseen", false)
		w.pass("x")
		w.editJobStatus("x", func(s *jobStatus) { s.Failed = 3 })
		w.clock.SetTime(w.start.Add(10 * time.Minute))
		w.completed("x", w.clock.Now())
		w.pass("x")
		Expect(reasonOf(w.get("x"), "EmissionsRecorded")).To(Equal("Unknown/MeterPending"), "its last state may be on the way")
		Expect(w.job("x").Finalizers).NotTo(BeEmpty())
		w.clock.SetTime(w.start.Add(11 * time.Minute))
		w.pass("x")
		x := w.get("x")
		Expect(x.Status.Meter.PodsRead).To(BeEquivalentTo(1))
		Expect(x.Status.Meter.PodsLost).To(BeEquivalentTo(3))
		Expect(x.Status.Meter.LostBecause).To(Equal("deleted, no report, never heard of again"))
		Expect(x.Status.Emissions.Method).To(Equal("MeasuredInPart"))
		Expect(conditionMessage(x.Status.Conditions, "EmissionsRecorded")).To(ContainSubstring(
			"the numbers of 3 of 4 pods were lost (deleted, no report, never heard of again), the mean of the others stands in for them"))
		Expect(float64(nanoOf(x.Status.Emissions.ActualGrams)) / 1e9).To(BeNumerically("~", 300*kWhOf("gpt-4.1-mini", 16), 1e-7))
		Expect(w.job("x").Finalizers).To(BeEmpty())
		By("never counting again what was settled")
		w.writes = nil
		w.pass("x")
		Expect(w.writes).To(BeEmpty())
	})

	It("counts what a meter told before it was killed for good, and says that it is not all", func(ctx context.Context) {
		w, runs := meterWorld(ctx)
		runs("x", asItIs, carbonv1alpha1.MeterObserve)
		w.pod("x", "a")
		w.podStatus("a", corev1.PodRunning, func(c *corev1.ContainerStatus) {
			c.State.Running = &corev1.ContainerStateRunning{}
			c.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{Message: message(calls(2, "gpt-4.1", "gpt-4.1"))}
		})
		w.pass("x")
		w.podGoes("a", true)
		w.failed("x", w.clock.Now())
		w.pass("x")
		x := w.get("x")
		Expect(x.Status.Meter.Calls).To(BeEquivalentTo(2))
		Expect(x.Status.Meter.PodsLost).To(BeEquivalentTo(1))
		Expect(x.Status.Emissions.Method).To(Equal("MeasuredInPart"))
	})

	It("counts each of a crowd of pods once, whatever process saw it", func(ctx context.Context) {
		w, runs := meterWorld(ctx)
		const pods = 150
		runs("x", inParallel(pods), carbonv1alpha1.MeterObserve)
		for i := range pods {
			name := fmt.Sprintf("pod-%d", i)
			w.pod("x", name)
			w.podEnds(name, corev1.PodSucceeded, calls(1, "gpt-4.1", "gpt-4.1"))
			switch i % 40 {
			case 10:
				w.pass("x")
			case 20:
				w.pass("x", "x")
				w.restart()
			case 30:
				w.pass("x")
				w.podGoes(name, true)
			}
		}
		w.editJobStatus("x", func(s *jobStatus) { s.Succeeded = pods })
		w.clock.SetTime(w.start.Add(time.Minute))
		w.completed("x", w.clock.Now())
		for range 8 {
			w.pass("x")
		}
		x := w.get("x")
		Expect(x.Status.Meter.SettledAt).NotTo(BeNil())
		Expect(x.Status.Meter.PodsRead).To(BeEquivalentTo(pods))
		Expect(x.Status.Meter.PodsLost).To(BeZero())
		Expect(x.Status.Model.Usage[0].Calls).To(BeEquivalentTo(pods))
		Expect(x.Status.Emissions.Method).To(Equal("Measured"))
	})

	It("falls back on what is declared when the meter saw no call", func(ctx context.Context) {
		w, _ := meterWorld(ctx)
		gb := w.trace("other", nil, flat(60, 300)...)
		w.create(w.metered("nothing", carbonv1alpha1.MeterObserve, gb))
		w.plan("nothing")
		w.started(w.metered("declared", carbonv1alpha1.MeterObserve, gb).KWh("2"), w.slot(1))
		w.startDue("nothing")
		w.running("nothing", w.slot(1))
		for _, name := range []string{"declared", "nothing"} {
			w.pod(name, name)
			w.podEnds(name, corev1.PodSucceeded, meter.Report{})
			w.completed(name, w.slot(2))
			w.at(w.slot(2), gb)
			w.pass(name)
		}
		Expect(w.get("declared").Status.Emissions.Method).To(Equal("Declared"))
		Expect(w.get("declared").Status.Emissions.ActualGrams).To(BeEquivalentTo("600"))
		Expect(conditionMessage(w.get("declared").Status.Conditions, "EmissionsRecorded")).To(ContainSubstring("not measured: the meter saw no answered call"))
		Expect(w.get("nothing").Status.Emissions).To(BeNil(), "unknown is not 0")
		Expect(reasonOf(w.get("nothing"), "EmissionsRecorded")).To(Equal("False/EnergyUnknown"))
	})

	DescribeTable("is refused beside what it would break", func(ctx context.Context, change func(*corev1.PodTemplateSpec), want string) {
		w, _ := meterWorld(ctx)
		gb := w.trace("other", nil, flat(60, 300)...)
		w.create(w.metered("x", carbonv1alpha1.MeterObserve, gb).Template(func(t *batchv1.JobTemplateSpec) { change(&t.Spec.Template) }))
		w.pass("x")
		w.noJob("x")
		Expect(readyOf(w.get("x"))).To(Equal("Invalid"))
		Expect(reasonOf(w.get("x"), "Planned")).To(Equal("False/MeterConflict"))
		Expect(conditionMessage(w.get("x").Status.Conditions, "Ready")).To(ContainSubstring(want))
	},
		Entry("a container of its name", func(t *corev1.PodTemplateSpec) { t.Spec.Containers[0].Name = "carbon-meter" }, "a container named carbon-meter"),
		Entry("a volume of its name", func(t *corev1.PodTemplateSpec) {
			t.Spec.Volumes = []corev1.Volume{{Name: "carbon-meter-state"}}
		}, "a volume named carbon-meter-state"),
		Entry("its port", func(t *corev1.PodTemplateSpec) {
			t.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 9464}}
		}, "container main has port 9464"),
		Entry("the node's network", func(t *corev1.PodTemplateSpec) { t.Spec.HostNetwork = true }, "remove hostNetwork"),
		Entry("a decision of the user's own", func(t *corev1.PodTemplateSpec) {
			t.Annotations = map[string]string{meter.AnnotationMaxGrams: "9"}
		}, "the annotation or label meter.carbon.ecotracker.dev/max-grams"),
		Entry("two upstreams", func(t *corev1.PodTemplateSpec) {
			t.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "OPENAI_BASE_URL", Value: "http://a/v1"}}
			t.Spec.InitContainers = []corev1.Container{{Name: "b", Image: "b", Env: []corev1.EnvVar{{Name: "OPENAI_BASE_URL", Value: "http://b/v1"}}}}
		}, "different values of OPENAI_BASE_URL"),
		Entry("a value that is made of others", func(t *corev1.PodTemplateSpec) {
			t.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "OPENAI_BASE_URL", Value: "http://$(HOST)/v1"}}
		}, "write the URL out"),
		Entry("itself", func(t *corev1.PodTemplateSpec) {
			t.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "OPENAI_BASE_URL", Value: "http://localhost:4180/openai"}}
		}, "the address of the meter itself"),
	)
})
