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

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("The grams of a deleted job", func() {
	It("are in the budget before the job goes, once at every moment, and for good", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.create(w.asks("a", gb))
		w.pass("a")
		w.finishes("a", gb, w.slot(2))
		Expect(w.sums("team")).To(Equal(grams("60", "0", "40")))
		Expect(api.Delete(ctx, w.get("a"))).To(Succeed())
		w.plan("a")
		w.get("a") // the budget does not have it yet
		Expect(w.sums("team")).To(Equal(grams("60", "0", "40")))
		status := w.getBudget("team").Status
		Expect(status.Settling).To(HaveLen(1))
		Expect(status.Settled.ConsumedGrams).To(BeEquivalentTo("60"))
		w.plan("a")
		w.gone(&carbonv1alpha1.CarbonAwareJob{}, "a")
		Expect(w.sums("team")).To(Equal(grams("60", "0", "40")))
		w.plan("a") // the news that it went
		Expect(w.sums("team")).To(Equal(grams("60", "0", "40")))
		status = w.getBudget("team").Status
		Expect(status.Settling).To(BeEmpty())
		Expect(status.CompletedJobs).To(BeEquivalentTo(1))
		w.restart()
		Expect(w.sums("team")).To(Equal(grams("60", "0", "40")))
	})

	It("that is deleted while it runs are what it emitted until then", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "1000"))
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).MaxDelay(0).Watts("1000"))
		w.pass("x")
		w.running("x", w.slot(1))
		Expect(api.Delete(ctx, w.get("x"))).To(Succeed())
		w.at(w.slot(3), gb)
		w.plan("x")
		Expect(w.get("x").Status.Emissions.ActualGrams).To(BeEquivalentTo("200"), "1 kW for an hour")
		Expect(w.sums("team")).To(Equal(grams("200", "0", "800")))
		w.plan("x")
		w.gone(&carbonv1alpha1.CarbonAwareJob{}, "x")
		Expect(w.job("x").Finalizers).To(BeEmpty())
		Expect(w.sums("team")).To(Equal(grams("200", "0", "800")))
	})

	It("are settled in every budget in which it counts, and none waits for one that is gone", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		for _, name := range []string{"a", "b", "c"} {
			w.budget(build.CarbonBudget(name, w.namespace, "100"))
		}
		w.create(w.asks("x", gb))
		w.pass("x")
		w.finishes("x", gb, w.slot(2))
		Expect(api.Delete(ctx, w.get("x"))).To(Succeed())
		w.plan("x")
		w.count("a")
		w.plan("x")
		w.get("x") // b and c do not have it
		w.count("b")
		Expect(api.Delete(ctx, w.getBudget("c"))).To(Succeed())
		w.count("c")
		w.plan("x")
		w.gone(&carbonv1alpha1.CarbonAwareJob{}, "x")
		Expect(w.sums("a")).To(Equal(w.sums("b")))
	})

	It("go into the period in which it ended, also when that is over", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("daily", w.namespace, "100").Period(carbonv1alpha1.BudgetDaily).TimeZone(w.noon()))
		midnight := w.getBudget("daily").Status.Period.End.Time
		w.create(w.asks("x", gb))
		w.pass("x")
		w.finishes("x", gb, w.clock.Now())
		w.clock.SetTime(midnight)
		w.count("daily")
		Expect(api.Delete(ctx, w.get("x"))).To(Succeed())
		w.plan("x")
		w.count("daily")
		w.plan("x")
		w.gone(&carbonv1alpha1.CarbonAwareJob{}, "x")
		Expect(w.sums("daily")).To(Equal(grams("0", "0", "100")))
		history := w.getBudget("daily").Status.History
		Expect(history[0].ConsumedGrams).To(BeEquivalentTo("60"))
		Expect(history[0].Settled.Jobs).To(BeEquivalentTo(1))
	})

	It("are none if it never ran: it goes at once, and gives back what it reserved", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.create(w.asks("reserved", gb))
		w.create(w.asks("held", gb))
		w.pass("reserved", "held")
		for _, name := range []string{"reserved", "held"} {
			Expect(api.Delete(ctx, w.get(name))).To(Succeed())
			w.plan(name)
			w.gone(&carbonv1alpha1.CarbonAwareJob{}, name)
			w.plan(name) // the news that it went
		}
		Expect(w.sums("team")).To(Equal(grams("0", "0", "100")))
	})

	It("that was taken away by force do not stay reserved", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.create(w.asks("x", gb))
		w.pass("x")
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Finalizers = nil })).To(Succeed())
		Expect(api.Delete(ctx, w.get("x"), inBackground)).To(Succeed())
		w.plan("x")
		Expect(w.sums("team")).To(Equal(grams("0", "0", "100")))
	})

	It("are settled once though somebody else's finalizer keeps the job", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.create(w.asks("x", gb))
		w.pass("x")
		w.finishes("x", gb, w.slot(2))
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) {
			caj.Finalizers = append(caj.Finalizers, "example.org/keep")
		})).To(Succeed())
		Expect(api.Delete(ctx, w.get("x"))).To(Succeed())
		for range 3 {
			w.plan("x")
			w.count("team")
		}
		Expect(w.get("x").Finalizers).To(Equal([]string{"example.org/keep"}))
		w.restart()
		w.plan("x")
		Expect(w.sums("team")).To(Equal(grams("60", "0", "40")))
		Expect(w.getBudget("team").Status.Settling).To(BeEmpty())
	})

	for _, after := range []bool{false, true} {
		It(fmt.Sprintf("are settled exactly once when the process dies at any write (after it: %t)", after), func(ctx context.Context) {
			for at := 1; ; at++ {
				w := newWorld(ctx)
				gb := w.trace("gb", nil, flat(20, 200)...)
				w.budget(build.CarbonBudget("team", w.namespace, "1000"))
				for _, name := range []string{"runs", "done"} {
					w.create(build.CarbonAwareJob(name, w.namespace).Regions(gb).MaxDelay(0).Watts("1000"))
					w.pass(name)
					w.running(name, w.slot(1))
				}
				w.completed("done", w.slot(2))
				w.at(w.slot(3), gb)
				w.plan("done")
				for _, name := range []string{"runs", "done"} {
					Expect(api.Delete(ctx, w.get(name))).To(Succeed())
				}
				w.death.reset(at, after)
				w.untilQuiet([]string{"runs", "done"})
				died := w.death.isDead()
				w.death.reset(0, false)
				w.restart()
				w.untilQuiet([]string{"runs", "done"})
				for _, name := range []string{"runs", "done"} {
					w.gone(&carbonv1alpha1.CarbonAwareJob{}, name)
					Expect(w.job(name).Finalizers).To(BeEmpty(), "death at write %d", at)
				}
				Expect(w.sums("team")).To(Equal(grams("300", "0", "700")), "death at write %d", at)
				Expect(w.getBudget("team").Status.Settling).To(BeEmpty())
				if !died {
					Expect(at).To(BeNumerically(">", 5), "it has more writes than that")
					return
				}
			}
		})
	}
})
