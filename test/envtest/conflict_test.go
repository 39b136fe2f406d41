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

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("A Job of the same name", func() {
	It("that is not ours is never touched", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 300)...)
		j := build.CarbonAwareJob("x", w.namespace).Regions(gb)
		theirs := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: w.namespace}, Spec: j.Obj().Spec.JobTemplate.Spec}
		Expect(api.Create(ctx, theirs)).To(Succeed())
		w.create(j)
		for range 4 {
			w.plan("x")
			w.startDue("x")
		}
		caj := w.get("x")
		Expect(readyOf(caj)).To(Equal("NameConflict"))
		Expect(conditionMessage(caj.Status.Conditions, "Ready")).To(ContainSubstring("delete it or choose another name"))
		Expect(w.job("x")).To(Equal(theirs), "not one byte of it changed")
		Expect(w.warnings()).To(HaveLen(1), "one Event, not one a pass")

		By("going on when it is gone")
		Expect(api.Delete(ctx, theirs, inBackground)).To(Succeed())
		w.plan("x")
		Expect(metav1.IsControlledBy(w.job("x"), caj)).To(BeTrue())
		Expect(readyOf(w.get("x"))).NotTo(Equal("NameConflict"))
	})

	It("that we created before we died is ours", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(4, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb))
		w.plan("x")
		created := w.job("x").UID
		caj := w.get("x")
		caj.Status = carbonv1alpha1.CarbonAwareJobStatus{} // as if the status write had been lost
		Expect(api.Status().Update(ctx, caj)).To(Succeed())
		w.restart()
		w.writes = nil
		w.plan("x")
		Expect(w.writes).To(Equal([]string{"patch status of *v1alpha1.CarbonAwareJob"}))
		Expect(w.job("x").UID).To(Equal(created))
		Expect(w.get("x").Status.Job.UID).To(Equal(created))
	})

	It("of an earlier CarbonAwareJob is waited for", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(4, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb))
		w.plan("x")
		first := w.job("x")
		Expect(api.Delete(ctx, w.get("x"))).To(Succeed())
		w.editJob("x", func(job *batchv1.Job) { job.Finalizers = append(job.Finalizers, "example.org/slow") })
		w.plan("x")
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb))
		Expect(api.Delete(ctx, first)).To(Succeed())
		w.plan("x")
		Expect(readyOf(w.get("x"))).To(Equal("NameConflict"))
		Expect(conditionMessage(w.get("x").Status.Conditions, "Ready")).To(ContainSubstring("still being deleted"))
		w.editJob("x", func(job *batchv1.Job) { job.Finalizers = nil })
		w.plan("x")
		Expect(w.job("x").UID).NotTo(Equal(first.UID))
		Expect(readyOf(w.get("x"))).To(Equal("Waiting"))
	})

	It("of an earlier CarbonAwareJob that could not let it go is let go", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(4, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb))
		w.plan("x")
		first := w.job("x")
		By("taking the finalizer of the CarbonAwareJob away by hand, and creating another one of the name at once")
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Finalizers = nil })).To(Succeed())
		Expect(api.Delete(ctx, w.get("x"))).To(Succeed())
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb))
		Expect(api.Delete(ctx, first, client.PropagationPolicy("Background"))).To(Succeed()) // as the garbage collector does
		w.plan("x")
		w.plan("x")
		Expect(w.job("x").UID).NotTo(Equal(first.UID))
		Expect(readyOf(w.get("x"))).To(Equal("Waiting"))
	})
})

var _ = Describe("A Job for Kueue", func() {
	It("gets its queue at the planned time, and Kueue unsuspends it", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(4, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).Jitter(0).KWh("1").Template(func(t *batchv1.JobTemplateSpec) {
			t.Labels = map[string]string{carbonv1alpha1.LabelKueueQueue: "team"}
		}))
		w.plan("x")
		Expect(w.job("x").Labels).NotTo(HaveKey(carbonv1alpha1.LabelKueueQueue), "Kueue would start it now")
		w.at(w.slot(4), gb)
		w.startDue("x")
		w.plan("x")
		job := w.job("x")
		Expect(job.Labels).To(HaveKeyWithValue(carbonv1alpha1.LabelKueueQueue, "team"))
		Expect(job.Spec.Suspend).To(HaveValue(BeTrue()), "unsuspending is Kueue's part")
		Expect(reasonOf(w.get("x"), "Started")).To(Equal("True/HandedToKueue"))
		Expect(readyOf(w.get("x"))).To(Equal("Starting"))

		w.editJob("x", func(job *batchv1.Job) { job.Spec.Suspend = new(false) }) // Kueue's part
		w.running("x", w.slot(4).Add(1))
		w.plan("x")
		Expect(readyOf(w.get("x"))).To(Equal("Running"))
		w.completed("x", w.slot(5))
		w.at(w.slot(5), gb)
		w.plan("x")
		Expect(w.get("x").Status.Emissions.ActualGrams).To(BeEquivalentTo("100"))
	})
})
