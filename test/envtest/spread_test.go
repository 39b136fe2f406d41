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
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	ctrl "sigs.k8s.io/controller-runtime"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/controller"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
	"github.com/ecotracker-dev/ecotracker-operator/internal/replay"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("A region with maxStartsPerWindow", func() {
	capped := func(ctx context.Context, limit int32, grams ...int) (*world, string) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, grams...)
		w.editRegion(gb, func(region *carbonv1alpha1.GridRegion) { region.Spec.MaxStartsPerWindow = &limit })
		return w, gb
	}
	// starts counts the jobs that wait, by the slot of their start.
	starts := func(w *world, jobs int) (bySlot map[time.Time]int, waiting int) {
		bySlot = map[time.Time]int{}
		for i := range jobs {
			plan := w.get(fmt.Sprint("x", i)).Status.Plan
			if plan.Reason == "SlotsFull" {
				Expect(plan.Start.Time).To(BeTemporally("~", w.clock.Now(), time.Second), "overflow starts at once")
				continue
			}
			Expect(plan.Reason).To(Equal("GreenestWindow"))
			bySlot[plan.Start.UTC().Truncate(30*time.Minute)]++
			waiting++
		}
		return bySlot, waiting
	}
	twoDips := append(dip(6, 100), flat(20, 300)...)
	twoDips[9] = 150

	It("fills the green slots, starts the overflow at once, and remembers it all in a new process", func(ctx context.Context) {
		w, gb := capped(ctx, 2, twoDips...)
		const jobs = 9
		for i := range jobs {
			w.create(build.CarbonAwareJob(fmt.Sprint("x", i), w.namespace).Regions(gb).MaxDelay(8 * time.Hour))
			w.plan(fmt.Sprint("x", i))
		}
		bySlot, waiting := starts(w, jobs)
		Expect(waiting).To(And(BeNumerically(">=", 4), BeNumerically("<", jobs)), "two slots of two, and what is left around them")
		for slot, n := range bySlot {
			Expect(n).To(BeNumerically("<=", 2), "slot %s", slot)
		}

		w.restart()
		w.readRegion(gb)
		w.create(build.CarbonAwareJob("x9", w.namespace).Regions(gb).MaxDelay(8 * time.Hour))
		w.plan("x9") // the first to be planned by the new process
		w.writes = nil
		for i := range jobs {
			w.plan(fmt.Sprint("x", i))
		}
		Expect(w.writes).To(BeEmpty())
		bySlot, _ = starts(w, jobs+1)
		for slot, n := range bySlot {
			Expect(n).To(BeNumerically("<=", 2), "slot %s after the restart", slot)
		}

		By("giving a place to the next one once a job is gone")
		for i := range jobs {
			Expect(api.Delete(ctx, w.get(fmt.Sprint("x", i)))).To(Succeed())
			w.plan(fmt.Sprint("x", i))
		}
		w.create(build.CarbonAwareJob("y", w.namespace).Regions(gb).MaxDelay(8 * time.Hour))
		w.plan("y")
		Expect(w.get("y").Status.Plan.Reason).To(Equal("GreenestWindow"))
	})

	It("gives no place twice to jobs that are planned at the same time", func(ctx context.Context) {
		w, gb := capped(ctx, 3, dip(6, 100)...)
		planner := &controller.CarbonAwareJobReconciler{
			Client: api, APIReader: api, Recorder: w.recorder, Clock: w.clock, Models: w.planner.Models, Ledger: w.planner.Ledger, Budgets: w.budgets,
		}
		const jobs = 16
		for i := range jobs {
			w.create(build.CarbonAwareJob(fmt.Sprint("x", i), w.namespace).Regions(gb).MaxDelay(6 * time.Hour))
		}
		var all sync.WaitGroup
		for i := range jobs {
			all.Go(func() {
				defer GinkgoRecover()
				_, err := planner.Reconcile(ctx, ctrl.Request{NamespacedName: w.key(fmt.Sprint("x", i))})
				Expect(err).NotTo(HaveOccurred())
			})
		}
		all.Wait()
		bySlot, waiting := starts(w, jobs)
		Expect(waiting).To(BeNumerically(">=", 3))
		for slot, n := range bySlot {
			Expect(n).To(BeNumerically("<=", 3), "slot %s", slot)
		}
	})
})

// unfolding plays the Carbon Intensity API of Great Britain with a history: at every time it tells the
// actual values of slots that ended half an hour ago.
type unfolding struct {
	w     *world
	trace forecast.Trace
}

func (u unfolding) RoundTrip(r *http.Request) (*http.Response, error) {
	const layout = "2006-01-02T15:04Z"
	parts := strings.Split(r.URL.Path, "/")
	from, err := time.Parse(layout, parts[len(parts)-2])
	Expect(err).NotTo(HaveOccurred())
	to, err := time.Parse(layout, parts[len(parts)-1])
	Expect(err).NotTo(HaveOccurred())
	var slots []any
	for at := from; at.Before(to); at = at.Add(30 * time.Minute) {
		ahead, _ := u.trace.Forecast.At(at)
		intensity := map[string]any{"forecast": ahead, "actual": nil}
		if published := at.Add(time.Hour); !published.After(u.w.clock.Now()) {
			actual, _ := u.trace.Actual.At(at)
			intensity["actual"] = actual
		}
		slots = append(slots, map[string]any{"from": at.Format(layout), "to": at.Add(30 * time.Minute).Format(layout), "intensity": intensity})
	}
	body, err := json.Marshal(map[string]any{"data": slots})
	Expect(err).NotTo(HaveOccurred())
	return answer(http.StatusOK, string(body)), nil
}

