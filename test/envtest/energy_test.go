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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/controller"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("The energy of a workload", func() {
	It("is estimated from its calls, told before the start and recorded with its range", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb).
			Model("OPENAI_MODEL", "gpt-4o-2024-08-06", "gpt-4o-mini", 5000).Workload(1000, 400), w.slot(1))
		Expect(reasonOf(w.get("x"), "EnergyKnown")).To(Equal("True/EcoLogits"))
		Expect(conditionMessage(w.get("x").Status.Conditions, "EnergyKnown")).To(Equal(
			"1000 calls of gpt-4o-2024-08-06 (as gpt-4o) with 400 output tokens each take 0.835 kWh (0.642 to 1.03) at openai (USA, PUE 1.2)" +
				"; with gpt-4o-mini 0.0332 kWh"))
		w.completed("x", w.slot(2))
		w.at(w.slot(3), gb)
		w.plan("x")
		e := w.get("x").Status.Emissions
		// The worked example of docs/accounting.md a thousand times, at 200 g/kWh.
		Expect([]carbonv1alpha1.Decimal{e.EnergyKWh, e.EnergyRange.MinKWh, e.EnergyRange.MaxKWh, e.EmbodiedGrams, e.ActualGrams, e.Attempts}).To(
			Equal([]carbonv1alpha1.Decimal{"0.834872695", "0.642456355", "1.027289036", "28.911485891", "166.97454", "1"}))
		Expect(e.Method).To(Equal("EcoLogits-0.11"))
		Expect(w.events()).To(ContainElement(HaveSuffix(
			"with 0.834872695 kWh at 200 g/kWh, an estimate between 0.642456355 and 1.027289036 kWh")))
	})

	It("is less with the cheaper model, and the record says what that avoided", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb).
			Model("OPENAI_MODEL", "gpt-4o", "", 100).Workload(1000, 400), w.slot(1))
		w.completed("x", w.slot(2))
		w.at(w.slot(3), gb)
		w.plan("x")
		caj := w.get("x")
		Expect(caj.Status.Model).To(HaveValue(Equal(carbonv1alpha1.ModelStatus{Requested: "gpt-4o", Effective: "gpt-4o-mini"})))
		e := caj.Status.Emissions
		// 0.834872695 kWh with gpt-4o, 0.033248451 kWh with gpt-4o-mini: 96 % less.
		Expect([]carbonv1alpha1.Decimal{e.EnergyKWh, e.BaselineGrams, e.ActualGrams, e.AvoidedGrams}).To(
			Equal([]carbonv1alpha1.Decimal{"0.033248451", "166.97454", "6.64969", "160.32485"}))
		Expect(e.AvoidedBy).To(Equal(carbonv1alpha1.AvoidedBy{Time: "0", Region: "0", Model: "160.32485"}))
	})

	It("of an unknown model is told before the start with the nearest names, and the job is shifted all the same", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(4, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).Jitter(0).
			Model("OPENAI_MODEL", "gpt-4.o", "gpt-4o-mini", 5000).Workload(1000, 400))
		w.plan("x")
		caj := w.get("x")
		Expect(caj.Status.Plan.Start.Time).To(BeTemporally("==", w.slot(4)), "shifted")
		Expect(reasonOf(caj, "EnergyKnown")).To(Equal("False/ModelNotInTable"))
		Expect(w.warnings()).To(ConsistOf(And(
			ContainSubstring(`the model "gpt-4.o" is not in the table of models: the nearest names are `), ContainSubstring("gpt-4o"), ContainSubstring("correct spec.llm"))))

		By("leaving the grams unknown, not 0")
		w.at(w.slot(4), gb)
		w.startDue("x")
		w.running("x", w.slot(4))
		w.plan("x")
		w.completed("x", w.slot(5))
		w.at(w.slot(6), gb)
		result := w.plan("x")
		Expect(reasonOf(w.get("x"), "EmissionsRecorded")).To(Equal("False/ModelNotInTable"), "it may come into the table yet")
		Expect(result.RequeueAfter).To(Equal(w.slot(5).Add(24 * time.Hour).Sub(w.slot(6))))
		w.clock.SetTime(w.slot(5).Add(24 * time.Hour))
		w.plan("x")
		Expect(reasonOf(w.get("x"), "EmissionsRecorded")).To(Equal("False/EnergyUnknown"))
		Expect(w.get("x").Status.Emissions).To(BeNil())
		w.writes = nil
		w.plan("x")
		Expect(w.writes).To(BeEmpty())
	})

	It("of an unknown cheaper model is told too", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).
			Model("OPENAI_MODEL", "gpt-4o", "gpt-4o-minimal", 100).Workload(1000, 400))
		w.plan("x")
		Expect(reasonOf(w.get("x"), "EnergyKnown")).To(Equal("False/ModelNotInTable"))
		Expect(conditionMessage(w.get("x").Status.Conditions, "EnergyKnown")).To(HavePrefix(
			`should the job be downgraded, the energy is unknown: the model "gpt-4o-minimal" is not in the table of models: the nearest names are gpt-4o-mini`))
	})
})

