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
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/ecotracker-dev/ecotracker-operator/internal/controller"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("Metrics", func() {
	It("count the jobs by status, and those whose start is owed", func(ctx context.Context) {
		w := newWorld(ctx)
		region := w.trace("gb", nil, dip(3, 100)...)
		mine := client.NewNamespacedClient(api, w.namespace)
		w.create(build.CarbonAwareJob("waits", w.namespace).Regions(region).MaxDelay(4 * time.Hour))
		w.create(build.CarbonAwareJob("held", w.namespace).Regions(region).MaxDelay(4 * time.Hour).Suspend(true))
		w.create(build.CarbonAwareJob("new", w.namespace).Regions(region))
		w.plan("waits")
		w.plan("held")
		jobs, ok := controller.CountJobs(ctx, mine, w.clock)
		Expect(ok).To(BeTrue())
		Expect(jobs.ByStatus).To(Equal(map[string]int{"Waiting": 1, "Suspended": 1, "New": 1}))
		Expect(jobs.Overdue).To(BeZero())

		w.clock.SetTime(w.start.Add(4*time.Hour + time.Minute))
		jobs, _ = controller.CountJobs(ctx, mine, w.clock)
		Expect(jobs.Overdue).To(Equal(1), "the one that a person holds is owed nothing")
		w.startDue("waits")
		w.running("waits", w.clock.Now())
		w.plan("waits")
		jobs, _ = controller.CountJobs(ctx, mine, w.clock)
		Expect(jobs.Overdue).To(BeZero())
	})

	It("count a record once, when it is final", func(ctx context.Context) {
		w := newWorld(ctx)
		region := w.trace("gb", nil, flat(20, 200)...)
		w.setTrace(region, w.csvOf(flat(20, 200), flat(6, 200)))
		before := recordedRuns()
		w.started(build.CarbonAwareJob("once", w.namespace).Regions(region).KWh("0.5"), w.slot(3))
		w.completed("once", w.slot(3).Add(20*time.Minute))
		w.at(w.slot(3).Add(20*time.Minute), region)
		w.plan("once")
		Expect(reasonOf(w.get("once"), "EmissionsRecorded")).To(Equal("Unknown/Provisional"))
		Expect(recordedRuns()).To(Equal(before), "it is provisional")
		w.at(w.slot(4), region)
		for range 3 { // and a restart in between
			w.plan("once")
			w.restart()
		}
		Expect(reasonOf(w.get("once"), "EmissionsRecorded")).To(Equal("True/Final"))
		Expect(recordedRuns()).To(Equal(before + 1))
	})

	It("count a run once that its limit stopped, and no other failure", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(40, 200)...)
		stoppedRuns := func() float64 { return counter("ecotracker_stopped_runs_total") }
		before := stoppedRuns()
		w.started(build.CarbonAwareJob("stopped", w.namespace).Regions(gb).Watts("1000").MaxGrams("100"), w.slot(1))
		w.started(build.CarbonAwareJob("failed", w.namespace).Regions(gb).Watts("1000"), w.slot(1))
		w.failed("failed", w.slot(2))
		w.at(w.slot(2), gb) // 1 kW for half an hour at 200 g/kWh
		w.plan("stopped")
		Expect(readyOf(w.get("stopped"))).To(Equal("BudgetExceeded"))
		Expect(stoppedRuns()).To(Equal(before), "its pods may still run")
		w.paused("stopped", w.slot(2))
		for range 3 { // and a restart in between
			w.plan("stopped")
			w.plan("failed")
			w.restart()
		}
		Expect(reasonOf(w.get("stopped"), "Failed")).To(Equal("True/CarbonBudgetExceeded"))
		Expect(reasonOf(w.get("failed"), "Failed")).To(HavePrefix("True/"))
		Expect(stoppedRuns()).To(Equal(before + 1))
	})
})

// recordedRuns is the counter of final records.
func recordedRuns() float64 {
	GinkgoHelper()
	return counter("ecotracker_recorded_runs_total")
}

// counter is the value of a counter without labels.
func counter(name string) float64 {
	GinkgoHelper()
	families, err := metrics.Registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	Fail("there is no counter " + name)
	return 0
}