var _ = Describe("The benchmark", func() {
	var w *world
	// unfold makes 24 days around now of which no two are alike, with forecasts that leave it to the mean day. The means
	// of 13 and of 14 days have two digits after the point, so that the decimals in status cut nothing off.
	unfold := func(ctx context.Context) forecast.Trace {
		w = newWorld(ctx)
		r := rand.New(rand.NewPCG(3, 4))
		history := forecast.Series{Start: w.slot(-20 * 48), Step: 30 * time.Minute}
		trace := forecast.Trace{Forecast: history, Actual: history}
		for range 24 * 48 {
			trace.Forecast.Grams = append(trace.Forecast.Grams, float64(60+r.IntN(4)))
			trace.Actual.Grams = append(trace.Actual.Grams, 40+1.82*float64(r.IntN(40)))
		}
		w.sources = &http.Client{Transport: unfolding{w, trace}}
		w.restart()
		return trace
	}
	options := func(delay, duration time.Duration) replay.Options {
		return replay.Options{MaxDelay: delay, Duration: duration, EnergyKWh: 1, ActualsAfter: 30 * time.Minute, JobsPerDay: 1}
	}
	decide := func(trace forecast.Trace, o replay.Options, jobs ...*carbonv1alpha1.CarbonAwareJob) []replay.Start {
		submitted := make([]replay.Job, 0, len(jobs))
		for _, j := range jobs {
			submitted = append(submitted, replay.Job{UID: string(j.UID), Submitted: j.CreationTimestamp.Time})
		}
		starts, err := replay.Decide([]replay.Region{{Name: "gb", Trace: trace}}, o, replay.Default, submitted...)
		Expect(err).NotTo(HaveOccurred())
		return starts
	}

	It("gives a job the start that the controller gives it", func(ctx context.Context) {
		trace := unfold(ctx)
		waits := 0
		for i, delay := range []time.Duration{20 * time.Minute, 4 * time.Hour, 10 * time.Hour, 24 * time.Hour, 40 * time.Hour} {
			for j, duration := range []time.Duration{30 * time.Minute, 47 * time.Minute, 3 * time.Hour} {
				name := fmt.Sprintf("x%d%d", i, j)
				gb := w.regionName(name)
				w.create(build.CarbonAwareJob(name, w.namespace).Regions(gb).MaxDelay(delay).Duration(duration))
				caj := w.get(name)
				w.clock.SetTime(caj.CreationTimestamp.Time)
				w.region(gb, uk, nil) // read for the first time when the job comes
				Expect(w.getRegion(gb).Status.Profile).NotTo(BeNil())
				w.plan(name)
				plan := w.get(name).Status.Plan
				start := decide(trace, options(delay, duration), caj)[0]
				Expect(plan.Start.UTC()).To(Equal(start.At.UTC()), "%s, %s: %s", delay, duration, plan.Message)
				if plan.Reason == "GreenestWindow" {
					waits++
				}
			}
		}
		Expect(waits).To(BeNumerically(">", 8))
	})

	It("gives a herd the starts that the controller gives it under a cap", func(ctx context.Context) {
		trace := unfold(ctx)
		for i := range trace.Actual.Grams { // a mean day that does not change, should the herd come around a half hour
			trace.Actual.Grams[i] = float64(40 + (47-i%48)*5)
		}
		gb, limit := w.regionName("gb"), int32(2)
		w.region(gb, uk, nil)
		w.editRegion(gb, func(region *carbonv1alpha1.GridRegion) { region.Spec.MaxStartsPerWindow = &limit })
		var herd []*carbonv1alpha1.CarbonAwareJob
		for i := range 20 {
			name := fmt.Sprint("x", i)
			w.create(build.CarbonAwareJob(name, w.namespace).Regions(gb).MaxDelay(3 * time.Hour).Duration(30 * time.Minute))
			herd = append(herd, w.get(name))
			w.at(herd[i].CreationTimestamp.Time, gb)
			w.plan(name)
		}
		o := options(3*time.Hour, 30*time.Minute)
		o.MaxStartsPerWindow = int(limit)
		reasons := map[string]int{}
		for i, start := range decide(trace, o, herd...) {
			plan := w.get(herd[i].Name).Status.Plan
			Expect(plan.Start.UTC()).To(Equal(start.At.UTC()), "job %d: %s", i, plan.Message)
			reasons[plan.Reason]++
		}
		Expect(reasons["GreenestWindow"]).To(BeNumerically(">", 2))
		Expect(reasons["SlotsFull"]).To(BeNumerically(">", 2))
	})
})
