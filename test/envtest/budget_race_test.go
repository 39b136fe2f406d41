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
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("A budget with room for some of the jobs that start at once", func() {
	It("starts exactly 60 of 100 in parallel, and holds 40 with a reason", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.budget(build.CarbonBudget("team", w.namespace, "3600"))
		names := w.asking(gb, 100)
		w.allAtOnce(names, 25)
		Expect(w.goAndHeld()).To(Equal([]int{60, 40}))
		Expect(w.sums("team")).To(Equal(grams("0", "3600", "0")))

		By("replacing the process: nothing leaks, nothing more starts")
		w.restart()
		w.allAtOnce(names, 25)
		Expect(w.goAndHeld()).To(Equal([]int{60, 40}))
		Expect(w.sums("team")).To(Equal(grams("0", "3600", "0")))
	})

	for _, after := range []bool{false, true} {
		It(fmt.Sprintf("starts no more when the process dies at any write (after it: %t)", after), func(ctx context.Context) {
			for at := 1; ; at++ {
				w := newWorld(ctx)
				gb := w.trace("gb", nil, flat(20, 200)...)
				Expect(api.Create(ctx, build.CarbonBudget("team", w.namespace, "120").Obj())).To(Succeed())
				names := w.asking(gb, 4)
				w.death.reset(at, after)
				w.untilQuiet(names)
				died := w.death.isDead()
				w.death.reset(0, false)
				w.restart()
				w.untilQuiet(names)
				Expect(w.goAndHeld()).To(Equal([]int{2, 2}), "death at write %d", at)
				Expect(w.sums("team")).To(Equal(grams("0", "120", "0")), "death at write %d", at)
				if !died {
					Expect(at).To(BeNumerically(">", 15), "a run has more writes than that")
					return
				}
			}
		})
	}
})

// asking creates so many jobs of 60 g each that may not wait.
func (w *world) asking(region string, count int) []string {
	names := make([]string, 0, count)
	for i := range count {
		name := fmt.Sprintf("job-%03d", i)
		w.create(w.asks(name, region))
		names = append(names, name)
	}
	return names
}

// allAtOnce runs passes of the planner and the starter for all the jobs by several workers.
func (w *world) allAtOnce(names []string, workers int) {
	queue := make(chan string)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			defer GinkgoRecover()
			for name := range queue {
				w.pass(name)
			}
		})
	}
	for _, name := range names {
		queue <- name
	}
	close(queue)
	group.Wait()
}

// untilQuiet runs passes of everything until nothing is written any more, or the process is dead.
func (w *world) untilQuiet(names []string) {
	for rounds := 0; ; rounds++ {
		Expect(rounds).To(BeNumerically("<", 10), "there is always something to write")
		before := len(w.writes)
		for _, name := range names {
			_, _ = w.planner.Reconcile(w.ctx, ctrl.Request{NamespacedName: w.key(name)})
			_, _ = w.starter.Reconcile(w.ctx, ctrl.Request{NamespacedName: w.key(name)})
		}
		_, _ = w.budgets.Reconcile(w.ctx, ctrl.Request{NamespacedName: w.key("team")})
		if w.death.isDead() || len(w.writes) == before {
			return
		}
	}
}

// goAndHeld is how many Jobs were let go, and how many CarbonAwareJobs are held.
func (w *world) goAndHeld() []int {
	var jobs batchv1.JobList
	Expect(api.List(w.ctx, &jobs, client.InNamespace(w.namespace))).To(Succeed())
	started := 0
	for i := range jobs.Items {
		if !*jobs.Items[i].Spec.Suspend {
			started++
		}
	}
	var all carbonv1alpha1.CarbonAwareJobList
	Expect(api.List(w.ctx, &all, client.InNamespace(w.namespace))).To(Succeed())
	held := 0
	for i := range all.Items {
		if readyOf(&all.Items[i]) == "BudgetHold" {
			held++
		}
	}
	return []int{started, held}
}
