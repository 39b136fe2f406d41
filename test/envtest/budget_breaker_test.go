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
	"k8s.io/apimachinery/pkg/api/resource"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("A run that has emitted all it may", func() {
	It("is stopped at the computed second by its own maxGrams, and what it emitted is on record", func(ctx context.Context) {
		w := newWorld(ctx)
		// 1 kW: 50 g in the half hour of slot 1, then 150 g in that of slot 2: 100 g at a third of it.
		gb := w.trace("gb", nil, append([]int{100, 100, 300}, flat(40, 100)...)...)
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb).Watts("1000").MaxGrams("100"), w.slot(1))
		crossing := w.slot(2).Add(10 * time.Minute)

		By("looking again half-way, because forecasts change, and writing nothing")
		w.writes = nil
		Expect(w.plan("x").RequeueAfter).To(Equal(20 * time.Minute))
		w.at(crossing.Add(-30*time.Second), gb)
		w.writes = nil
		Expect(w.plan("x").RequeueAfter).To(Equal(30 * time.Second))
		w.clock.SetTime(crossing.Add(-time.Second))
		w.plan("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeFalse()))
		Expect(w.writes).To(BeEmpty())

		By("reaching it")
		w.clock.SetTime(crossing)
		w.plan("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeTrue()))
		Expect(readyOf(w.get("x"))).To(Equal("BudgetExceeded"))
		Expect(reasonOf(w.get("x"), "Failed")).To(BeEmpty(), "its pods may still run")
		w.paused("x", crossing)
		w.restart()
		w.at(w.slot(4), gb)
		w.plan("x")
		x := w.get("x")
		Expect(readyOf(x)).To(Equal("BudgetExceeded"))
		Expect(reasonOf(x, "Failed")).To(Equal("True/CarbonBudgetExceeded"))
		Expect(reasonOf(x, "WithinBudget")).To(Equal("False/CarbonBudgetExceeded"))
		Expect(conditionMessage(x.Status.Conditions, "Ready")).To(Equal("the run has emitted spec.maxGrams, 100 g"))
		Expect(x.Status.Emissions.ActualGrams).To(BeEquivalentTo("100"))
		Expect(w.job("x").Finalizers).To(BeEmpty())
		Expect(w.warnings()).To(ContainElement(ContainSubstring("CarbonBudgetExceeded")))

		By("never starting it again")
		w.writes = nil
		w.pass("x")
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.Suspend = new(false) })).To(Succeed())
		w.pass("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeTrue()))
	})

	It("counts what a declared energy comes to by its time, and lets it run to its end when that is less", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(40, 200)...)
		w.started(build.CarbonAwareJob("stops", w.namespace).Regions(gb).KWh("1").Duration(time.Hour).MaxGrams("150"), w.slot(1))
		w.started(build.CarbonAwareJob("ends", w.namespace).Regions(gb).KWh("1").Duration(time.Hour).MaxGrams("201"), w.slot(1))
		w.at(w.slot(1).Add(45*time.Minute), gb)
		w.plan("stops")
		Expect(w.job("stops").Spec.Suspend).To(HaveValue(BeTrue()))
		w.paused("stops", w.slot(1).Add(45*time.Minute))
		w.at(w.slot(8), gb)
		w.plan("stops")
		Expect(w.get("stops").Status.Emissions.ActualGrams).To(BeEquivalentTo("150"))
		w.plan("ends")
		Expect(w.job("ends").Spec.Suspend).To(HaveValue(BeFalse()), "it takes longer, but not more")
	})

	It("goes on when maxGrams is raised in time", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(40, 200)...)
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb).Watts("1000").MaxGrams("100"), w.slot(1))
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.MaxGrams = new(resource.MustParse("150")) })).To(Succeed())
		w.at(w.slot(2), gb)
		w.plan("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeFalse()))
		w.at(w.slot(2).Add(15*time.Minute), gb)
		w.plan("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeTrue()))
	})

	It("leaves its Kueue queue, else Kueue would start it again", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(40, 200)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).Watts("1000").MaxGrams("100").MaxDelay(0).
			Template(func(t *batchv1.JobTemplateSpec) { t.Labels = map[string]string{carbonv1alpha1.LabelKueueQueue: "q"} }))
		w.pass("x")
		w.editJob("x", func(job *batchv1.Job) { job.Spec.Suspend = new(false) }) // as Kueue does
		w.running("x", w.slot(1))
		w.at(w.slot(3), gb)
		w.plan("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeTrue()))
		Expect(w.job("x").Labels).NotTo(HaveKey(carbonv1alpha1.LabelKueueQueue))
	})

	It("does not start while nobody knows its energy", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(40, 200)...)
		j := build.CarbonAwareJob("x", w.namespace).Regions(gb).MaxDelay(0).MaxGrams("5").Model("MODEL", "nobody-knows-me", "", 5000).Obj()
		j.Spec.LLM.Workload = &carbonv1alpha1.WorkloadSpec{Calls: 10, OutputTokensPerCall: 100}
		Expect(api.Create(ctx, j)).To(Succeed())
		w.pass("x")
		w.pass("x")
		Expect(w.isStarted("x")).To(BeFalse())
		Expect(readyOf(w.get("x"))).To(Equal("BudgetHold"))
		Expect(reasonOf(w.get("x"), "WithinBudget")).To(Equal("False/EnergyUnknown"))
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.MaxGrams = nil })).To(Succeed())
		w.pass("x")
		Expect(w.isStarted("x")).To(BeTrue())
	})
})

