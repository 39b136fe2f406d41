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
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("A GridRegion", func() {
	readiness := func(r *carbonv1alpha1.GridRegion) []string {
		var out []string
		for _, name := range []string{carbonv1alpha1.RegionReady, carbonv1alpha1.RegionFresh} {
			c := meta.FindStatusCondition(r.Status.Conditions, name)
			Expect(c).NotTo(BeNil(), name)
			out = append(out, string(c.Status)+"/"+c.Reason)
		}
		return out
	}

	DescribeTable("that cannot be read says why, once, and recovers without an edit",
		func(ctx context.Context, table, reason, message string) {
			w := newWorld(ctx)
			name := w.regionName("gb")
			w.region(name, traceSource(name), nil)
			if table != "missing" {
				w.setTrace(name, table)
			}
			w.readRegion(name)
			w.readRegion(name)
			region := w.getRegion(name)
			Expect(readiness(region)).To(Equal([]string{"False/" + reason, "False/" + reason}))
			Expect(conditionMessage(region.Status.Conditions, "Ready")).To(And(ContainSubstring(name), ContainSubstring(message)))
			Expect(region.Status.Intensity).To(BeNil(), "unknown is not 0")
			events := w.warnings()
			Expect(events[len(events)-1]).To(ContainSubstring(reason))
			Expect(len(events)).To(BeNumerically("<=", 2), "%v", events) // missing first, then as the table is

			w.setTrace(name, w.csv(flat(20, 120)...))
			Expect(readiness(w.getRegion(name))).To(Equal([]string{"True/ForecastAvailable", "True/ForecastAvailable"}))
			Expect(w.getRegion(name).Status.Intensity.GramsPerKWh).To(BeEquivalentTo("120"))
		},
		Entry("no ConfigMap", "missing", "ConfigMapNotFound", "does not exist"),
		Entry("empty", "", "MalformedTrace", ""),
		Entry("no rows", "from,to,intensity_forecast\n", "MalformedTrace", ""),
		Entry("no table", "hello", "MalformedTrace", ""),
		Entry("a negative intensity", "from,to,intensity_forecast\n2026-01-01T00:00:00Z,2026-01-01T00:30:00Z,-5\n", "MalformedTrace", "line 2"),
		Entry("a trace that has ended", "from,to,intensity_forecast\n2020-01-01T00:00:00Z,2020-01-01T00:30:00Z,5\n", "TraceDoesNotCoverNow", "2020-01-01"),
	)

	It("without its key says so", func(ctx context.Context) {
		w := newWorld(ctx)
		name := w.trace("gb", nil, flat(20, 100)...)
		w.editRegion(name, func(r *carbonv1alpha1.GridRegion) { r.Spec.Source.Trace.ConfigMapRef.Key = "other.csv" })
		Expect(readiness(w.getRegion(name))[1]).To(Equal("False/ConfigMapNotFound"))
		Expect(conditionMessage(w.getRegion(name).Status.Conditions, "Fresh")).To(ContainSubstring(`no key "other.csv"`))
	})

	It("keeps its last good forecast, marked stale, while that covers the present", func(ctx context.Context) {
		w := newWorld(ctx)
		name := w.trace("gb", nil, flat(4, 100)...)
		w.setTrace(name, "broken")
		region := w.getRegion(name)
		Expect(readiness(region)).To(Equal([]string{"True/ForecastAvailable", "False/MalformedTrace"}))
		Expect(region.Status.Intensity.Quality).To(Equal(carbonv1alpha1.QualityStale))
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(name))
		w.plan("x")
		Expect(w.get("x").Status.Plan.Quality).To(Equal(carbonv1alpha1.QualityStale))

		w.at(w.slot(4), name)
		region = w.getRegion(name)
		Expect(readiness(region)).To(Equal([]string{"False/MalformedTrace", "False/MalformedTrace"}))
		Expect(region.Status.Intensity).To(BeNil())
	})

	It("with a static source has always the same intensity, an annual mean", func(ctx context.Context) {
		w := newWorld(ctx)
		name := w.regionName("static")
		w.region(name, carbonv1alpha1.IntensitySource{Static: &carbonv1alpha1.StaticSource{GramsPerKWh: resource.MustParse("210.5")}}, nil)
		region := w.getRegion(name)
		Expect(readiness(region)).To(Equal([]string{"True/StaticIntensity", "True/StaticIntensity"}))
		Expect(region.Status.Intensity.GramsPerKWh).To(BeEquivalentTo("210.5"))
		Expect(region.Status.Intensity.Quality).To(Equal(carbonv1alpha1.QualityAnnualMean))
		Expect(w.readRegion(name).RequeueAfter).To(BeZero(), "there is nothing to read again")
	})

	It("replays a trace faster", func(ctx context.Context) {
		w := newWorld(ctx)
		name := w.trace("gb", nil, dip(3, 50)...)
		w.editRegion(name, func(r *carbonv1alpha1.GridRegion) {
			r.Spec.Source.Trace.Replay = &carbonv1alpha1.TraceReplay{From: metav1.NewTime(w.slot(1)), Speed: 360}
		})
		region := w.getRegion(name)
		Expect(region.Status.Forecast.StepSeconds).To(BeEquivalentTo(5))
		anchor := region.CreationTimestamp.Time
		w.at(anchor.Add(10*time.Second), name)
		region = w.getRegion(name)
		Expect(region.Status.Intensity.GramsPerKWh).To(BeEquivalentTo("50"), "slot 3 comes ten seconds after slot 1")
		Expect(region.Status.Recent.GramsPerKWh).To(HaveExactElements(BeEquivalentTo("300"), BeEquivalentTo("300"), BeEquivalentTo("300")))
		Expect(w.readRegion(name).RequeueAfter).To(BeNumerically("<=", 5*time.Second))
	})

	It("writes nothing while nothing changes", func(ctx context.Context) {
		w := newWorld(ctx)
		name := w.trace("gb", nil, flat(20, 100)...)
		w.writes = nil
		for range 5 {
			w.readRegion(name)
		}
		Expect(w.writes).To(BeEmpty())
	})
})

