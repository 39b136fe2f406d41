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
	ctrl "sigs.k8s.io/controller-runtime"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("A budget that holds", func() {
	It("reserves before the start, counts what was emitted, and says what remains", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		Expect(budgetStatus(w.getBudget("team"))).To(Equal("WithinLimit"))
		w.create(w.asks("a", gb))
		w.plan("a")
		a := w.get("a")
		Expect(a.Status.ReservedGrams).To(BeEquivalentTo("60"))
		Expect(reasonOf(a, "WithinBudget")).To(Equal("True/Reserved"))
		Expect(w.job("a").Spec.Suspend).To(HaveValue(BeTrue()), "the reservation comes first")
		w.startDue("a")
		Expect(w.isStarted("a")).To(BeTrue())
		Expect(w.sums("team")).To(Equal(grams("0", "60", "40")))
		Expect(w.getBudget("team").Status.RunningJobs).To(BeEquivalentTo(1))

		w.finishes("a", gb, w.slot(2))
		Expect(w.get("a").Status.ReservedGrams).To(BeEmpty())
		Expect(w.sums("team")).To(Equal(grams("60", "0", "40")))
		status := w.getBudget("team").Status
		Expect(status.CompletedJobs).To(BeEquivalentTo(1))
		Expect(status.RunningJobs).To(BeZero())
		w.writes = nil
		w.count("team")
		w.plan("a")
		Expect(w.writes).To(BeEmpty())
	})

	It("starts a job only once there is room, and says which budget holds it, by how much, and until when", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.create(w.asks("a", gb))
		w.create(w.asks("b", gb))
		w.pass("a", "b")
		b := w.get("b")
		Expect(w.startedOf("a", "b")).To(Equal([]string{"a"}))
		Expect(readyOf(b)).To(Equal("BudgetHold"))
		Expect(reasonOf(b, "WithinBudget")).To(Equal("False/BudgetHold"))
		Expect(conditionMessage(b.Status.Conditions, "Ready")).To(Equal(
			"CarbonBudget team holds the job: it needs 60 g, 20 g more than the 40 of 100 g that are left; it starts as soon as there is room; it never begins anew"))
		Expect(w.warnings()).To(ContainElement(ContainSubstring("BudgetHold")))
		w.count("team")
		Expect(w.getBudget("team").Status.HeldJobs).To(BeEquivalentTo(1))

		By("writing nothing while nothing changes, though others use the room")
		w.writes = nil
		w.pass("b")
		w.create(w.asks("small", gb).KWh("0.1"))
		w.pass("small")
		Expect(w.isStarted("small")).To(BeTrue(), "one that fits is not kept waiting by one that does not")
		w.writes = nil
		w.pass("b")
		Expect(w.writes).To(BeEmpty())

		By("raising the limit")
		w.editBudget("team", limit("140"))
		w.pass("b")
		Expect(w.isStarted("b")).To(BeTrue())
		Expect(w.sums("team")).To(Equal(grams("0", "140", "0")))
		Expect(budgetStatus(w.getBudget("team"))).To(Equal("FullyReserved"))
	})

	It("gives new room to the job that has waited longest", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "60"))
		w.create(w.asks("first", gb))
		w.pass("first")
		for i, name := range []string{"z-second", "m-third", "a-fourth"} {
			w.clock.SetTime(w.start.Add(time.Duration(i+1) * time.Minute))
			w.create(w.asks(name, gb))
			w.pass(name)
		}
		w.finishes("first", gb, w.slot(2))
		w.editBudget("team", limit("120"))
		w.pass("a-fourth", "m-third", "z-second")
		w.pass("a-fourth", "m-third", "z-second")
		Expect(w.startedOf("a-fourth", "m-third", "z-second")).To(Equal([]string{"z-second"}))
		Expect(conditionMessage(w.get("m-third").Status.Conditions, "Ready")).To(ContainSubstring("60 g more than the 0 of 120 g"))
	})

	It("says that a job can never fit, and does not let it keep others waiting", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "50"))
		w.create(w.asks("huge", gb))
		w.create(w.asks("small", gb).KWh("0.2"))
		w.pass("huge", "small")
		Expect(conditionMessage(w.get("huge").Status.Conditions, "Ready")).To(ContainSubstring("more than the whole limit of 50 g; raise the limit"))
		Expect(w.isStarted("small")).To(BeTrue())
	})

	It("lets a job start when it is deleted, or does not match any more", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "0").Selector(map[string]string{"team": "nlp"}))
		for _, name := range []string{"a", "b"} {
			w.create(w.asks(name, gb).Labels(map[string]string{"team": "nlp"}))
			w.pass(name)
			Expect(readyOf(w.get(name))).To(Equal("BudgetHold"))
		}
		w.create(w.asks("other", gb).Labels(map[string]string{"team": "cv"}))
		w.pass("other")
		Expect(w.isStarted("other")).To(BeTrue())
		Expect(w.edit("a", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Labels = nil })).To(Succeed())
		w.pass("a")
		Expect(w.isStarted("a")).To(BeTrue())
		Expect(reasonOf(w.get("a"), "WithinBudget")).To(BeEmpty())
		Expect(api.Delete(ctx, w.getBudget("team"))).To(Succeed())
		w.count("team")
		w.pass("b")
		Expect(w.isStarted("b")).To(BeTrue())
	})

	It("that is created late counts what runs and what has run", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.create(w.asks("done", gb))
		w.pass("done")
		w.finishes("done", gb, w.slot(2))
		w.create(w.asks("runs", gb))
		w.pass("runs")
		w.running("runs", w.clock.Now())
		w.plan("runs")
		w.budget(build.CarbonBudget("late", w.namespace, "150"))
		w.plan("runs")
		Expect(w.get("runs").Status.ReservedGrams).To(BeEquivalentTo("60"))
		Expect(w.sums("late")).To(Equal(grams("60", "60", "30")))
		w.create(w.asks("next", gb))
		w.pass("next")
		Expect(readyOf(w.get("next"))).To(Equal("BudgetHold"))
	})

	It("lets a job that is held by hand rest", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.create(w.asks("x", gb).Suspend(true))
		w.plan("x")
		w.at(w.slot(2), gb)
		Expect(w.plan("x").RequeueAfter).To(BeZero(), "its time to ask has passed long ago")
		Expect(w.get("x").Status.ReservedGrams).To(BeEmpty())
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.Suspend = nil })).To(Succeed())
		w.pass("x")
		Expect(w.isStarted("x")).To(BeTrue())
	})

	It("shares a job with other budgets: all have room for it, or none reserves", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("all", w.namespace, "1000"))
		w.budget(build.CarbonBudget("nlp", w.namespace, "50").Selector(map[string]string{"team": "nlp"}))
		w.create(w.asks("a", gb).Labels(map[string]string{"team": "nlp"}))
		w.pass("a")
		Expect(conditionMessage(w.get("a").Status.Conditions, "Ready")).To(HavePrefix("CarbonBudget nlp holds the job"))
		Expect(w.sums("all")).To(Equal(grams("0", "0", "1000")))
		w.editBudget("nlp", limit("60"))
		w.pass("a")
		Expect(w.isStarted("a")).To(BeTrue())
		Expect(w.sums("all")).To(Equal(grams("0", "60", "940")))
		Expect(w.sums("nlp")).To(Equal(grams("0", "60", "0")))
	})

	It("reserves no more than 5 seconds ahead, and the start is on time", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(6, 100)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).KWh("0.5").Jitter(0))
		result := w.plan("x")
		Expect(w.get("x").Status.ReservedGrams).To(BeEmpty())
		Expect(result.RequeueAfter).To(Equal(w.slot(6).Add(-5 * time.Second).Sub(w.start)))
		w.at(w.slot(6).Add(-5*time.Second), gb)
		w.pass("x")
		Expect(w.get("x").Status.ReservedGrams).To(BeEquivalentTo("50"))
		Expect(w.isStarted("x")).To(BeFalse())
		w.clock.SetTime(w.slot(6))
		w.startDue("x")
		Expect(w.isStarted("x")).To(BeTrue())
	})

	It("gives back what was reserved for a job that is held by hand before its start", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.create(w.asks("a", gb))
		w.plan("a")
		Expect(w.get("a").Status.ReservedGrams).To(BeEquivalentTo("60"))
		w.create(w.asks("b", gb))
		w.pass("b")
		Expect(readyOf(w.get("b"))).To(Equal("BudgetHold"))
		Expect(w.edit("a", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.Suspend = new(true) })).To(Succeed())
		w.pass("a")
		a := w.get("a")
		Expect(a.Status.ReservedGrams).To(BeEmpty())
		Expect(reasonOf(a, "WithinBudget")).To(BeEmpty())
		Expect(readyOf(a)).To(Equal("Suspended"))
		w.pass("b")
		Expect(w.isStarted("b")).To(BeTrue())
		Expect(w.sums("team")).To(Equal(grams("0", "60", "40")))

		By("asking again when it may go on")
		Expect(w.edit("a", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.Suspend = nil })).To(Succeed())
		w.pass("a")
		Expect(readyOf(w.get("a"))).To(Equal("BudgetHold"))
		w.editBudget("team", limit("120"))
		w.pass("a")
		Expect(w.isStarted("a")).To(BeTrue())
		Expect(w.sums("team")).To(Equal(grams("0", "120", "0")))
	})

	It("gives back what was reserved for a job that is planned for later again", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, append(flat(6, 200), flat(30, 100)...)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.create(w.asks("a", gb).Jitter(0))
		w.plan("a")
		Expect(w.get("a").Status.ReservedGrams).To(BeEquivalentTo("60"))
		Expect(w.edit("a", func(caj *carbonv1alpha1.CarbonAwareJob) {
			caj.Spec.MaxDelay = build.CarbonAwareJob("", "").MaxDelay(6 * time.Hour).Obj().Spec.MaxDelay
		})).To(Succeed())
		result := w.plan("a")
		a := w.get("a")
		Expect(a.Status.Plan.Start.Time).To(BeTemporally(">", w.start.Add(time.Hour)))
		Expect(a.Status.ReservedGrams).To(BeEmpty())
		Expect(w.sums("team")).To(Equal(grams("0", "0", "100")))
		Expect(result.RequeueAfter).To(BeNumerically("<=", a.Status.Plan.Start.Add(-5*time.Second).Sub(w.start)))
	})

	It("asks the budgets of its new labels when they are edited before the start", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("nlp", w.namespace, "100").Selector(map[string]string{"team": "nlp"}))
		w.budget(build.CarbonBudget("cv", w.namespace, "50").Selector(map[string]string{"team": "cv"}))
		w.create(w.asks("a", gb).Labels(map[string]string{"team": "nlp"}))
		w.plan("a")
		Expect(w.get("a").Status.ReservedIn).To(Equal([]string{"nlp"}))
		Expect(w.edit("a", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Labels["team"] = "cv" })).To(Succeed())
		w.count("cv")
		w.startDue("a")
		Expect(w.isStarted("a")).To(BeFalse(), "its grams are set aside in a budget that is not its own any more")
		w.plan("a")
		Expect(w.sums("cv")).To(Equal(grams("0", "0", "50")))
		Expect(w.sums("nlp")).To(Equal(grams("0", "0", "100")))
		w.pass("a")
		Expect(conditionMessage(w.get("a").Status.Conditions, "Ready")).To(HavePrefix("CarbonBudget cv holds the job: it needs 60 g"))
		w.editBudget("cv", limit("60"))
		w.pass("a")
		Expect(w.isStarted("a")).To(BeTrue())
		Expect(w.get("a").Status.ReservedIn).To(Equal([]string{"cv"}))
		Expect(w.sums("cv")).To(Equal(grams("0", "60", "0")))
	})

	It("asks a budget that comes between the reservation and the start", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.create(w.asks("a", gb))
		w.plan("a")
		w.budget(build.CarbonBudget("late", w.namespace, "50"))
		w.startDue("a")
		Expect(w.isStarted("a")).To(BeFalse())
		w.pass("a")
		w.pass("a")
		Expect(conditionMessage(w.get("a").Status.Conditions, "Ready")).To(HavePrefix("CarbonBudget late holds the job"))
		Expect(w.sums("team")).To(Equal(grams("0", "0", "100")))
		Expect(w.sums("late")).To(Equal(grams("0", "0", "50")))
	})

	It("lets no process start a job by a reservation that was given back", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.create(w.asks("a", gb))
		w.plan("a")
		late := w.stale("a")
		w.restart()
		Expect(w.edit("a", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.Suspend = new(true) })).To(Succeed())
		w.plan("a")
		Expect(w.get("a").Status.ReservedGrams).To(BeEmpty())
		_, err := late.Reconcile(ctx, ctrl.Request{NamespacedName: w.key("a")})
		Expect(err).NotTo(HaveOccurred())
		Expect(w.isStarted("a")).To(BeFalse())
		Expect(w.edit("a", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.Suspend = nil })).To(Succeed())
		w.pass("a")
		Expect(w.isStarted("a")).To(BeTrue(), "a reservation that was made later counts")
	})

	It("keeps what was reserved for a job whose start is under way", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.create(w.asks("a", gb))
		w.plan("a")
		Expect(w.edit("a", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Labels = map[string]string{"x": "y"} })).To(Succeed())
		w.startDue("a")
		Expect(w.edit("a", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.Suspend = new(true) })).To(Succeed())
		w.plan("a")
		Expect(w.get("a").Status.ReservedGrams).To(BeEquivalentTo("60"), "it is paused, and goes on with what it has")
		Expect(w.sums("team")).To(Equal(grams("0", "60", "40")))
	})

	It("keeps what it reserved when the process is replaced between the reservation and the start", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.create(w.asks("a", gb))
		w.create(w.asks("b", gb))
		w.plan("a")
		w.restart()
		w.pass("b", "a")
		Expect(w.startedOf("a", "b")).To(Equal([]string{"a"}))
		Expect(readyOf(w.get("b"))).To(Equal("BudgetHold"))
	})

	It("holds a job whose energy is unknown, and says how to mend that", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).MaxDelay(0))
		w.pass("x")
		x := w.get("x")
		Expect(readyOf(x)).To(Equal("BudgetHold"))
		Expect(reasonOf(x, "WithinBudget")).To(Equal("False/EnergyUnknown"))
		Expect(conditionMessage(x.Status.Conditions, "Ready")).To(ContainSubstring("set spec.energy or spec.llm.workload"))
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) {
			caj.Spec.Energy = build.CarbonAwareJob("", "").KWh("0.1").Obj().Spec.Energy
		})).To(Succeed())
		w.pass("x")
		Expect(w.isStarted("x")).To(BeTrue())
	})

	It("prices a grid of which nothing is known like the mean of the world", func(ctx context.Context) {
		w := newWorld(ctx)
		w.budget(build.CarbonBudget("team", w.namespace, "500"))
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(w.regionName("missing")).MaxDelay(0).KWh("0.4"))
		w.clock.SetTime(w.slot(2)) // it waits for its region until its latest start
		w.pass("x")
		w.pass("x")
		Expect(w.get("x").Status.ReservedGrams).To(BeEquivalentTo("189.204"), "0.4 kWh at 473.01 g/kWh")
	})
})

