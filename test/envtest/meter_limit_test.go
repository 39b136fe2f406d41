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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// opened is a report of a meter whose breaker is open.
func opened(r meter.Report) meter.Report {
	r.Open = true
	r.Lines = append(r.Lines, meter.Line{
		Kind:  meter.Kind{Provider: "openai", Operation: "chat", Requested: "gpt-4.1", Effective: "gpt-4.1", Status: meter.StatusRefused},
		Tally: meter.Tally{Calls: 1},
	})
	return r
}

var _ = Describe("What the meters are told", func() {
	// limited starts a job that may emit so many grams; a call emits 0.003 g.
	limited := func(w *world, gb, name, grams string, change func(*batchv1.JobTemplateSpec)) {
		w.started(w.metered(name, carbonv1alpha1.MeterEnforce, gb).MaxGrams(grams).Template(change), w.start.Add(5*time.Second))
	}

	It("is another intensity when the slot is over, once for each pod that runs", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, append([]int{100, 200, 300, 300}, flat(40, 50)...)...)
		w.started(w.metered("x", carbonv1alpha1.MeterObserve, gb).Template(inParallel(2)), w.slot(1))
		for _, name := range []string{"a", "b", "c"} {
			w.pod("x", name)
			w.podRuns(name)
		}
		w.podEnds("c", corev1.PodFailed, calls(1, "m", "m"))
		w.pass("x")
		w.writes = nil
		w.at(w.slot(1).Add(10*time.Minute), gb)
		w.plan("x")
		Expect(w.writes).NotTo(ContainElement("patch *v1.Pod"), "the slot is not over")
		w.at(w.slot(2), gb)
		w.writes = nil
		w.plan("x")
		Expect(w.writes).To(Equal([]string{"patch *v1.Pod", "patch *v1.Pod"}))
		Expect(w.getPod("a").Annotations).To(HaveKeyWithValue(meter.AnnotationIntensity, "300"))
		Expect(w.getPod("a").Annotations).To(HaveKeyWithValue(meter.AnnotationUntil, w.slot(3).Format(time.RFC3339)))
		Expect(w.getPod("c").Annotations).To(HaveKeyWithValue(meter.AnnotationIntensity, "200"))
		Expect(w.job("x").Spec.Template.Annotations).To(HaveKeyWithValue(meter.AnnotationIntensity, "200"))
		w.writes = nil
		Expect(w.plan("x").RequeueAfter).To(Equal(30 * time.Minute))
		Expect(w.writes).To(BeEmpty())
	})

	It("is a share of the limit that all pods together never pass", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(40, 300)...)
		limited(w, gb, "x", "0.03", func(t *batchv1.JobTemplateSpec) {
			t.Spec.Parallelism, t.Spec.Completions = new(int32(2)), new(int32(3))
		})
		share := func(pod string) string { return w.getPod(pod).Annotations[meter.AnnotationMaxGrams] }
		w.pod("x", "a")
		w.pod("x", "b")
		w.podRuns("a")
		w.podRuns("b")
		w.pass("x")
		Expect([]string{share("a"), share("b")}).To(Equal([]string{"0.015", "0.015"}))

		By("one that ends with 0.003 g: the next gets what b does not hold")
		w.podEnds("a", corev1.PodSucceeded, calls(1, "gpt-4.1", "gpt-4.1"))
		w.editJobStatus("x", func(s *jobStatus) { s.Succeeded = 1 })
		w.pod("x", "c")
		w.pass("x")
		Expect([]string{share("b"), share("c")}).To(Equal([]string{"0.015", "0.012"}))

		By("the last one: it gets all that is left")
		w.podEnds("b", corev1.PodSucceeded, calls(1, "gpt-4.1", "gpt-4.1"))
		w.editJobStatus("x", func(s *jobStatus) { s.Succeeded = 2 })
		w.pass("x")
		Expect(share("c")).To(Equal("0.024"))

		By("a limit that is raised, and lowered")
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.MaxGrams = new(resource.MustParse("1")) })).To(Succeed())
		w.pass("x")
		Expect(share("c")).To(Equal("0.994"))
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.MaxGrams = new(resource.MustParse("7m")) })).To(Succeed())
		w.pass("x")
		Expect(share("c")).To(Equal("0.001"))
	})

	It("ends the run when a meter that still runs tells that its breaker is open", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(40, 300)...)
		limited(w, gb, "x", "0.006", asItIs)
		w.pod("x", "a")
		w.podStatus("a", corev1.PodRunning, func(c *corev1.ContainerStatus) {
			c.State.Running = &corev1.ContainerStateRunning{}
			c.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 3, Message: message(opened(calls(2, "gpt-4.1", "gpt-4.1")))}
		})
		w.pass("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeTrue()))
		Expect(readyOf(w.get("x"))).To(Equal("BudgetExceeded"))
		w.paused("x", w.slot(1).Add(time.Minute))
		w.podEnds("a", corev1.PodFailed, opened(calls(2, "gpt-4.1", "gpt-4.1")))
		w.at(w.slot(2), gb)
		w.pass("x")
		x := w.get("x")
		Expect(reasonOf(x, "Failed")).To(Equal("True/CarbonBudgetExceeded"))
		Expect(reasonOf(x, "WithinBudget")).To(Equal("False/CarbonBudgetExceeded"))
		Expect(conditionMessage(x.Status.Conditions, "Ready")).To(Equal("the meter counted 0.006 g, spec.maxGrams is 0.006 g: further calls are refused"))
		Expect(x.Status.Meter.RefusedCalls).To(BeEquivalentTo(1))
		Expect(x.Status.Meter.Calls).To(BeEquivalentTo(3), "the pod's first word is not counted again")
		Expect(x.Status.Emissions.Method).To(Equal("Measured"))
		Expect(w.warnings()).To(ContainElement(ContainSubstring("CarbonBudgetExceeded")))
	})

	It("is the reason of a Job that failed by itself because its calls were refused", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(40, 300)...)
		limited(w, gb, "x", "0.006", asItIs)
		w.pod("x", "a")
		w.podEnds("a", corev1.PodFailed, opened(calls(2, "gpt-4.1", "gpt-4.1")))
		w.failed("x", w.slot(1).Add(time.Minute))
		w.pass("x")
		Expect(reasonOf(w.get("x"), "Failed")).To(Equal("True/CarbonBudgetExceeded"))
	})

	It("does not stop a run by what was declared of it: what is measured counts", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(40, 300)...)
		w.started(w.metered("x", carbonv1alpha1.MeterEnforce, gb).KWh("1").Duration(time.Hour).MaxGrams("100"), w.slot(1))
		w.at(w.slot(3), gb)
		w.pass("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeFalse()))
	})

	It("sets maxGrams aside in budgets where no energy is declared, and gives back what was not emitted", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(40, 300)...)
		Expect(api.Create(ctx, build.CarbonBudget("team", w.namespace, "10").Obj())).To(Succeed())
		limited(w, gb, "x", "6", asItIs)
		Expect(w.get("x").Status.ReservedGrams).To(BeEquivalentTo("6"))
		w.pod("x", "a")
		w.podEnds("a", corev1.PodSucceeded, calls(2, "gpt-4.1-mini", "gpt-4.1-mini"))
		w.completed("x", w.slot(2))
		w.at(w.slot(3), gb)
		w.pass("x")
		Expect(w.get("x").Status.ReservedGrams).To(BeEmpty())
		Expect(float64(nanoOf(w.get("x").Status.Emissions.ActualGrams)) / 1e9).To(BeNumerically("~", 300*kWhOf("gpt-4.1-mini", 2), 1e-7))
	})

	It("hands its last numbers over when its job is deleted while it runs", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(40, 300)...)
		Expect(api.Create(ctx, build.CarbonBudget("team", w.namespace, "10").Obj())).To(Succeed())
		limited(w, gb, "x", "6", asItIs)
		w.pod("x", "a")
		w.podRuns("a")
		w.pass("x")
		Expect(api.Delete(ctx, w.get("x"))).To(Succeed())
		w.clock.SetTime(w.get("x").DeletionTimestamp.Add(6 * time.Second))
		w.plan("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeTrue()), "its pods are asked to end")
		Expect(w.get("x").Finalizers).NotTo(BeEmpty())
		w.paused("x", w.clock.Now())
		w.podEnds("a", corev1.PodFailed, calls(2, "gpt-4.1-mini", "gpt-4.1-mini"))
		w.podGoes("a", true)
		w.plan("x")
		Expect(w.get("x").Status.Emissions.Method).To(Equal("Measured"))
		w.count("team")
		w.plan("x")
		w.gone(&carbonv1alpha1.CarbonAwareJob{}, "x")
		budget := &carbonv1alpha1.CarbonBudget{}
		Expect(api.Get(ctx, w.key("team"), budget)).To(Succeed())
		Expect(float64(nanoOf(budget.Status.ConsumedGrams)) / 1e9).To(BeNumerically("~", 300*kWhOf("gpt-4.1-mini", 2), 1e-7))
	})

	It("hands its last numbers over when its job is deleted before they are on record", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(40, 300)...)
		Expect(api.Create(ctx, build.CarbonBudget("team", w.namespace, "10").Obj())).To(Succeed())
		limited(w, gb, "x", "6", asItIs)
		w.pod("x", "a")
		w.podRuns("a")
		w.pass("x")
		w.clock.SetTime(w.clock.Now().Add(5 * time.Second))
		w.completed("x", w.clock.Now())
		w.pass("x")
		Expect(reasonOf(w.get("x"), "EmissionsRecorded")).To(Equal("Unknown/MeterPending"))
		Expect(api.Delete(ctx, w.get("x"))).To(Succeed())
		w.clock.SetTime(w.get("x").DeletionTimestamp.Add(12 * time.Second))
		w.plan("x")
		w.restart()
		w.count("team")
		w.plan("x")
		Expect(w.get("x").Status.Emissions).To(BeNil(), "it waits for them")
		w.podEnds("a", corev1.PodSucceeded, calls(2, "gpt-4.1-mini", "gpt-4.1-mini"))
		w.plan("x")
		Expect(w.get("x").Status.Emissions.Method).To(Equal("Measured"))
		w.count("team")
		w.plan("x")
		w.gone(&carbonv1alpha1.CarbonAwareJob{}, "x")
		Expect(float64(nanoOf(w.getBudget("team").Status.ConsumedGrams)) / 1e9).To(BeNumerically("~", 300*kWhOf("gpt-4.1-mini", 2), 1e-7))
	})

	It("keeps no deleted job for long whose pods do not end", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(40, 300)...)
		Expect(api.Create(ctx, build.CarbonBudget("team", w.namespace, "10").Obj())).To(Succeed())
		limited(w, gb, "x", "6", asItIs)
		w.pod("x", "a")
		w.podRuns("a")
		w.pass("x")
		Expect(api.Delete(ctx, w.get("x"))).To(Succeed())
		w.clock.SetTime(w.get("x").DeletionTimestamp.Add(6 * time.Second))
		w.plan("x")
		Expect(w.get("x").Status.Emissions).To(BeNil())
		w.clock.SetTime(w.get("x").DeletionTimestamp.Add(46 * time.Second))
		w.plan("x")
		Expect(w.get("x").Status.Meter.PodsLost).To(BeEquivalentTo(1))
		w.count("team")
		w.plan("x")
		w.gone(&carbonv1alpha1.CarbonAwareJob{}, "x")
		Expect(client.IgnoreNotFound(api.Delete(ctx, w.getPod("a"), client.GracePeriodSeconds(0)))).To(Succeed())
	})
})
