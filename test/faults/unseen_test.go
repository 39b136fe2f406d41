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
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("F7: what people do through another API server while the manager's is away", func() {
	It("is found out when it is back: jobs that were created, deleted, and created anew under their names", func(ctx context.Context) {
		ns := namespace(ctx)
		Expect(api.Create(ctx, &carbonv1alpha1.CarbonBudget{
			ObjectMeta: metav1.ObjectMeta{Name: "b", Namespace: ns},
			Spec: carbonv1alpha1.CarbonBudgetSpec{
				LimitGrams: new(resource.MustParse("5000")), Period: carbonv1alpha1.BudgetTotal, Enforcement: carbonv1alpha1.BudgetHold,
			},
		})).To(Succeed())
		region, later := steady(ctx), dip(ctx, time.Hour)
		now := func(name string) *build.Job {
			return build.CarbonAwareJob(name, ns).Regions(region).MaxDelay(0).KWh("1")
		}
		startManager(0)
		deleted := phases(ctx, ns)
		renewed := map[string]types.NamespacedName{
			"Waiting":   create(ctx, waiting("renewed-waiting", ns, later, time.Hour)),
			"Running":   create(ctx, running(now("renewed-running"), time.Hour)),
			"Completed": create(ctx, now("renewed-completed")),
		}
		old := map[types.NamespacedName]types.UID{}
		for word, key := range renewed {
			old[key] = eventually(ctx, key, word).UID
		}

		kubernetes.APIServers[0].Kill()
		remove := func(key types.NamespacedName, object client.Object) {
			GinkgoHelper()
			object.SetName(key.Name)
			object.SetNamespace(key.Namespace)
			Expect(other.Delete(ctx, object, client.PropagationPolicy("Background"))).To(Succeed())
		}
		Expect(other.Create(ctx, now("created").Obj())).To(Succeed())
		for _, key := range deleted {
			remove(key, &carbonv1alpha1.CarbonAwareJob{})
		}
		for _, key := range renewed {
			By("not waiting for the operator to let go: " + key.Name)
			caj := &carbonv1alpha1.CarbonAwareJob{}
			remove(key, caj)
			remove(key, &batchv1.Job{}) // its finalizer keeps it
			Expect(other.Patch(ctx, caj, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))).To(Succeed())
			Expect(other.Create(ctx, now(key.Name).Obj())).To(Succeed())
		}
		By("starting the API server anew, which forgets all versions but the present one: 410 Gone")
		Expect(kubernetes.APIServers[0].Start()).To(Succeed())
		Expect(kubernetes.Ready(ctx, 0)).To(Succeed())
		calm = time.Now()

		eventually(ctx, types.NamespacedName{Namespace: ns, Name: "created"}, "Completed")
		for _, key := range deleted {
			gone(ctx, key, &carbonv1alpha1.CarbonAwareJob{})
			gone(ctx, key, &batchv1.Job{})
		}
		for _, key := range renewed {
			caj := eventually(ctx, key, "Completed")
			Expect(caj.UID).NotTo(Equal(old[key]))
			Expect(metav1.IsControlledBy(job(ctx, key), caj)).To(BeTrue(), "its own Job, not that of the one before: %s", key.Name)
		}
		Expect(started(ns)).To(Equal(2+2+1+len(renewed)), "what ran before, and each new one")
		addsUp(ctx, types.NamespacedName{Namespace: ns, Name: "b"}, old)
	})
})

// addsUp checks that a budget is the sum of the records of all jobs that ever lived, but for those that were torn
// away from the operator by force: of them it may have what they had on record, and nothing is set aside for them.
func addsUp(ctx context.Context, key types.NamespacedName, torn map[types.NamespacedName]types.UID) {
	GinkgoHelper()
	all := lives(key.Namespace)
	most := consumed(all, false)
	for _, uid := range torn {
		delete(all, uid)
	}
	least := consumed(all, false)
	Eventually(func(g Gomega) {
		budget := &carbonv1alpha1.CarbonBudget{}
		g.Expect(api.Get(ctx, key, budget)).To(Succeed())
		g.Expect(decimal(budget.Status.ConsumedGrams)).To(And(BeNumerically(">", least-1e-6), BeNumerically("<", most+1e-6)))
		g.Expect(budget.Status.ReservedGrams).To(BeEquivalentTo("0"))
		g.Expect(budget.Status.Settling).To(BeEmpty())
	}).Should(Succeed())
}
