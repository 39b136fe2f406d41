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
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// leaver is a job that is deleted in some phase, in some way, and the only one in its budget.
type leaver struct {
	key    types.NamespacedName
	phase  string
	policy metav1.DeletionPropagation
	// down says that no manager runs when it is deleted.
	down bool
}

var _ = Describe("A job that is deleted", func() {
	It("in any phase and way, with the operator up or down, is gone, and its grams are in its budget once", func(ctx context.Context) {
		ns := namespace(ctx)
		trace(ctx, "leave-uk", time.Hour, nodesOf(ukNodes), 200, 200, 200)
		m := startManager("")
		var leavers []leaver
		for _, phase := range []string{"Waiting", "BudgetHold", "Running", "Completed"} {
			for _, policy := range []metav1.DeletionPropagation{metav1.DeletePropagationBackground, metav1.DeletePropagationForeground, metav1.DeletePropagationOrphan} {
				for _, down := range []bool{false, true} {
					l := leaver{types.NamespacedName{Namespace: ns, Name: fmt.Sprintf("leaver-%d", len(leavers))}, phase, policy, down}
					leavers = append(leavers, l)
					l.create(ctx)
				}
			}
		}
		for _, l := range leavers {
			eventuallyStatus(ctx, l.key, l.phase)
			if l.phase == "Completed" {
				eventuallyFinalOrProvisional(ctx, l.key)
			}
		}

		By("deleting some without an operator, others with one")
		m.kill()
		for _, l := range leavers {
			if l.down {
				l.delete(ctx)
			}
		}
		startManager("")
		for _, l := range leavers {
			if !l.down {
				l.delete(ctx)
			}
		}
		for _, l := range leavers {
			l.eventuallyGone(ctx)
		}
		for _, l := range leavers {
			l.eventuallySettled(ctx)
		}
	})

	DescribeTable("with its whole namespace does not hold it up", func(ctx context.Context, down bool) {
		ns := namespace(ctx)
		region := fmt.Sprintf("leave-ns-%t", down)
		trace(ctx, region, time.Hour, nodesOf(ukNodes), 200, 200, 200)
		m := startManager("")
		Expect(cluster.Create(ctx, build.CarbonBudget("team", ns, "150").Obj())).To(Succeed())
		for name, phase := range map[string]string{"completed": "Completed", "running": "Running", "held": "BudgetHold"} {
			runFor := time.Hour
			if phase == "Completed" {
				runFor = time.Second
			}
			j := build.CarbonAwareJob(name, ns).Regions(region).MaxDelay(0).KWh("0.3")
			if phase == "BudgetHold" {
				j.KWh("3")
			}
			Expect(cluster.Create(ctx, runnable(j, runFor).Obj())).To(Succeed())
			eventuallyStatus(ctx, types.NamespacedName{Namespace: ns, Name: name}, phase)
		}
		if down {
			m.kill()
		}
		Expect(cluster.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})).To(Succeed())
		if down {
			startManager("")
		}
		Eventually(func() bool {
			return apierrors.IsNotFound(cluster.Get(ctx, types.NamespacedName{Name: ns}, &corev1.Namespace{}))
		}).Should(BeTrue(), "the namespace should be gone")
	},
		Entry("with the operator up", false),
		Entry("with the operator down meanwhile", true),
	)
})

func (l leaver) create(ctx context.Context) {
	GinkgoHelper()
	labels := map[string]string{"leaver": l.key.Name}
	limit := "1000"
	if l.phase == "BudgetHold" {
		limit = "10"
	}
	Expect(cluster.Create(ctx, build.CarbonBudget(l.key.Name, l.key.Namespace, limit).Selector(labels).Obj())).To(Succeed())
	j := build.CarbonAwareJob(l.key.Name, l.key.Namespace).Regions("leave-uk").Labels(labels).KWh("0.3").MaxDelay(0)
	runFor := time.Hour
	switch l.phase {
	case "Waiting":
		j.Suspend(false).MaxDelay(time.Hour)
	case "Completed":
		runFor = time.Second
	}
	object := runnable(j, runFor).Obj()
	if l.phase == "Waiting" {
		object.Spec.Regions = []string{"leave-nowhere"} // planned for its latest start
	}
	Expect(cluster.Create(ctx, object)).To(Succeed())
}

func (l leaver) delete(ctx context.Context) {
	GinkgoHelper()
	Expect(cluster.Delete(ctx, get(ctx, l.key), client.PropagationPolicy(l.policy))).To(Succeed())
}

func (l leaver) eventuallyGone(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		err := cluster.Get(ctx, l.key, &carbonv1alpha1.CarbonAwareJob{})
		g.Expect(apierrors.IsNotFound(err)).To(BeTrue(), "%+v: %v", l, err)
		j := &batchv1.Job{}
		err = cluster.Get(ctx, l.key, j)
		if l.policy != metav1.DeletePropagationOrphan {
			g.Expect(apierrors.IsNotFound(err)).To(BeTrue(), "the Job of %+v: %v", l, err)
		} else if err == nil {
			g.Expect(j.Finalizers).NotTo(ContainElement(carbonv1alpha1.FinalizerJob), "the Job of %+v", l)
		}
	}).Should(Succeed())
}

func (l leaver) eventuallySettled(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		budget := &carbonv1alpha1.CarbonBudget{}
		g.Expect(cluster.Get(ctx, l.key, budget)).To(Succeed())
		status := budget.Status
		g.Expect(status.Settling).To(BeEmpty(), "%+v", l)
		g.Expect(status.ReservedGrams).To(BeEquivalentTo("0"), "%+v", l)
		switch l.phase {
		case "Completed":
			g.Expect(status.ConsumedGrams).To(BeEquivalentTo("60"), "%+v", l)
			g.Expect(status.CompletedJobs).To(BeEquivalentTo(1), "%+v", l)
		case "Running":
			g.Expect(status.CompletedJobs).To(BeEquivalentTo(1), "%+v", l)
			g.Expect(status.ConsumedGrams).NotTo(BeEquivalentTo("0"), "%+v", l)
		default:
			g.Expect(status.ConsumedGrams).To(BeEquivalentTo("0"), "%+v", l)
			g.Expect(status.CompletedJobs).To(BeZero(), "%+v", l)
		}
	}).Should(Succeed())
}

// eventuallyFinalOrProvisional waits until the emissions are on record.
func eventuallyFinalOrProvisional(ctx context.Context, key types.NamespacedName) {
	GinkgoHelper()
	Eventually(func(g Gomega) { g.Expect(get(ctx, key).Status.Emissions).NotTo(BeNil()) }).Should(Succeed())
}
