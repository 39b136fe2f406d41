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
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// phases makes one job in every phase of a life, by the word of its STATUS column.
func phases(ctx context.Context, ns string) map[string]types.NamespacedName {
	GinkgoHelper()
	region := steady(ctx)
	later := dip(ctx, time.Hour)
	keys := map[string]types.NamespacedName{
		"Waiting":   create(ctx, waiting("waiting", ns, later, time.Hour)),
		"Running":   create(ctx, running(build.CarbonAwareJob("running", ns).Regions(region).MaxDelay(0).KWh("1"), time.Hour)),
		"Completed": create(ctx, build.CarbonAwareJob("completed", ns).Regions(region).MaxDelay(0).KWh("1")),
	}
	for word, key := range keys {
		eventually(ctx, key, word)
	}
	return keys
}

func gone(ctx context.Context, key types.NamespacedName, object client.Object) {
	GinkgoHelper()
	Eventually(func() bool { return apierrors.IsNotFound(api.Get(ctx, key, object)) }).Should(BeTrue(), "%T %s should be gone", object, key)
}

var _ = Describe("F9: a user who deletes", func() {
	for _, policy := range []metav1.DeletionPropagation{metav1.DeletePropagationBackground, metav1.DeletePropagationForeground, metav1.DeletePropagationOrphan} {
		It("a CarbonAwareJob in any phase is let go: "+string(policy), func(ctx context.Context) {
			ns := namespace(ctx)
			startManager(0)
			for word, key := range phases(ctx, ns) {
				Expect(api.Delete(ctx, get(ctx, key), client.PropagationPolicy(policy))).To(Succeed())
				gone(ctx, key, &carbonv1alpha1.CarbonAwareJob{})
				if policy != metav1.DeletePropagationOrphan {
					gone(ctx, key, &batchv1.Job{})
					continue
				}
				orphan := job(ctx, key)
				Expect(orphan.Finalizers).NotTo(ContainElement(carbonv1alpha1.FinalizerJob), word)
				Expect(api.Delete(ctx, orphan, client.PropagationPolicy("Background"))).To(Succeed())
			}
		})

		It("a Job in any phase finds its run on record: "+string(policy), func(ctx context.Context) {
			ns := namespace(ctx)
			startManager(0)
			for word, key := range phases(ctx, ns) {
				Expect(api.Delete(ctx, job(ctx, key), client.PropagationPolicy(policy))).To(Succeed())
				gone(ctx, key, &batchv1.Job{})
				want := map[string]string{"Waiting": "Failed", "Running": "Failed", "Completed": "Completed"}[word]
				caj := eventually(ctx, key, want)
				Expect(caj.Status.Emissions != nil).To(Equal(word != "Waiting"), "a record of what ran: %s", word)
			}
		})
	}

	It("the namespace while no manager runs waits for one, and then everything goes", func(ctx context.Context) {
		ns := namespace(ctx)
		m := startManager(0)
		keys := phases(ctx, ns)
		m.Kill()
		Expect(api.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})).To(Succeed())
		Eventually(func() bool { return get(ctx, keys["Running"]).DeletionTimestamp.IsZero() }).Should(BeFalse())
		startManager(0)
		gone(ctx, types.NamespacedName{Name: ns}, &corev1.Namespace{})
	})
})