var _ = Describe("A declared energy", func() {
	record := func(ctx context.Context, j func(w *world, gb string) *build.Job, end func(w *world)) *carbonv1alpha1.EmissionsStatus {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.started(j(w, gb).KWh("1"), w.slot(1))
		end(w)
		w.at(w.slot(8), gb)
		w.plan("x")
		Expect(w.get("x").Status.Emissions).NotTo(BeNil())
		return w.get("x").Status.Emissions
	}
	job := func(w *world, gb string) *build.Job { return build.CarbonAwareJob("x", w.namespace).Regions(gb) }

	It("counts a run that failed early by its time", func(ctx context.Context) {
		e := record(ctx, job, func(w *world) { w.failed("x", w.slot(1).Add(6*time.Minute)) })
		Expect([]carbonv1alpha1.Decimal{e.Attempts, e.EnergyKWh, e.ActualGrams, e.BaselineGrams}).To(
			Equal([]carbonv1alpha1.Decimal{"0.2", "0.2", "40", "40"}), "6 of 30 minutes")
	})

	It("counts lost attempts by their time, and never more than whole", func(ctx context.Context) {
		e := record(ctx, job, func(w *world) {
			w.editJobStatus("x", func(s *jobStatus) { s.Failed = 2 })
			w.completed("x", w.slot(2).Add(15*time.Minute))
		})
		Expect([]carbonv1alpha1.Decimal{e.Attempts, e.ActualGrams}).To(Equal([]carbonv1alpha1.Decimal{"1.5", "300"}))
		e = record(ctx, job, func(w *world) {
			w.editJobStatus("x", func(s *jobStatus) { s.Failed = 2 })
			w.completed("x", w.slot(7))
		})
		Expect(e.Attempts).To(BeEquivalentTo("3"))
	})

	It("counts parallel pods once, all together", func(ctx context.Context) {
		parallel := func(w *world, gb string) *build.Job { return job(w, gb).Template(inParallel(4)) }
		e := record(ctx, parallel, func(w *world) { w.completed("x", w.slot(2)) })
		Expect([]carbonv1alpha1.Decimal{e.Attempts, e.ActualGrams}).To(Equal([]carbonv1alpha1.Decimal{"1", "200"}))
		e = record(ctx, parallel, func(w *world) {
			w.editJobStatus("x", func(s *jobStatus) { s.Succeeded = 3 })
			w.failed("x", w.slot(1).Add(6*time.Minute))
		})
		Expect(e.Attempts).To(BeEquivalentTo("0.75"), "three of four are done")
	})

	It("counts a run by its time whose Job vanished before its pods could be counted", func(ctx context.Context) {
		parallel := func(w *world, gb string) *build.Job { return job(w, gb).Template(inParallel(4)) }
		e := record(ctx, parallel, func(w *world) {
			w.editJob("x", func(job *batchv1.Job) { job.Finalizers = nil })
			Expect(api.Delete(ctx, w.job("x"), inBackground)).To(Succeed())
			w.clock.SetTime(w.slot(1).Add(15 * time.Minute))
			w.plan("x")
		})
		Expect(e.Attempts).To(BeEquivalentTo("0.5"))
	})

	It("counts what a pause threw away by its time", func(ctx context.Context) {
		e := record(ctx, job, func(w *world) {
			w.pause("x", w.slot(1).Add(15*time.Minute))
			w.unpause("x", w.slot(4))
			w.completed("x", w.slot(5))
		})
		Expect([]carbonv1alpha1.Decimal{e.Attempts, e.ActualGrams}).To(Equal([]carbonv1alpha1.Decimal{"1.5", "300"}))
	})

	It("does not change with the model", func(ctx context.Context) {
		e := record(ctx, func(w *world, gb string) *build.Job { return job(w, gb).Model("M", "gpt-4o", "", 100) },
			func(w *world) { w.completed("x", w.slot(2)) })
		Expect(e.AvoidedBy.Model).To(BeEquivalentTo("0"))
		Expect(e.EnergyRange).To(BeNil())
	})
})

