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

package faults

import (
	"context"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/audit"
)

var _ = Describe("F13: a hundred jobs and a budget for sixty", func() {
	const jobs, room = 100, 60
	// race makes the budget and the jobs, which all want to start at one time and emit 100 g each.
	race := func(ctx context.Context, ns string) types.NamespacedName {
		GinkgoHelper()
		budget := &carbonv1alpha1.CarbonBudget{
			ObjectMeta: metav1.ObjectMeta{Name: "b", Namespace: ns},
			Spec: carbonv1alpha1.CarbonBudgetSpec{
				LimitGrams: new(resource.MustParse(fmt.Sprint(100 * room))), Period: carbonv1alpha1.BudgetTotal, Enforcement: carbonv1alpha1.BudgetHold,
			},
		}
		Expect(api.Create(ctx, budget)).To(Succeed())
		region := region(ctx, stormSlot, append([]int{300}, slices.Repeat([]int{100}, 60)...)...)
		for i := range jobs {
			create(ctx, running(waiting(fmt.Sprintf("race-%d", i), ns, region, stormSlot), time.Second))
		}
		return client.ObjectKeyFromObject(budget)
	}
	// exactly checks that as many have started and completed as there is room for, and the others are held.
	exactly := func(ctx context.Context, ns string) {
		GinkgoHelper()
		eventuallyAll(ctx, ns, room, "Completed")
		eventuallyAll(ctx, ns, jobs-room, "BudgetHold")
		Expect(started(ns)).To(Equal(room))
		Expect(audit.Overdrawn(written(ns), ns, "b")).To(BeEmpty())
	}
	raise := func(ctx context.Context, key types.NamespacedName) {
		GinkgoHelper()
		Eventually(func() error {
			budget := &carbonv1alpha1.CarbonBudget{}
			if err := api.Get(ctx, key, budget); err != nil {
				return err
			}
			before := budget.DeepCopy()
			budget.Spec.LimitGrams = new(resource.MustParse(fmt.Sprint(100 * jobs)))
			return api.Patch(ctx, budget, client.MergeFrom(before))
		}).Should(Succeed())
	}

	It("start exactly sixty, also when the manager dies between reservations and starts", func(ctx context.Context) {
		ns := namespace(ctx)
		m := startManager(0)
		key := race(ctx, ns)
		Eventually(func() int { return started(ns) }).Should(BeNumerically(">", 0))
		m.Kill()
		startManager(0)
		exactly(ctx, ns)
		By("raising the limit")
		raise(ctx, key)
		eventuallyAll(ctx, ns, jobs, "Completed")
	})

	It("start exactly sixty, also when an old leader wakes up that has not seen what the new one gave away", func(ctx context.Context) {
		ns := namespace(ctx)
		leader, standby := pair(ctx)
		was := holder(ctx)
		race(ctx, ns)
		Eventually(func() int { return reserved(ctx, ns) }).WithPolling(time.Millisecond).Should(BeNumerically(">", 0))
		leader.Pause() // in the middle of it, if the machine is fast enough
		AddReportEntry("reserved when the leader fell asleep", reserved(ctx, ns), ReportEntryVisibilityAlways)
		Eventually(func() string { return holder(ctx) }).ShouldNot(Equal(was))
		exactly(ctx, ns)
		leader.Resume()
		Eventually(leader.Ended()).Should(BeClosed())
		exactly(ctx, ns)
		Expect(standby.Running()).To(BeTrue())
	})

	It("start them all once the budget is deleted", func(ctx context.Context) {
		ns := namespace(ctx)
		startManager(0)
		key := race(ctx, ns)
		exactly(ctx, ns)
		Expect(api.Delete(ctx, &carbonv1alpha1.CarbonBudget{ObjectMeta: metav1.ObjectMeta{Name: key.Name, Namespace: ns}})).To(Succeed())
		eventuallyAll(ctx, ns, jobs, "Completed")
	})
})

// reserved is how many jobs have grams set aside.
func reserved(ctx context.Context, ns string) int {
	GinkgoHelper()
	var all carbonv1alpha1.CarbonAwareJobList
	Expect(api.List(ctx, &all, client.InNamespace(ns))).To(Succeed())
	n := 0
	for i := range all.Items {
		if all.Items[i].Status.ReservedGrams != "" {
			n++
		}
	}
	return n
}
