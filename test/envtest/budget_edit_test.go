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

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("An edit between the reservation and the end of a run", func() {
	It("asks again when a job is edited to need more than was set aside, and keeps what is enough", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		needs := func(kWh string) {
			Expect(w.edit("a", func(caj *carbonv1alpha1.CarbonAwareJob) {
				caj.Spec.Energy = build.CarbonAwareJob("", "").KWh(kWh).Obj().Spec.Energy
			})).To(Succeed())
		}
		w.create(w.asks("a", gb))
		w.plan("a")
		Expect(w.get("a").Status.ReservedGrams).To(BeEquivalentTo("60"))
		needs("3")
		w.pass("a")
		w.pass("a")
		Expect(w.isStarted("a")).To(BeFalse())
		Expect(conditionMessage(w.get("a").Status.Conditions, "Ready")).To(ContainSubstring("it needs 600 g, more than the whole limit"))
		Expect(w.sums("team")).To(Equal(grams("0", "0", "100")))
		needs("0.4")
		w.plan("a")
		Expect(w.get("a").Status.ReservedGrams).To(BeEquivalentTo("80"))
		needs("0.1")
		w.pass("a")
		Expect(w.isStarted("a")).To(BeTrue())
		Expect(w.sums("team")).To(Equal(grams("0", "80", "20")))
	})

	It("sets more aside for a run whose maxGrams is raised, so that others do not get it", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.started(w.asks("a", gb).MaxGrams("10"), w.slot(1))
		Expect(w.sums("team")).To(Equal(grams("0", "10", "90")))
		Expect(w.edit("a", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.MaxGrams = nil })).To(Succeed())
		w.plan("a")
		Expect(w.sums("team")).To(Equal(grams("0", "60", "40")))
		w.create(w.asks("b", gb))
		w.pass("b")
		Expect(readyOf(w.get("b"))).To(Equal("BudgetHold"))
		w.restart()
		Expect(w.sums("team")).To(Equal(grams("0", "60", "40")))
	})

	It("keeps what was set aside before the limit was lowered, and gives nothing more away", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.create(w.asks("a", gb))
		w.plan("a")
		w.editBudget("team", limit("0"))
		w.create(w.asks("b", gb))
		w.pass("a", "b")
		Expect(w.startedOf("a", "b")).To(Equal([]string{"a"}))
		Expect(w.sums("team")).To(Equal(grams("0", "60", "-60")))
	})

	It("of a budget that is deleted, or chooses others, keeps no job from starting", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.budget(build.CarbonBudget("other", w.namespace, "100"))
		w.create(w.asks("a", gb))
		w.plan("a")
		Expect(w.get("a").Status.ReservedIn).To(Equal([]string{"other", "team"}))
		Expect(api.Delete(ctx, w.getBudget("team"))).To(Succeed())
		w.count("team")
		w.editBudget("other", func(s *carbonv1alpha1.CarbonBudgetSpec) {
			s.Selector = &carbonv1alpha1.BudgetSelector{MatchLabels: map[string]string{"team": "others"}}
		})
		w.pass("a")
		Expect(w.isStarted("a")).To(BeTrue())
		Expect(w.sums("other")).To(Equal(grams("0", "0", "100")))
	})

	It("of a budget that chooses the job only now has it asked", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "100"))
		w.budget(build.CarbonBudget("other", w.namespace, "50").Selector(map[string]string{"team": "others"}))
		w.create(w.asks("a", gb))
		w.plan("a")
		w.editBudget("other", func(s *carbonv1alpha1.CarbonBudgetSpec) { s.Selector = nil })
		w.startDue("a")
		w.pass("a")
		w.pass("a")
		Expect(w.isStarted("a")).To(BeFalse())
		Expect(conditionMessage(w.get("a").Status.Conditions, "Ready")).To(HavePrefix("CarbonBudget other holds the job"))
		Expect(w.sums("team")).To(Equal(grams("0", "0", "100")))
	})
})
