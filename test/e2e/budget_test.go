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

package e2e

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("A budget", func() {
	It("with room for 60 of 100 jobs starts exactly 60, through five managers killed at their writes", func(ctx context.Context) {
		all, fit := 100, 60
		if realNodes {
			all, fit = 20, 12 // as many pods as two real nodes on one machine can bear
		}
		ns := namespace(ctx)
		witness := newWitness(ctx, ns)
		trace(ctx, "budget-uk", time.Hour, nodesOf(ukNodes), 200, 200, 200)
		team := build.CarbonBudget("team", ns, fmt.Sprint(60*fit)).Obj()
		Expect(cluster.Create(ctx, team)).To(Succeed())
		for i := range all {
			j := build.CarbonAwareJob(fmt.Sprintf("job-%03d", i), ns).Regions("budget-uk").MaxDelay(0).KWh("0.3")
			Expect(cluster.Create(ctx, runnable(j, time.Hour).Obj())).To(Succeed())
		}
		for life := range 5 {
			// Early enough that the fifth has something left to write, whatever was under way as the others died.
			proxy := newKillingProxy(ns, all*2/5+life, []moment{before, after}[life%2])
			m := startManager(proxy.server.URL)
			proxy.kill = m.kill
			Eventually(m.ended).Should(BeClosed(), func() string { return fmt.Sprintf("manager %d wrote only %d times", life, len(proxy.seen())) })
		}
		startManager("")
		Eventually(func(g Gomega) {
			var jobs carbonv1alpha1.CarbonAwareJobList
			g.Expect(cluster.List(ctx, &jobs, client.InNamespace(ns))).To(Succeed())
			count := map[string]int{}
			for i := range jobs.Items {
				count[statusColumn(&jobs.Items[i])]++
			}
			g.Expect(count).To(Equal(map[string]int{"Running": fit, "BudgetHold": all - fit}))
			g.Expect(cluster.Get(ctx, client.ObjectKeyFromObject(team), team)).To(Succeed())
			g.Expect(team.Status.ReservedGrams).To(BeEquivalentTo(fmt.Sprint(60 * fit)))
			g.Expect(team.Status.RemainingGrams).To(BeEquivalentTo("0"))
			g.Expect(team.Status.HeldJobs).To(BeEquivalentTo(all - fit))
		}).Should(Succeed())
		_, starts := witness.counts()
		Expect(starts).To(Equal(fit))

		By("raising the limit: the rest starts, by nobody's hand")
		before := team.DeepCopy()
		team.Spec.LimitGrams = new(resource.MustParse(fmt.Sprint(60 * all)))
		Expect(cluster.Patch(ctx, team, client.MergeFrom(before))).To(Succeed())
		Eventually(func() int { _, starts := witness.counts(); return starts }).Should(Equal(all))
	})

	It("that terminates stops a running pod at the computed moment, and has what it emitted", func(ctx context.Context) {
		ns := namespace(ctx)
		trace(ctx, "terminate-uk", time.Hour, nodesOf(ukNodes), 200, 200, 200)
		team := build.CarbonBudget("team", ns, "400").Enforcement(carbonv1alpha1.BudgetTerminate).Obj()
		Expect(cluster.Create(ctx, team)).To(Succeed())
		startManager("")
		// 1000 kW at 200 g/kWh are 500 g in 9 s: 400 g are emitted after 7.2 s.
		key := types.NamespacedName{Namespace: ns, Name: "endless"}
		j := build.CarbonAwareJob(key.Name, ns).Regions("terminate-uk").MaxDelay(0).Duration(2 * time.Second).Watts("1000000")
		Expect(cluster.Create(ctx, runnable(j, time.Hour).Obj())).To(Succeed())
		eventuallyStatus(ctx, key, "BudgetExceeded")
		Eventually(func(g Gomega) {
			var pods corev1.PodList
			g.Expect(cluster.List(ctx, &pods, client.InNamespace(ns))).To(Succeed())
			g.Expect(pods.Items).To(BeEmpty(), "its pods are stopped")
			caj := get(ctx, key)
			g.Expect(caj.Status.Emissions).NotTo(BeNil())
			g.Expect(cluster.Get(ctx, client.ObjectKeyFromObject(team), team)).To(Succeed())
			g.Expect(team.Status.ConsumedGrams).To(Equal(caj.Status.Emissions.ActualGrams))
			g.Expect(team.Status.ReservedGrams).To(BeEquivalentTo("0"))
		}).Should(Succeed())
		run := get(ctx, key).Status.Job.Runs[0]
		Expect(run.End.Sub(run.Start.Time)).To(BeNumerically(">=", 7*time.Second), "never before its time")
		Expect(get(ctx, key).Status.Job.Runs).To(HaveLen(1))
	})
})

func statusColumn(caj *carbonv1alpha1.CarbonAwareJob) string {
	for _, c := range caj.Status.Conditions {
		if c.Type == carbonv1alpha1.ConditionReady {
			return c.Reason
		}
	}
	return ""
}
