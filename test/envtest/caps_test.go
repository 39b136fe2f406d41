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
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("A cap on starts", func() {
	const jobs = 8
	name := func(i int) string { return fmt.Sprint("x", i) }
	// Two green slots and two that are nearly as green, among 300 g/kWh.
	grams := append(dip(6, 100), flat(20, 300)...)
	grams[7], grams[10], grams[11] = 105, 140, 150
	var w *world
	var gb string
	setCap := func(limit int32) {
		w.editRegion(gb, func(region *carbonv1alpha1.GridRegion) { region.Spec.MaxStartsPerWindow = &limit })
	}
	begin := func(ctx context.Context, limit int32) {
		w = newWorld(ctx)
		gb = w.trace("gb", nil, grams...)
		setCap(limit)
		for i := range jobs {
			w.create(build.CarbonAwareJob(name(i), w.namespace).Regions(gb).MaxDelay(9 * time.Hour).KWh("1"))
			w.plan(name(i))
		}
	}
	// planAll runs a pass of every job, the later ones first, and tells their starts.
	planAll := func() (starts []time.Time) {
		for i := range jobs {
			w.plan(name(jobs - 1 - i))
		}
		for i := range jobs {
			starts = append(starts, w.get(name(i)).Status.Plan.Start.Time)
		}
		return starts
	}
	// waiting are the planned starts in each slot; none of them may be dirtier than now.
	waiting := func() map[time.Time]int {
		bySlot := map[time.Time]int{}
		for i := range jobs {
			job := w.get(name(i))
			plan := job.Status.Plan
			if ptr.Deref(job.Spec.Suspend, false) || plan.Start.Sub(w.clock.Now()) < 10*time.Second {
				continue
			}
			Expect(number(plan.GramsPerKWh)).To(BeNumerically("<", 300), name(i))
			bySlot[plan.Start.UTC().Truncate(30*time.Minute)]++
		}
		return bySlot
	}

	It("that is lowered moves those who have no place any more, and no one else, before and after a restart", func(ctx context.Context) {
		begin(ctx, 4)
		was := planAll()
		for _, restart := range []bool{false, true} {
			limit := int32(2)
			if restart {
				limit = 1
			}
			setCap(limit)
			if restart {
				w.restart()
				w.readRegion(gb)
			}
			is := planAll()
			kept := 0
			for i := range is {
				if is[i].Equal(was[i]) {
					kept++
				}
			}
			Expect(kept).To(And(BeNumerically(">=", 2), BeNumerically("<", jobs)))
			for slot, n := range waiting() {
				Expect(n).To(BeNumerically("<=", limit), "slot %s", slot)
			}

			By("settling at once")
			w.writes = nil
			Expect(planAll()).To(Equal(is))
			Expect(w.writes).To(BeEmpty())
			was = is
		}
	})

	It("that is raised, or taken away, gives greener starts to those that gain by it, and moves nobody for nothing", func(ctx context.Context) {
		begin(ctx, 1)
		before := waiting()
		was := planAll()
		setCap(3)
		is := planAll()
		moved := 0
		for i := range is {
			if !is[i].Equal(was[i]) {
				moved++
			}
		}
		Expect(moved).To(BeNumerically(">", 0))
		Expect(len(waiting())).To(BeNumerically("<=", len(before)))
		for slot, n := range waiting() {
			Expect(n).To(BeNumerically("<=", 3), "slot %s", slot)
		}
		setCap(0)
		planAll()
		w.writes = nil
		planAll()
		Expect(w.writes).To(BeEmpty())
	})

	It("leaves the places of held jobs to others, and gives them one when they are released", func(ctx context.Context) {
		begin(ctx, 2)
		hold := func(i int, held bool) {
			Expect(w.edit(name(i), func(c *carbonv1alpha1.CarbonAwareJob) { c.Spec.Suspend = &held })).To(Succeed())
			w.plan(name(i))
		}
		slotOf := func(i int) time.Time { return w.get(name(i)).Status.Plan.Start.UTC().Truncate(30 * time.Minute) }
		greenest := slotOf(0)
		hold(0, true)
		w.create(build.CarbonAwareJob("y", w.namespace).Regions(gb).MaxDelay(9 * time.Hour).Jitter(0))
		w.plan("y")
		y := w.get("y").Status.Plan
		Expect(y.Reason).To(Equal("GreenestWindow"))
		Expect(y.Start.UTC().Truncate(30*time.Minute)).To(Equal(greenest), "the place of the held one")

		By("also in a new process")
		w.restart()
		w.readRegion(gb)
		w.plan("y")
		Expect(w.get("y").Status.Plan).To(Equal(y))

		By("releasing it")
		hold(0, false)
		Expect(w.get("y").Status.Plan).To(Equal(y), "it keeps its place")
		bySlot := waiting()
		bySlot[greenest]++ // y
		for slot, n := range bySlot {
			Expect(n).To(BeNumerically("<=", 2), "slot %s", slot)
		}
	})

	It("counts the starts that have been, until their slot is over, also in a new process and when their jobs are gone", func(ctx context.Context) {
		w = newWorld(ctx)
		// A long run does best from slot 2 on; a shorter one from 20 minutes later, so that it ends with slot 4. There are
		// two dirty slots before, as a world may begin a second before the end of its slot 0.
		gb = w.trace("gb", nil, append([]int{300, 300, 200, 100, 100}, flat(20, 300)...)...)
		setCap(1)
		add := func(name string, at time.Time, d time.Duration) time.Time {
			w.at(at, gb)
			w.create(build.CarbonAwareJob(name, w.namespace).Regions(gb).MaxDelay(150*time.Minute + at.Sub(w.slot(0))).Duration(d).Jitter(0))
			w.plan(name)
			return w.get(name).Status.Plan.Start.Time
		}
		Expect(add("long", w.start, 90*time.Minute)).To(BeTemporally("==", w.slot(2)))
		w.at(w.slot(2), gb)
		w.startDue("long")
		w.running("long", w.clock.Now())
		w.plan("long")

		two := w.slot(2).Add(2 * time.Minute)
		Expect(add("y0", two, 70*time.Minute)).To(BeTemporally("==", w.slot(3)), "the slot has had its start")

		By("being a new process")
		Expect(api.Delete(ctx, w.get("y0"))).To(Succeed())
		w.plan("y0")
		w.restart()
		w.readRegion(gb)
		Expect(add("y2", two, 70*time.Minute)).To(BeTemporally("==", w.slot(3)))

		By("having no job any more that started then")
		Expect(api.Delete(ctx, w.get("long"))).To(Succeed())
		w.plan("long")
		w.plan("long")
		Expect(api.Delete(ctx, w.get("y2"))).To(Succeed())
		w.plan("y2")
		Expect(add("y3", two, 70*time.Minute)).To(BeTemporally("==", w.slot(3)))
	})

	It("does not hold back who is to run now, and moves nobody because of it", func(ctx context.Context) {
		begin(ctx, 1)
		was := planAll()
		for i := range 3 { // all in the slot of now
			Expect(w.edit(name(i), func(c *carbonv1alpha1.CarbonAwareJob) {
				c.Annotations = map[string]string{carbonv1alpha1.AnnotationRunNow: "true"}
			})).To(Succeed())
			w.plan(name(i))
			w.startDue(name(i))
			Expect(w.job(name(i)).Spec.Suspend).To(HaveValue(BeFalse()))
		}
		is := planAll()
		for i := 3; i < jobs; i++ {
			if w.get(name(i)).Status.Plan.Improvements == 0 { // a greener place has become free for some
				Expect(is[i]).To(Equal(was[i]))
			}
		}
		for slot, n := range waiting() {
			Expect(n).To(BeNumerically("<=", 1), "slot %s", slot)
		}
	})

	It("is kept by a second manager that takes over, which moves nobody", func(ctx context.Context) {
		begin(ctx, 2)
		was := planAll()
		first := w.planner
		w.restart() // the second manager: its own memory, the same API server
		w.readRegion(gb)
		w.writes = nil
		Expect(planAll()).To(Equal(was))
		Expect(w.writes).To(BeEmpty())
		for i := range 4 {
			later := fmt.Sprint("y", i)
			w.create(build.CarbonAwareJob(later, w.namespace).Regions(gb).MaxDelay(9 * time.Hour))
			w.plan(later)
		}
		second := w.planner
		w.planner = first
		w.writes = nil
		Expect(planAll()).To(Equal(was), "nor does the first one, should it come back with what it remembers")
		Expect(w.writes).To(BeEmpty())
		w.planner = second
		bySlot := waiting()
		for i := range 4 {
			if plan := w.get(fmt.Sprint("y", i)).Status.Plan; plan.Reason == "GreenestWindow" {
				bySlot[plan.Start.UTC().Truncate(30*time.Minute)]++
			}
		}
		for slot, n := range bySlot {
			Expect(n).To(BeNumerically("<=", 2), "slot %s", slot)
		}
	})
})
