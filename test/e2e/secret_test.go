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

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

var _ = Describe("A region whose source needs a Secret", func() {
	It("is told that there is none: the operator may look into its own namespace", func(ctx context.Context) {
		region := &carbonv1alpha1.GridRegion{
			ObjectMeta: metav1.ObjectMeta{Name: "secret"},
			Spec: carbonv1alpha1.GridRegionSpec{Source: carbonv1alpha1.IntensitySource{ElectricityMaps: &carbonv1alpha1.ElectricityMapsSource{
				Zone: "DE", TokenSecretRef: carbonv1alpha1.SecretKeyReference{Name: "none"},
			}}, AnnualMean: "DEU"},
		}
		Expect(cluster.Create(ctx, region)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(cluster.Delete(ctx, region))).To(Succeed()) })
		startManager("")
		Eventually(func(g Gomega) {
			g.Expect(cluster.Get(ctx, types.NamespacedName{Name: "secret"}, region)).To(Succeed())
			fresh := meta.FindStatusCondition(region.Status.Conditions, carbonv1alpha1.RegionFresh)
			g.Expect(fresh).NotTo(BeNil())
			g.Expect(fresh.Message).To(Equal("electricityMaps: Secret ecotracker-system/none does not exist"))
			g.Expect(meta.IsStatusConditionTrue(region.Status.Conditions, carbonv1alpha1.RegionReady)).To(BeTrue(), "on the mean of a year")
		}).Should(Succeed())
	})
})
