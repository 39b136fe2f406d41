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
	_ "time/tzdata"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("A budget with a period", func() {
	It("counts anew when the next one begins, and lets go what it held, oldest first and no more than fits", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(100, 200)...)
		w.budget(build.CarbonBudget("daily", w.namespace, "130").Period(carbonv1alpha1.BudgetDaily).TimeZone(w.noon()))
		midnight := w.getBudget("daily").Status.Period.End.Time
		Expect(w.count("daily").RequeueAfter).To(Equal(midnight.Sub(w.start)))
		w.create(w.asks("done", gb))
		w.pass("done")
		w.finishes("done", gb, w.clock.Now().Add(time.Second))
		held := []string{"z", "y", "x", "w"}
		for i, name := range held {
			w.clock.SetTime(w.start.Add(time.Duration(i) * time.Minute))
			w.create(w.asks(name, gb))
			w.pass(name)
		}
		Expect(w.startedOf(held...)).To(Equal([]string{"z"}))
		w.running("z", w.clock.Now())
		w.plan("z")
		Expect(w.plan("w").RequeueAfter).To(BeNumerically("<=", 5*time.Minute))
		Expect(conditionMessage(w.get("w").Status.Conditions, "Ready")).To(HaveSuffix("its next period begins at " + midnight.UTC().Format("2006-01-02 15:04:05 UTC")))

		By("beginning the next day, with one job still running")
		w.clock.SetTime(midnight)
		Expect(w.sums("daily")).To(Equal(grams("0", "120", "10")), "the one that runs, and the one that comes next")
		w.pass("w", "x", "y")
		w.pass("w", "x", "y")
		Expect(w.startedOf(held...)).To(Equal([]string{"y", "z"}))
		history := w.getBudget("daily").Status.History
		Expect(history).To(HaveLen(1))
		Expect(history[0].ConsumedGrams).To(BeEquivalentTo("60"))
		Expect(history[0].Jobs).To(BeEquivalentTo(1))

		By("ending a run that began the day before: it counts where it ended")
		w.finishes("z", gb, midnight.Add(time.Hour))
		Expect(w.sums("daily")).To(Equal(grams("60", "60", "10")))
		Expect(w.getBudget("daily").Status.History[0].ConsumedGrams).To(BeEquivalentTo("60"))
	})

	It("keeps twelve periods, those that nobody was awake for included", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("daily", w.namespace, "130").Period(carbonv1alpha1.BudgetDaily).TimeZone(w.noon()))
		day := w.getBudget("daily").Status.Period.Start.Time
		w.create(w.asks("done", gb))
		w.pass("done")
		w.finishes("done", gb, w.clock.Now().Add(time.Second))
		for _, days := range []int{1, 4, 5, 12} {
			w.clock.SetTime(day.AddDate(0, 0, days).Add(time.Hour))
			w.count("daily")
			Expect(w.getBudget("daily").Status.History).To(HaveLen(days))
		}
		oldest := w.getBudget("daily").Status.History[11]
		Expect(oldest.Start.Time).To(BeTemporally("==", day))
		Expect(oldest.ConsumedGrams).To(BeEquivalentTo("60"))
		w.clock.SetTime(day.AddDate(0, 0, 40))
		w.count("daily")
		history := w.getBudget("daily").Status.History
		Expect(history).To(HaveLen(12))
		Expect(history[0].End.Time).To(BeTemporally("==", day.AddDate(0, 0, 40)))
	})

	It("warns once in each period, however often it comes near its limit", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(100, 200)...)
		w.budget(build.CarbonBudget("daily", w.namespace, "100").Period(carbonv1alpha1.BudgetDaily).TimeZone(w.noon()))
		midnight := w.getBudget("daily").Status.Period.End.Time
		nearAndFar := func(name string) {
			w.create(w.asks(name, gb).KWh("0.45"))
			w.pass(name)
			Expect(w.isStarted(name)).To(BeTrue())
			w.count("daily")
			Expect(reasonOfBudget(w.getBudget("daily"), "NearLimit")).To(Equal("True/NearLimit"))
			Expect(api.Delete(ctx, w.get(name))).To(Succeed())
			w.plan(name)
			w.plan(name) // the news that it went
			w.count("daily")
		}
		nearAndFar("a")
		Expect(reasonOfBudget(w.getBudget("daily"), "NearLimit")).To(Equal("False/Eased"))
		nearAndFar("b")
		Expect(w.warnings()).To(HaveLen(1))
		w.clock.SetTime(midnight)
		w.count("daily")
		Expect(reasonOfBudget(w.getBudget("daily"), "NearLimit")).To(Equal("False/WithinLimit"))
		nearAndFar("c")
		Expect(w.warnings()).To(HaveLen(1))
	})

	It("begins at midnight of its time zone", func(ctx context.Context) {
		w := newWorld(ctx)
		w.budget(build.CarbonBudget("daily", w.namespace, "100").Period(carbonv1alpha1.BudgetDaily).TimeZone("Asia/Tokyo"))
		tokyo := time.FixedZone("JST", 9*60*60)
		start := w.getBudget("daily").Status.Period.Start.In(tokyo)
		Expect([]int{start.Hour(), start.Minute(), start.Second()}).To(Equal([]int{0, 0, 0}))
	})
})
