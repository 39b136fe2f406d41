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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// inBackground is how kubectl deletes a Job; the API's own default for Jobs is to orphan their pods.
const inBackground = client.PropagationPolicy(metav1.DeletePropagationBackground)

var _ = Describe("The end of a job", func() {
	It("that failed is told with the Job's reason, and its grams are recorded", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb).KWh("1"), w.slot(1))
		w.failed("x", w.slot(2))
		w.at(w.slot(3), gb)
		w.plan("x")
		caj := w.get("x")
		Expect(readyOf(caj)).To(Equal("Failed"))
		Expect(reasonOf(caj, "Failed")).To(Equal("True/BackoffLimitExceeded"))
		Expect(caj.Status.Emissions.ActualGrams).To(BeEquivalentTo("200"))
		Expect(w.job("x").Finalizers).To(BeEmpty())
		Expect(w.warnings()).To(ContainElement(ContainSubstring("BackoffLimitExceeded")))
	})

	It("by deletion of the running Job is a failure, whose run is on record before the Job goes", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb).Watts("1000"), w.start)
		job := w.job("x")
		Expect(api.Delete(ctx, job, inBackground)).To(Succeed())
		Expect(w.job("x").DeletionTimestamp).NotTo(BeNil(), "our finalizer holds it")
		w.at(w.slot(12), gb)
		w.plan("x")
		caj := w.get("x")
		Expect(reasonOf(caj, "Failed")).To(Equal("True/JobDeleted"))
		Expect(caj.Status.Job.Runs).To(HaveLen(1))
		Expect(caj.Status.Job.Runs[0].End).NotTo(BeNil())
		w.gone(&batchv1.Job{}, "x")

		By("never creating a second one")
		w.plan("x")
		w.startDue("x")
		w.gone(&batchv1.Job{}, "x")
	})

	It("by a Job that vanished, finalizer and all, is a failure whose run is on record", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb).Watts("1000"), w.slot(1))
		w.editJob("x", func(job *batchv1.Job) { job.Finalizers = nil })
		Expect(api.Delete(ctx, w.job("x"), inBackground)).To(Succeed())
		w.gone(&batchv1.Job{}, "x")
		w.at(w.slot(3), gb)
		w.plan("x")
		w.startDue("x")
		caj := w.get("x")
		Expect(reasonOf(caj, "Failed")).To(Equal("True/JobDeleted"))
		Expect(caj.Status.Emissions.ActualGrams).To(BeEquivalentTo("200"), "1 kW for an hour")
		w.gone(&batchv1.Job{}, "x")
	})

	It("by deletion of the waiting Job is a failure without emissions", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(6, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).KWh("1"))
		w.plan("x")
		Expect(api.Delete(ctx, w.job("x"), inBackground)).To(Succeed())
		w.plan("x")
		Expect(reasonOf(w.get("x"), "Failed")).To(Equal("True/JobDeleted"))
		Expect(reasonOf(w.get("x"), "EmissionsRecorded")).To(Equal("False/NeverRan"))
		w.gone(&batchv1.Job{}, "x")
		w.plan("x")
		w.noJob("x")
	})

	DescribeTable("by deletion of the CarbonAwareJob leaves no finalizer",
		func(ctx context.Context, until string) {
			w := newWorld(ctx)
			gb := w.trace("gb", nil, dip(6, 100)...)
			name := w.regionName("missing")
			switch until {
			case "unseen":
				w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb))
			case "planned without a Job":
				w.create(build.CarbonAwareJob("x", w.namespace).Regions(name))
				w.plan("x")
			case "waiting":
				w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb))
				w.plan("x")
			case "running":
				w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb), w.start)
			case "completed":
				w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb), w.start)
				w.completed("x", w.slot(2))
				w.plan("x")
			}
			Expect(api.Delete(ctx, w.get("x"))).To(Succeed())
			w.plan("x")
			w.gone(&carbonv1alpha1.CarbonAwareJob{}, "x")
			if until == "waiting" || until == "running" || until == "completed" {
				Expect(w.job("x").Finalizers).To(BeEmpty(), "the garbage collector can take it")
			}
			w.startDue("x")
			w.plan("x")
		},
		Entry(nil, "unseen"), Entry(nil, "planned without a Job"), Entry(nil, "waiting"), Entry(nil, "running"), Entry(nil, "completed"),
	)

	It("by force leaves a Job that is let go", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(6, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb))
		w.plan("x")
		Expect(api.Delete(ctx, w.get("x"))).To(Succeed())
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Finalizers = nil })).To(Succeed())
		w.gone(&carbonv1alpha1.CarbonAwareJob{}, "x")
		w.plan("x")
		Expect(w.job("x").Finalizers).To(BeEmpty())
	})

	It("comes with a TTL, once the record is final", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb).KWh("1").TTL(60), w.slot(1))
		w.completed("x", w.slot(2).Add(time.Minute))
		w.at(w.slot(2).Add(10*time.Minute), gb)
		w.plan("x")
		w.plan("x")
		Expect(reasonOf(w.get("x"), "EmissionsRecorded")).To(Equal("Unknown/Provisional"), "slot 2 is not over")
		w.at(w.slot(3), gb)
		w.plan("x") // deletes
		w.plan("x") // lets go
		w.gone(&carbonv1alpha1.CarbonAwareJob{}, "x")
	})
})
