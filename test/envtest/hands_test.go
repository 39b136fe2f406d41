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

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("A Job that somebody lays hands on", func() {
	It("gets our label back: without it the cache would not see it", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(4, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb))
		w.plan("x")
		w.editJob("x", func(job *batchv1.Job) { delete(job.Labels, carbonv1alpha1.LabelJob) })
		w.plan("x")
		Expect(w.job("x").Labels).To(HaveKeyWithValue(carbonv1alpha1.LabelJob, "x"))
	})

	It("goes with its CarbonAwareJob, label or not", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(4, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb))
		w.plan("x")
		w.editJob("x", func(job *batchv1.Job) { delete(job.Labels, carbonv1alpha1.LabelJob) })
		Expect(api.Delete(ctx, w.get("x"))).To(Succeed())
		w.plan("x")
		Expect(w.job("x").Finalizers).To(BeEmpty(), "the garbage collector can take it")
		w.gone(&carbonv1alpha1.CarbonAwareJob{}, "x")
	})

	It("runs when somebody unsuspends it early: started once, at home, and recorded by what was emitted then", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 300)...)
		de := w.trace("de", &carbonv1alpha1.RegionPlacement{NodeSelector: map[string]string{"region": "de"}}, dip(6, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb, de).KWh("1"))
		w.plan("x")
		Expect(w.get("x").Status.Plan.Region).To(Equal(de))
		w.editJob("x", func(job *batchv1.Job) { job.Spec.Suspend = new(false) })
		w.running("x", w.slot(1))
		w.at(w.slot(1).Add(time.Second), gb, de)
		w.plan("x")
		Expect(reasonOf(w.get("x"), "Started")).To(Equal("True/UnsuspendedByOthers"))
		Expect(readyOf(w.get("x"))).To(Equal("Running"))

		w.at(w.slot(7), gb, de)
		w.startDue("x")
		Expect(w.warnings()).To(BeEmpty(), "it is not started again")
		Expect(w.job("x").Spec.Template.Spec.NodeSelector).To(BeEmpty())
		w.completed("x", w.slot(7))
		w.at(w.slot(8), gb, de)
		w.plan("x")
		Expect(w.get("x").Status.Job.Region).To(Equal(gb))
		Expect(w.get("x").Status.Emissions.ActualGrams).To(BeEquivalentTo("300"))
		Expect(w.get("x").Status.Emissions.AvoidedGrams).To(BeEquivalentTo("0"))
	})

	It("is paused again when spec.suspend holds it", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(6, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb))
		w.plan("x")
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.Suspend = new(true) })).To(Succeed())
		w.plan("x")
		w.editJob("x", func(job *batchv1.Job) { job.Spec.Suspend = new(false) })
		w.plan("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeTrue()))
		Expect(readyOf(w.get("x"))).To(Equal("Suspended"))
	})

	It("is told as started although the clock was set back since", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).MaxDelay(0))
		w.plan("x")
		w.clock.SetTime(w.start.Add(time.Hour))
		w.startDue("x")
		w.clock.SetTime(w.start.Add(time.Minute))
		w.plan("x")
		Expect(reasonOf(w.get("x"), "Started")).To(Equal("True/StartIssued"))
	})
})

var _ = Describe("The starter", func() {
	It("sleeps until the start: the alarm wakes it when the clock is set", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(4, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb))
		w.plan("x")
		Expect(w.startDue("x").RequeueAfter).To(Equal(w.get("x").Status.Plan.Start.Sub(w.clock.Now())))
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeTrue()))
	})
})
