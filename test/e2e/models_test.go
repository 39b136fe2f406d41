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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("A workload of a model that is in no table", func() {
	It("is recorded when a ConfigMap adds the model, without a restart of the manager", func(ctx context.Context) {
		ns := namespace(ctx)
		trace(ctx, "models", time.Minute, nil, 200, 200, 200, 200, 200, 200, 200, 200)
		startManager("")
		key := types.NamespacedName{Namespace: ns, Name: "tulips"}
		j := build.CarbonAwareJob(key.Name, ns).Regions("models").MaxDelay(0).Duration(2*time.Second).
			Model("OPENAI_MODEL", "tulip-7b", "gpt-4o-mini", 5000).Workload(1000, 400)
		Expect(cluster.Create(ctx, runnable(j, 2*time.Second).Obj())).To(Succeed())
		caj := eventuallyStatus(ctx, key, "Completed")
		Expect(meta.FindStatusCondition(caj.Status.Conditions, carbonv1alpha1.ConditionEnergyKnown)).To(
			HaveValue(HaveField("Reason", carbonv1alpha1.ReasonModelNotInTable)))
		Expect(caj.Status.Emissions).To(BeNil())

		table := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: "ecotracker-models", Namespace: operatorNamespace},
			Data:       map[string]string{"models.csv": "provider,model,total_b\nopenai,tulip-7b,7\n"},
		}
		Expect(cluster.Create(ctx, table)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(cluster.Delete(ctx, table)).To(Succeed()) })
		Eventually(func(g Gomega) {
			e := get(ctx, key).Status.Emissions
			g.Expect(e).NotTo(BeNil())
			g.Expect(e.Method).To(Equal("EcoLogits-0.11"))
			g.Expect(number(e.ActualGrams)).To(BeNumerically("~", 200*number(e.EnergyKWh), 1e-6))
		}).Should(Succeed())
		Eventually(func() string { return kubectl(ctx, "events", "-n", operatorNamespace) }).Should(
			MatchRegexp(`Normal +ModelsRead +ConfigMap/ecotracker-models +%d models of 6 providers are known`,
				len(estimate.BuiltIn().Models())+1))
	})
})