var _ = Describe("A job's regions", func() {
	It("may be missing: the job says so, waits for them, and starts by its latest start", func(ctx context.Context) {
		w := newWorld(ctx)
		name := w.regionName("later")
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(name))
		for range 3 {
			w.plan("x")
		}
		caj := w.get("x")
		Expect(reasonOf(caj, "Planned")).To(Equal("False/RegionNotFound"))
		Expect(conditionMessage(caj.Status.Conditions, "Planned")).To(And(ContainSubstring(name), ContainSubstring("create it or name another region")))
		Expect(caj.Status.Plan.Start.Time).To(BeTemporally("==", caj.CreationTimestamp.Add(4*time.Hour)))
		Expect(w.warnings()).To(HaveLen(1))
		w.noJob("x")

		By("planning once it is there")
		w.trace("later", nil, dip(3, 100)...)
		w.plan("x")
		Expect(reasonOf(w.get("x"), "Planned")).To(Equal("True/GreenestWindow"))
		Expect(w.job("x").UID).NotTo(BeEmpty())

		By("starting without one when there is none in time")
		w.create(build.CarbonAwareJob("y", w.namespace).Regions(w.regionName("never")))
		w.plan("y")
		w.clock.SetTime(w.get("y").Status.Plan.Start.Time)
		w.plan("y")
		w.startDue("y")
		Expect(w.job("y").Spec.Suspend).To(HaveValue(BeFalse()))
	})

	DescribeTable("that were not read yet are waited for, but not past the latest start",
		func(ctx context.Context, maxDelay, grace time.Duration) {
			w := newWorld(ctx)
			name := w.regionName("unread")
			region := &carbonv1alpha1.GridRegion{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: carbonv1alpha1.GridRegionSpec{Source: traceSource(name)}}
			Expect(api.Create(ctx, region)).To(Succeed())
			DeferCleanup(func(ctx context.Context) { Expect(api.Delete(ctx, region)).To(Succeed()) })
			w.create(build.CarbonAwareJob("x", w.namespace).Regions(name).MaxDelay(maxDelay))
			created := w.get("x").CreationTimestamp.Time
			w.clock.SetTime(created)
			Expect(w.plan("x").RequeueAfter).To(Equal(grace))
			Expect(reasonOf(w.get("x"), "Planned")).To(Equal("False/RegionPending"))
			w.clock.SetTime(created.Add(grace))
			w.plan("x")
			w.startDue("x")
			Expect(w.job("x").Spec.Suspend).To(HaveValue(BeFalse()))
		},
		Entry("a job that may not wait", time.Duration(0), 5*time.Second),
		Entry("one that may wait for half a minute", 30*time.Second, 30*time.Second),
		Entry("one that may wait for hours", 4*time.Hour, time.Minute),
	)

	It("are the default one when none is named", func(ctx context.Context) {
		w := newWorld(ctx)
		w.create(build.CarbonAwareJob("x", w.namespace))
		w.plan("x")
		Expect(reasonOf(w.get("x"), "Planned")).To(Equal("False/RegionNotFound"))
		Expect(conditionMessage(w.get("x").Status.Conditions, "Planned")).To(ContainSubstring("is-default-region"))
		gb := w.trace("gb", nil, dip(3, 100)...)
		w.editRegion(gb, func(r *carbonv1alpha1.GridRegion) {
			r.Annotations = map[string]string{carbonv1alpha1.AnnotationDefaultRegion: "true"}
		})
		w.plan("x")
		Expect(w.get("x").Status.Plan.Region).To(Equal(gb))
	})

	It("that have no intensity let the job start at once, and say so", func(ctx context.Context) {
		w := newWorld(ctx)
		name := w.regionName("dark")
		w.region(name, traceSource(name), nil)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(name).KWh("1"))
		w.plan("x")
		Expect(reasonOf(w.get("x"), "Planned")).To(Equal("False/NoForecast"))
		w.startDue("x")
		w.running("x", w.start)
		w.plan("x")
		w.completed("x", w.slot(1))
		w.at(w.slot(1), name)
		w.plan("x")
		Expect(reasonOf(w.get("x"), "EmissionsRecorded")).To(Equal("Unknown/IntensityUnknown"))
		Expect(w.get("x").Status.Emissions).To(BeNil(), "unknown is not 0")

		By("the mean of the world, when nobody knows better a day later")
		w.clock.SetTime(w.slot(1).Add(24 * time.Hour))
		w.plan("x")
		Expect(reasonOf(w.get("x"), "EmissionsRecorded")).To(Equal("True/Final"))
		Expect(w.get("x").Status.Emissions.ActualGrams).To(BeEquivalentTo("473.01"))
		Expect(w.get("x").Status.Emissions.Quality).To(Equal(carbonv1alpha1.QualityAnnualMean))
		Expect(conditionMessage(w.get("x").Status.Conditions, "EmissionsRecorded")).To(HaveSuffix("at 473.01 g/kWh (AnnualMean)"))
	})
})
