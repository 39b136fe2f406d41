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

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("A record", func() {
	It("is provisional until the actual intensities are published, then final for good", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.setTrace(gb, w.csvOf(flat(20, 200), []int{200, 200, 200, 260, 200, 200}))
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb).KWh("1"), w.slot(3))
		w.completed("x", w.slot(3).Add(20*time.Minute))
		w.at(w.slot(3).Add(20*time.Minute), gb)
		w.plan("x")
		caj := w.get("x")
		Expect(reasonOf(caj, "EmissionsRecorded")).To(Equal("Unknown/Provisional"))
		Expect(caj.Status.Emissions.ActualGrams).To(BeEquivalentTo("200"), "by the forecast")
		Expect(caj.Status.Emissions.Quality).To(Equal(carbonv1alpha1.QualityForecast))
		Expect(caj.Status.Emissions.FinalAt).To(BeNil())

		w.at(w.slot(4), gb)
		w.plan("x")
		caj = w.get("x")
		Expect(reasonOf(caj, "EmissionsRecorded")).To(Equal("True/Final"))
		Expect(caj.Status.Emissions.ActualGrams).To(BeEquivalentTo("260"))
		Expect(caj.Status.Emissions.AvoidedGrams).To(BeEquivalentTo("-60"), "it turned out dirtier than at the submission")
		Expect(caj.Status.Emissions.AvoidedBy.Time).To(BeEquivalentTo("-60"))
		Expect(conditionMessage(caj.Status.Conditions, "EmissionsRecorded")).To(Equal(
			"emitted 260 g, 60 g more than an immediate start at home (time -60, region 0, model 0) with 1 kWh at 260 g/kWh"))
		Expect(caj.Status.Emissions.Quality).To(Equal(carbonv1alpha1.QualityActual))

		w.setTrace(gb, w.csvOf(flat(20, 1), flat(20, 1)))
		w.at(w.slot(6), gb)
		w.writes = nil
		w.plan("x")
		Expect(w.writes).To(BeEmpty(), "a final record never changes")
	})

	It("is final a day later, when actual intensities never come", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(100, 200)...)
		w.setTrace(gb, w.csvOf(flat(100, 200), []int{200, 200}))
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb).KWh("1"), w.slot(3))
		w.completed("x", w.slot(4))
		w.at(w.slot(5), gb)
		result := w.plan("x")
		Expect(reasonOf(w.get("x"), "EmissionsRecorded")).To(Equal("Unknown/Provisional"))
		Expect(result.RequeueAfter).To(Equal(w.slot(4).Add(24 * time.Hour).Sub(w.slot(5))))
		w.at(w.slot(4).Add(24*time.Hour), gb)
		w.plan("x")
		Expect(reasonOf(w.get("x"), "EmissionsRecorded")).To(Equal("True/Final"))
		Expect(w.get("x").Status.Emissions.Quality).To(Equal(carbonv1alpha1.QualityForecast))
	})

	It("of a power counts the time that the Job ran, and not its pauses", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, 100, 100, 100, 200, 999, 400, 100, 100, 100, 100, 100, 100)
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb).Watts("2000"), w.slot(3))

		By("pausing it by spec.suspend")
		w.clock.SetTime(w.slot(4))
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.Suspend = new(true) })).To(Succeed())
		w.plan("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeTrue()))
		w.paused("x", w.slot(4))
		w.plan("x")
		Expect(readyOf(w.get("x"))).To(Equal("Suspended"))

		By("resuming it")
		w.clock.SetTime(w.slot(5))
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.Suspend = new(false) })).To(Succeed())
		w.plan("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeFalse()))
		w.resumed("x", w.slot(5))
		w.plan("x")
		w.completed("x", w.slot(6))
		w.at(w.slot(7), gb)
		w.plan("x")
		caj := w.get("x")
		Expect(caj.Status.Job.Runs).To(HaveLen(2))
		// 2 kW for half an hour at 200, another half hour at 400 g/kWh; an hour from the submission on would be at 100.
		e := caj.Status.Emissions
		Expect([]carbonv1alpha1.Decimal{e.EnergyKWh, e.ActualGrams, e.BaselineGrams, e.AvoidedBy.Time}).To(
			Equal([]carbonv1alpha1.Decimal{"2", "600", "200", "-400"}))
		Expect(e.Method).To(Equal("PowerTimesDuration"))
	})

	It("of a power counts parallel pods and retries as what they are: the Job's mean power while it runs", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb).Watts("1400").Template(inParallel(2)), w.slot(1))
		w.editJobStatus("x", func(s *jobStatus) { s.Failed = 1 })
		w.completed("x", w.slot(3))
		w.at(w.slot(4), gb)
		w.plan("x")
		e := w.get("x").Status.Emissions
		Expect([]carbonv1alpha1.Decimal{e.EnergyKWh, e.ActualGrams, e.Attempts}).To(Equal([]carbonv1alpha1.Decimal{"1.4", "280", ""}))
	})

	It("without a declared energy is unknown, not 0", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb), w.slot(1))
		w.completed("x", w.slot(2))
		w.at(w.slot(3), gb)
		w.plan("x")
		Expect(reasonOf(w.get("x"), "EmissionsRecorded")).To(Equal("False/EnergyUnknown"))
		Expect(conditionMessage(w.get("x").Status.Conditions, "EmissionsRecorded")).To(ContainSubstring("spec.energy.kWh"))
		Expect(w.get("x").Status.Emissions).To(BeNil())
	})

	It("of a region that is gone takes the plan's values and says so", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(gb).KWh("1"), w.slot(1))
		Expect(api.Delete(ctx, w.getRegion(gb))).To(Succeed())
		w.completed("x", w.slot(2))
		w.clock.SetTime(w.slot(2))
		w.plan("x")
		e := w.get("x").Status.Emissions
		Expect(e.ActualGrams).To(BeEquivalentTo("200"))
		Expect(e.Quality).To(Equal(carbonv1alpha1.QualityStale))
	})

	It("is the same when the process is replaced at every step", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(3, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).Jitter(0).KWh("2"))
		step := func(do func()) {
			w.restart()
			w.readRegion(gb)
			do()
			w.plan("x")
			w.startDue("x")
		}
		step(func() {})
		uid := w.job("x").UID
		step(func() { w.clock.SetTime(w.slot(3)) })
		step(func() { w.running("x", w.slot(3)) })
		step(func() { w.completed("x", w.slot(4)) })
		step(func() { w.at(w.slot(4), gb) })
		step(func() { w.at(w.slot(5), gb) })
		e := w.get("x").Status.Emissions
		Expect([]carbonv1alpha1.Decimal{e.BaselineGrams, e.ActualGrams, e.AvoidedBy.Time}).To(Equal([]carbonv1alpha1.Decimal{"600", "200", "400"}))
		Expect(w.job("x").UID).To(Equal(uid))
	})
})
