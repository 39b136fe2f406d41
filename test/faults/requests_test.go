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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/faults"
)

// A job's life has this many writes; see docs/architecture.md.
const writesOfALife = 7

var _ = Describe("F2: a write of a job's life, each of the seven", Ordered, func() {
	var reference map[string]any

	// live lets seven jobs live behind one proxy, each in a namespace of its own, where its k-th write
	// meets the fault, and returns their end states.
	live := func(ctx context.Context, fault faults.Fault) []map[string]any {
		GinkgoHelper()
		var namespaces []string
		var rules []faults.Rule
		for k := 1; k <= writesOfALife; k++ {
			ns := namespace(ctx)
			namespaces = append(namespaces, ns)
			rules = append(rules, faults.Rule{Match: faults.OfLife(ns), From: k, Fault: fault})
		}
		proxy := newProxy("")
		m := startManagerBehind(proxy)
		region := steady(ctx)
		Eventually(func(g Gomega) { g.Expect(intensity(ctx, region)).NotTo(BeNil()) }).Should(Succeed())
		proxy.Script(rules...)
		keys := map[string]types.NamespacedName{}
		for _, ns := range namespaces {
			keys[ns] = create(ctx, build.CarbonAwareJob("life", ns).Regions(region).MaxDelay(0).KWh("1").
				Env("OPENAI_MODEL", "gpt-4o").Model("OPENAI_MODEL", "", "", 100))
		}
		var states []map[string]any
		for _, ns := range namespaces {
			caj := eventually(ctx, keys[ns], "Completed")
			Eventually(func() []string { return job(ctx, keys[ns]).Finalizers }).Should(BeEmpty(), "the Job is let go")
			states = append(states, endState(ns, caj))
		}
		Expect(m.Running()).To(BeTrue())
		return states
	}

	It("is one of seven, when nothing fails", func(ctx context.Context) {
		ns := namespace(ctx)
		region := steady(ctx)
		proxy := newProxy(ns)
		startManagerBehind(proxy)
		Eventually(func(g Gomega) { g.Expect(intensity(ctx, region)).NotTo(BeNil()) }).Should(Succeed())
		key := create(ctx, build.CarbonAwareJob("life", ns).Regions(region).MaxDelay(0).KWh("1").
			Env("OPENAI_MODEL", "gpt-4o").Model("OPENAI_MODEL", "", "", 100))
		caj := eventually(ctx, key, "Completed")
		Eventually(func() []string { return job(ctx, key).Finalizers }).Should(BeEmpty(), "the Job is let go")
		Expect(proxy.Writes()).To(HaveLen(writesOfALife), "%v", proxy.Writes())
		reference = endState(ns, caj)
		reference["region"] = nil
	})

	for name, fault := range map[string]faults.Fault{
		"is cut before it is sent": faults.FailBefore, "is carried out and its answer is lost": faults.LoseAnswer,
		"meets a conflict": faults.Conflict, "is one too many": faults.TooManyRequests,
		"meets an internal error": faults.InternalError, "finds no API server": faults.Unavailable,
	} {
		It(name, func(ctx context.Context) {
			for k, state := range live(ctx, fault) {
				state["region"] = nil // every spec has its own
				Expect(state).To(Equal(reference), "write %d", k+1)
			}
		})
	}
})

// endState is what must be the same whatever failed: everything but times and UIDs, and the numbers
// of creates and deletes.
func endState(ns string, caj *carbonv1alpha1.CarbonAwareJob) map[string]any {
	conditions := map[string]string{}
	for _, c := range caj.Status.Conditions {
		conditions[c.Type] = string(c.Status) + " " + c.Reason
	}
	emissions := *caj.Status.Emissions
	emissions.FinalAt = nil
	verbs := map[string]int{}
	for _, e := range written(ns) {
		if e.User == operatorUser && (e.Verb == "create" || e.Verb == "delete") && e.Resource != "events" {
			verbs[e.Verb+" "+e.Resource]++
		}
	}
	return map[string]any{
		"conditions": conditions, "model": *caj.Status.Model, "region": caj.Status.Job.Region,
		"emissions": emissions, "runs": len(caj.Status.Job.Runs), "plan": caj.Status.Plan.Reason, "verbs": verbs,
	}
}

var _ = Describe("F8: a storm of errors", func() {
	It("with a third of all requests failing loses nothing", func(ctx context.Context) {
		ns := namespace(ctx)
		proxy := newProxy(ns)
		proxy.Script(faults.Rule{
			Match: faults.OfLife(ns),
			Fault: faults.Sometimes(8, 0.3, faults.FailBefore, faults.LoseAnswer, faults.Conflict, faults.TooManyRequests,
				faults.InternalError, faults.Unavailable, faults.Delay(100*time.Millisecond)),
		})
		startManagerBehind(proxy)
		const n = 100
		storm(ctx, ns, n, 5*time.Second)
		eventuallyAll(ctx, ns, n, "Completed")
		Expect(started(ns)).To(Equal(n))
		Expect(len(proxy.Writes())).To(BeNumerically("<", 3*n*writesOfALife), "retries are bounded")
	})
})

func intensity(ctx context.Context, name string) *carbonv1alpha1.IntensityStatus {
	GinkgoHelper()
	region := &carbonv1alpha1.GridRegion{}
	Expect(api.Get(ctx, types.NamespacedName{Name: name}, region)).To(Succeed())
	return region.Status.Intensity
}
