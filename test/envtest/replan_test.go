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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("A plan", func() {
	startOf := func(w *world) time.Time { return w.get("x").Status.Plan.Start.UTC() }

	It("moves when a forecast moves the window by more than a slot, and not for less", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(6, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).Jitter(0))
		w.plan("x")
		Expect(startOf(w)).To(Equal(w.slot(6)))
		w.events()

		w.setTrace(gb, w.csv(dip(5, 90)...))
		w.writes = nil
		w.plan("x")
		Expect(startOf(w)).To(Equal(w.slot(6)), "one slot is not worth a change")
		Expect(w.writes).To(BeEmpty())

		w.setTrace(gb, w.csv(dip(3, 90)...))
		w.plan("x")
		Expect(startOf(w)).To(Equal(w.slot(3)))
		Expect(w.events()).To(ContainElement(HavePrefix("Normal Replanned")))
	})

	It("stays once its start is near or past, also in a new process", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(3, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).Jitter(0))
		w.plan("x")
		w.clock.SetTime(w.slot(3).Add(-2 * time.Second))
		w.setTrace(gb, w.csv(dip(7, 20)...))
		w.plan("x")
		Expect(startOf(w)).To(Equal(w.slot(3)))

		By("starting at once when it is late")
		w.clock.SetTime(w.slot(12))
		w.restart()
		w.readRegion(gb)
		w.plan("x")
		w.startDue("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeFalse()))
		Expect(startOf(w)).To(Equal(w.slot(3)), "what was planned stays on record")
	})

	It("follows the annotation run-now although its region does not exist", func(ctx context.Context) {
		w := newWorld(ctx)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(w.regionName("missing")))
		w.plan("x")
		w.noJob("x")
		w.clock.SetTime(w.start.Add(time.Minute))
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) {
			caj.Annotations = map[string]string{carbonv1alpha1.AnnotationRunNow: "true"}
		})).To(Succeed())
		w.plan("x")
		w.startDue("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeFalse()))
	})

	It("follows the annotation run-now", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(6, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb))
		w.plan("x")
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) {
			caj.Annotations = map[string]string{carbonv1alpha1.AnnotationRunNow: "true"}
		})).To(Succeed())
		w.plan("x")
		Expect(w.get("x").Status.Plan.Reason).To(Equal("RunNow"))
		w.startDue("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeFalse()))
	})

	It("follows the spec until the start, and the API server forbids what comes too late", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, append(dip(5, 100), 300, 300, 300, 300, 300, 300)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).Jitter(0).MaxDelay(3 * time.Hour))
		w.plan("x")
		Expect(startOf(w)).To(Equal(w.slot(5)))
		shorter := func(d time.Duration) error {
			return w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.MaxDelay = &metav1.Duration{Duration: d} })
		}
		Expect(shorter(time.Hour)).To(Succeed())
		w.startDue("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeTrue()), "a plan for an older spec is not carried out")
		w.plan("x")
		plan := w.get("x").Status.Plan
		Expect(plan.LatestStart.Time).To(BeTemporally("==", w.get("x").CreationTimestamp.Add(time.Hour)))
		Expect(plan.Start.Time).To(BeTemporally("<=", plan.LatestStart.Time))

		By("refusing another template once the Job exists")
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) {
			caj.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Image = "example.org/job:2"
		})).To(MatchError(ContainSubstring("spec.jobTemplate cannot change once the Job exists")))
		By("refusing it in a request that has another status too, which the API server does not take from there")
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) {
			caj.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Image = "example.org/job:2"
			caj.Status = carbonv1alpha1.CarbonAwareJobStatus{}
		})).To(MatchError(ContainSubstring("spec.jobTemplate cannot change once the Job exists")))

		By("refusing everything but suspend and the TTL once it has started")
		w.clock.SetTime(plan.LatestStart.Time)
		w.startDue("x")
		w.running("x", w.clock.Now())
		w.plan("x")
		Expect(shorter(2 * time.Hour)).To(MatchError(ContainSubstring("spec.maxDelay cannot change once the job has started")))
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.Suspend = new(true) })).To(Succeed())
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.TTLSecondsAfterFinished = new(int32(1)) })).To(Succeed())
	})

	It("is held by suspend, past its latest start too, and goes on after it", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(2, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).Jitter(0).MaxDelay(2 * time.Hour).Suspend(true))
		w.plan("x")
		Expect(readyOf(w.get("x"))).To(Equal("Suspended"))
		w.at(w.slot(8), gb)
		w.plan("x")
		w.startDue("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeTrue()))
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.Suspend = new(false) })).To(Succeed())
		w.plan("x")
		w.startDue("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeFalse()))
	})
})