var _ = Describe("A budget that terminates", func() {
	It("stops every run at the second when the limit is reached, and holds others from then on", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(60, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "200").Enforcement(carbonv1alpha1.BudgetTerminate))
		other := build.CarbonAwareJob("other", w.namespace).Regions(gb).Watts("1000")
		// Expected to take half an hour, 50 g each at 500 W; they go on and on.
		jobs := []string{"a", "b"}
		for _, name := range jobs {
			w.started(build.CarbonAwareJob(name, w.namespace).Regions(gb).Watts("500"), w.slot(1))
		}
		Expect(w.sums("team")).To(Equal(grams("0", "100", "100")))
		crossing := w.slot(3) // together 1 kW at 200 g/kWh: 200 g in an hour
		Expect(w.count("team").RequeueAfter).To(Equal(30*time.Minute), "half-way")
		w.at(crossing.Add(-time.Second), gb)
		Expect(w.count("team").RequeueAfter).To(Equal(time.Second))
		for _, name := range jobs {
			w.plan(name)
			Expect(w.job(name).Spec.Suspend).To(HaveValue(BeFalse()))
		}
		w.at(crossing, gb)
		w.count("team")
		Expect(budgetStatus(w.getBudget("team"))).To(Equal("LimitReached"))
		Expect(w.warnings()).To(ContainElement(ContainSubstring("LimitReached")))
		w.create(other.MaxDelay(0).Watts("10"))
		w.pass("other")
		Expect(readyOf(w.get("other"))).To(Equal("BudgetHold"), "nothing is left, though less was reserved")
		for _, name := range jobs {
			w.plan(name)
			w.paused(name, crossing)
			w.plan(name)
			Expect(readyOf(w.get(name))).To(Equal("BudgetExceeded"))
		}
		w.at(w.slot(5), gb)
		for _, name := range jobs {
			w.plan(name)
			Expect(w.get(name).Status.Emissions.ActualGrams).To(BeEquivalentTo("100"))
		}
		Expect(w.sums("team")).To(Equal(grams("200", "0", "0")))
	})

	It("is still used up for a process that has just begun, and counts every run once", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(60, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "200").Enforcement(carbonv1alpha1.BudgetTerminate))
		jobs := []string{"a", "b"}
		for _, name := range jobs { // each 50 g in half an hour, as reserved; they go on and on
			w.started(build.CarbonAwareJob(name, w.namespace).Regions(gb).Watts("500"), w.slot(1))
		}
		w.at(w.slot(3), gb)
		w.count("team")
		Expect(budgetStatus(w.getBudget("team"))).To(Equal("LimitReached"))

		By("replacing the process before it has stopped anything")
		w.restart()
		w.writes = nil
		w.create(build.CarbonAwareJob("other", w.namespace).Regions(gb).MaxDelay(0).Watts("10"))
		w.pass("other")
		Expect(readyOf(w.get("other"))).To(Equal("BudgetHold"), "nothing is left, though nobody has computed that anew")
		w.count("team")
		Expect(budgetStatus(w.getBudget("team"))).To(Equal("LimitReached"))
		Expect(w.warnings()).NotTo(ContainElement(ContainSubstring("LimitReached")), "it was told")
		for _, name := range jobs {
			w.plan(name)
			w.paused(name, w.slot(3))
			w.plan(name)
			Expect(readyOf(w.get(name))).To(Equal("BudgetExceeded"))
		}
		w.at(w.slot(5), gb)
		w.restart()
		for _, name := range jobs {
			w.plan(name)
		}
		Expect(w.sums("team")).To(Equal(grams("200", "0", "0")))
		for _, name := range jobs {
			Expect(api.Delete(ctx, w.get(name))).To(Succeed())
			w.plan(name)
		}
		w.restart()
		w.count("team")
		for _, name := range jobs {
			w.plan(name)
		}
		Expect(w.sums("team")).To(Equal(grams("200", "0", "0")))
		Expect(w.getBudget("team").Status.Settled.Jobs).To(BeEquivalentTo(2))
		w.pass("other")
		Expect(readyOf(w.get("other"))).To(Equal("BudgetHold"))
	})

	It("holds a job that has reserved and not started when it is used up, and lets it go in time", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(60, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "200").Enforcement(carbonv1alpha1.BudgetTerminate))
		w.started(build.CarbonAwareJob("burner", w.namespace).Regions(gb).Watts("1000"), w.slot(1))
		w.create(build.CarbonAwareJob("late", w.namespace).Regions(gb).MaxDelay(0).Watts("100"))
		w.plan("late")
		Expect(w.get("late").Status.ReservedGrams).NotTo(BeEmpty())
		w.at(w.slot(3), gb)
		w.count("team")
		Expect(budgetStatus(w.getBudget("team"))).To(Equal("LimitReached"))
		w.startDue("late")
		Expect(w.isStarted("late")).To(BeFalse(), "it would be stopped at once")
		Expect(w.plan("late").RequeueAfter).To(Equal(time.Millisecond))
		w.pass("late")
		Expect(w.isStarted("late")).To(BeFalse())
		Expect(readyOf(w.get("late"))).To(Equal("BudgetHold"))
		Expect(w.get("late").Status.ReservedGrams).To(BeEmpty())
		w.editBudget("team", limit("1000"))
		w.pass("late")
		Expect(w.isStarted("late")).To(BeTrue())
	})

	It("stops what runs when its limit is lowered below what was consumed, also after a restart", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(60, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "1000").Enforcement(carbonv1alpha1.BudgetTerminate))
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb).Watts("1000"), w.slot(1))
		w.at(w.slot(2), gb)
		w.restart()
		Expect(w.count("team").RequeueAfter).To(Equal(10*time.Second), "the new process has not looked at the run yet")
		w.plan("x")
		w.editBudget("team", limit("150"))
		w.plan("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeFalse()), "100 g so far")
		w.editBudget("team", limit("100"))
		w.plan("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeTrue()))
	})

	It("counts a run in a pause, and stops it when it goes on", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(60, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "150").Enforcement(carbonv1alpha1.BudgetTerminate))
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb).Watts("1000"), w.slot(1))
		w.clock.SetTime(w.slot(2))
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.Suspend = new(true) })).To(Succeed())
		w.plan("x")
		w.paused("x", w.slot(2))
		w.at(w.slot(10), gb)
		w.plan("x")
		w.count("team")
		Expect(budgetStatus(w.getBudget("team"))).NotTo(Equal("LimitReached"), "100 g, and none in the pause")
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.Suspend = new(false) })).To(Succeed())
		w.plan("x")
		w.resumed("x", w.slot(10))
		w.plan("x")
		w.at(w.slot(10).Add(15*time.Minute), gb)
		w.count("team")
		w.plan("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeTrue()))
	})
})
