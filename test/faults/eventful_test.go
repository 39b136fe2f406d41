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
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/faults"
)

// In an eventful life a job has room reserved in a budget, is paused and resumed, runs to its end, and
// is deleted, so that its grams move into the budget.
var _ = Describe("F2: a write of an eventful life, each of them", Ordered, func() {
	const grams = "200"
	var writes int

	// ofLife selects the writes of the operator in a namespace, those to its budget included.
	ofLife := func(ns string) func(*http.Request) bool {
		return func(r *http.Request) bool {
			return faults.IsWrite(r) && strings.Contains(r.URL.Path, "/namespaces/"+ns+"/") && !strings.Contains(r.URL.Path, "/events")
		}
	}
	begin := func(ctx context.Context, ns, region string) types.NamespacedName {
		GinkgoHelper()
		Expect(api.Create(ctx, &carbonv1alpha1.CarbonBudget{
			ObjectMeta: metav1.ObjectMeta{Name: "b", Namespace: ns},
			Spec: carbonv1alpha1.CarbonBudgetSpec{
				LimitGrams: new(resource.MustParse("1000")), Period: carbonv1alpha1.BudgetTotal, Enforcement: carbonv1alpha1.BudgetHold,
			},
		})).To(Succeed())
		job := build.CarbonAwareJob("life", ns).Regions(region).MaxDelay(0).KWh("1")
		return create(ctx, job.Template(func(t *batchv1.JobTemplateSpec) {
			t.Spec.Template.Annotations = map[string]string{runUntil: "end"}
		}))
	}
	suspend := func(ctx context.Context, key types.NamespacedName, want bool) {
		GinkgoHelper()
		Eventually(func() error {
			caj := &carbonv1alpha1.CarbonAwareJob{}
			if err := api.Get(ctx, key, caj); err != nil {
				return err
			}
			before := caj.DeepCopy()
			caj.Spec.Suspend = &want
			return api.Patch(ctx, caj, client.MergeFrom(before))
		}).Should(Succeed())
	}
	// rest takes jobs, each in its namespace, through the rest of such a life.
	rest := func(ctx context.Context, keys []types.NamespacedName) {
		GinkgoHelper()
		for _, step := range []struct {
			do   func(types.NamespacedName)
			then string
		}{
			{func(types.NamespacedName) {}, carbonv1alpha1.ReasonRunning},
			{func(key types.NamespacedName) { suspend(ctx, key, true) }, carbonv1alpha1.ReasonSuspended},
			{func(key types.NamespacedName) { suspend(ctx, key, false) }, carbonv1alpha1.ReasonRunning},
			{func(key types.NamespacedName) {
				Expect(api.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "end", Namespace: key.Namespace}})).To(Succeed())
			}, carbonv1alpha1.ReasonCompleted},
		} {
			for _, key := range keys {
				step.do(key)
			}
			for _, key := range keys {
				eventually(ctx, key, step.then)
			}
		}
		for _, key := range keys {
			Expect(api.Delete(ctx, get(ctx, key), client.PropagationPolicy("Background"))).To(Succeed())
		}
		for _, key := range keys {
			gone(ctx, key, &carbonv1alpha1.CarbonAwareJob{})
			gone(ctx, key, &batchv1.Job{})
			Expect(started(key.Namespace)).To(Equal(1))
			Eventually(func(g Gomega) {
				budget := &carbonv1alpha1.CarbonBudget{}
				g.Expect(api.Get(ctx, types.NamespacedName{Namespace: key.Namespace, Name: "b"}, budget)).To(Succeed())
				g.Expect(budget.Status.ConsumedGrams).To(BeEquivalentTo(grams), "once, and for good")
				g.Expect(budget.Status.ReservedGrams).To(BeEquivalentTo("0"))
				g.Expect(budget.Status.Settling).To(BeEmpty())
			}).Should(Succeed())
		}
	}

	It("is one of so many, when nothing fails", func(ctx context.Context) {
		ns := namespace(ctx)
		region := steady(ctx)
		proxy := newProxyThat(ofLife(ns))
		startManagerBehind(proxy)
		Eventually(func(g Gomega) { g.Expect(intensity(ctx, region)).NotTo(BeNil()) }).Should(Succeed())
		rest(ctx, []types.NamespacedName{begin(ctx, ns, region)})
		writes = len(proxy.Writes())
		AddReportEntry("the writes", proxy.Writes(), ReportEntryVisibilityAlways)
		Expect(writes).To(BeNumerically(">", writesOfALife))
	})

	for name, fault := range map[string]faults.Fault{
		"is cut before it is sent": faults.FailBefore, "is carried out and its answer is lost": faults.LoseAnswer,
		"meets a conflict": faults.Conflict,
	} {
		It(name, func(ctx context.Context) {
			proxy := newProxyThat(ofLife(""))
			startManagerBehind(proxy)
			region := steady(ctx)
			Eventually(func(g Gomega) { g.Expect(intensity(ctx, region)).NotTo(BeNil()) }).Should(Succeed())
			var keys []types.NamespacedName
			var rules []faults.Rule
			for k := 1; k <= writes; k++ {
				ns := namespace(ctx)
				rules = append(rules, faults.Rule{Match: ofLife(ns), From: k, Fault: fault})
				keys = append(keys, types.NamespacedName{Namespace: ns, Name: "life"})
			}
			proxy.Script(rules...)
			for _, key := range keys {
				begin(ctx, key.Namespace, region)
			}
			rest(ctx, keys)
		})
	}
})
