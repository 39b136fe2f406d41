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
	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// A job's life has this many writes; the first spec below counts them.
const writesOfALife = 7

var _ = Describe("A manager that is killed at a write", Ordered, func() {
	const region = "kill-uk"
	var reference *carbonv1alpha1.CarbonAwareJob

	BeforeAll(func(ctx context.Context) {
		// Slots that ended before the run even started: the record is final at once, and equal in
		// every life.
		trace(ctx, region, time.Hour, nodesOf(ukNodes), 200, 200, 200, 200)
		region := &carbonv1alpha1.GridRegion{}
		m := startManager("")
		Eventually(func(g Gomega) {
			g.Expect(cluster.Get(ctx, types.NamespacedName{Name: "kill-uk"}, region)).To(Succeed())
			g.Expect(region.Status.Intensity).NotTo(BeNil())
		}).Should(Succeed())
		m.kill()
	})

	live := func(ctx context.Context, at int, when moment) (*carbonv1alpha1.CarbonAwareJob, *killingProxy) {
		GinkgoHelper()
		ns := namespace(ctx)
		witness := newWitness(ctx, ns)
		proxy := newKillingProxy(ns, at, when)
		m := startManager(proxy.server.URL)
		proxy.kill = m.kill
		key := types.NamespacedName{Namespace: ns, Name: "life"}
		j := build.CarbonAwareJob(key.Name, ns).Regions(region).MaxDelay(0).KWh("1").
			Env("OPENAI_MODEL", "gpt-4o").Model("OPENAI_MODEL", "", "", 100)
		Expect(cluster.Create(ctx, runnable(j, time.Second).Obj())).To(Succeed())
		if at > 0 {
			Eventually(m.ended).Should(BeClosed(), "the manager should have been killed at write %d; it made %+v", at, proxy.seen())
			m = startManager("")
		}
		caj := eventuallyStatus(ctx, key, "Completed")
		Eventually(func(g Gomega) {
			caj = get(ctx, key)
			g.Expect(caj.Status.Emissions).NotTo(BeNil())
			g.Expect(job(ctx, key).Finalizers).NotTo(ContainElement(carbonv1alpha1.FinalizerJob))
		}).Should(Succeed())
		m.kill()
		jobs, starts := witness.counts()
		Expect([]int{jobs, starts}).To(Equal([]int{1, 1}), "one Job UID, one start")
		return caj, proxy
	}

	It("has a reference life", func(ctx context.Context) {
		var proxy *killingProxy
		reference, proxy = live(ctx, 0, before)
		Expect(withoutConflict(proxy.seen())).To(HaveLen(writesOfALife), "%+v", proxy.seen())
	})

	for at := 1; at <= writesOfALife; at++ {
		for _, when := range []moment{before, after} {
			It(fmt.Sprintf("ends the same when it is killed %s write %d", when, at), func(ctx context.Context) {
				caj, _ := live(ctx, at, when)
				Expect(endState(caj)).To(Equal(endState(reference)))
			})
		}
	}
})

// endState is what must be the same however often the manager died: everything but times and UIDs.
func endState(caj *carbonv1alpha1.CarbonAwareJob) map[string]any {
	conditions := map[string]string{}
	for _, c := range caj.Status.Conditions {
		conditions[c.Type] = string(c.Status) + " " + c.Reason
	}
	emissions := *caj.Status.Emissions
	emissions.FinalAt = nil
	return map[string]any{
		"conditions": conditions, "model": *caj.Status.Model, "region": caj.Status.Job.Region,
		"emissions": emissions, "runs": len(caj.Status.Job.Runs), "plan": caj.Status.Plan.Reason,
	}
}