var _ = Describe("A run of unknown energy that started before its budget came", func() {
	It("takes no room from others, also when the process is replaced", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.started(build.CarbonAwareJob("unknown", w.namespace).Regions(gb), w.slot(1))
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.plan("unknown")
		Expect(w.sums("team")).To(Equal(grams("0", "0", "100")))
		w.restart()
		w.plan("unknown")
		w.create(w.asks("x", gb))
		w.pass("x")
		Expect(w.isStarted("x")).To(BeTrue())
		Expect(w.sums("team")).To(Equal(grams("0", "60", "40")))
	})
})

var _ = Describe("A budget that warns", func() {
	It("writes nothing while a job of unknown energy waits for its start, and holds it once it does more than warn", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(6, 100)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100").Enforcement(carbonv1alpha1.BudgetWarn))
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).Jitter(0))
		w.plan("x")
		w.at(w.slot(6).Add(-4*time.Second), gb)
		w.plan("x")
		Expect(reasonOf(w.get("x"), "WithinBudget")).To(Equal("Unknown/EnergyUnknown"))
		w.writes = nil
		for range 3 {
			Expect(w.plan("x").RequeueAfter).NotTo(Equal(time.Millisecond))
			w.count("team")
		}
		Expect(w.writes).To(BeEmpty())

		w.editBudget("team", func(s *carbonv1alpha1.CarbonBudgetSpec) { s.Enforcement = carbonv1alpha1.BudgetHold })
		w.clock.SetTime(w.slot(6))
		w.startDue("x")
		Expect(w.isStarted("x")).To(BeFalse(), "what its status says was true when it was written")
		w.pass("x")
		w.pass("x")
		Expect(w.isStarted("x")).To(BeFalse())
		Expect(reasonOf(w.get("x"), "WithinBudget")).To(Equal("False/EnergyUnknown"))
		w.editBudget("team", func(s *carbonv1alpha1.CarbonBudgetSpec) { s.Enforcement = carbonv1alpha1.BudgetWarn })
		w.pass("x")
		Expect(w.isStarted("x")).To(BeTrue())
	})

	It("lets everything start, and tells once in a period of 80 and of 100 percent", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100").Enforcement(carbonv1alpha1.BudgetWarn))
		w.create(w.asks("a", gb))
		w.create(w.asks("b", gb))
		w.create(build.CarbonAwareJob("unknown", w.namespace).Regions(gb).MaxDelay(0))
		w.pass("a", "b", "unknown")
		Expect(w.startedOf("a", "b", "unknown")).To(HaveLen(3))
		Expect(reasonOf(w.get("unknown"), "WithinBudget")).To(Equal("Unknown/EnergyUnknown"))
		Expect(w.sums("team")).To(Equal(grams("0", "120", "-20")))
		Expect(w.warnings()).To(ConsistOf(ContainSubstring("NearLimit")))
		w.finishes("a", gb, w.slot(2))
		w.finishes("b", gb, w.slot(2))
		Expect(w.sums("team")).To(Equal(grams("120", "0", "-20")))
		Expect(w.warnings()).To(ConsistOf(ContainSubstring("LimitReached")))
		Expect(budgetStatus(w.getBudget("team"))).To(Equal("LimitReached"))
		w.count("team")
		Expect(w.warnings()).To(BeEmpty())
		w.restart()
		w.plan("unknown")
		Expect(w.sums("team")).To(Equal(grams("120", "0", "-20")), "what is unknown counts nothing, also for a new process")
	})
})