var _ = Describe("The table of models", func() {
	setModels := func(w *world, data map[string]string) {
		configMap := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "models", Namespace: w.namespace}}
		_ = api.Create(w.ctx, configMap) // it may be there
		configMap.Data = data
		Expect(api.Update(w.ctx, configMap)).To(Succeed())
		teller := &controller.ModelTableReconciler{Models: w.models, Client: api, Recorder: w.recorder}
		_, err := teller.Reconcile(w.ctx, ctrl.Request{NamespacedName: w.key("models")})
		Expect(err).NotTo(HaveOccurred())
	}

	It("is extended and overridden by a ConfigMap, without a restart", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb).
			Model("MODEL", "tulip-7b", "gpt-4o-mini", 5000).Workload(1000, 400), w.slot(1))
		Expect(reasonOf(w.get("x"), "EnergyKnown")).To(Equal("False/ModelNotInTable"))
		Expect(conditionMessage(w.get("x").Status.Conditions, "EnergyKnown")).To(
			HaveSuffix("have the model added to ConfigMap " + w.namespace + "/models"))
		w.completed("x", w.slot(2))
		w.at(w.slot(3), gb)
		w.plan("x")
		Expect(reasonOf(w.get("x"), "EmissionsRecorded")).To(Equal("False/ModelNotInTable"))

		setModels(w, map[string]string{
			"models.csv":    "provider,model,total_b\nbasement,tulip-7b,7\nopenai,gpt-4o-mini,7\n",
			"providers.csv": "provider,pue,zone\nbasement,2,NLD\n",
		})
		w.plan("x")
		Expect(conditionMessage(w.get("x").Status.Conditions, "EnergyKnown")).To(Equal(
			"1000 calls of tulip-7b with 400 output tokens each take 0.0586 kWh at basement (NLD, PUE 2); with gpt-4o-mini 0.0352 kWh"))
		Expect(reasonOf(w.get("x"), "EmissionsRecorded")).To(Equal("True/Final"))
		Expect(w.get("x").Status.Emissions.EnergyRange.MinKWh).To(Equal(w.get("x").Status.Emissions.EnergyKWh))
		Expect(w.events()).To(ContainElement(MatchRegexp(`^Normal ModelsRead \d+ models of 7 providers are known$`)))

		By("not changing a final record when the table changes again, but what others are told")
		w.create(build.CarbonAwareJob("y", w.namespace).Regions(gb).Model("M", "tulip-7b", "gpt-4o-mini", 1).Workload(1, 1))
		w.plan("y")
		Expect(reasonOf(w.get("y"), "EnergyKnown")).To(Equal("True/EcoLogits"))
		setModels(w, nil)
		w.writes = nil
		w.plan("x")
		Expect(w.writes).To(BeEmpty())
		w.plan("y")
		Expect(reasonOf(w.get("y"), "EnergyKnown")).To(Equal("False/ModelNotInTable"))
	})

	It("leaves out what is wrong, says so, and uses the rest", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		setModels(w, map[string]string{
			"models.csv": "provider,model,total_b\nopenai,good,7\nopenai,bad,seven\n",
			"notes":      "remember the milk",
		})
		Expect(w.warnings()).To(ConsistOf(And(ContainSubstring("ModelsLeftOut"),
			ContainSubstring(`models.csv line 3: total_b "seven" must be a number`), ContainSubstring(`the key "notes" is not read`))))
		w.create(build.CarbonAwareJob("good", w.namespace).Regions(gb).Model("M", "good", "gpt-4o-mini", 1).Workload(1, 1))
		w.create(build.CarbonAwareJob("bad", w.namespace).Regions(gb).Model("M", "bad", "gpt-4o-mini", 1).Workload(1, 1))
		w.plan("good")
		w.plan("bad")
		Expect(reasonOf(w.get("good"), "EnergyKnown")).To(Equal("True/EcoLogits"))
		Expect(reasonOf(w.get("bad"), "EnergyKnown")).To(Equal("False/ModelNotInTable"))
		Expect(conditionMessage(w.get("bad").Status.Conditions, "EnergyKnown")).To(ContainSubstring("of which something was left out: models.csv line 3"))
	})
})
