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
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("Regions and their jobs", func() {
	It("cost the source one poll a region and period, whatever the number of jobs", func(ctx context.Context) {
		w := newWorld(ctx)
		p := newProvider(w)
		const regions, jobs = 20, 10
		var names []string
		for i := range regions {
			name := w.regionName(fmt.Sprintf("gb%d", i))
			w.region(name, uk, nil)
			names = append(names, name)
			for j := range jobs {
				w.create(build.CarbonAwareJob(fmt.Sprintf("x%d-%d", i, j), w.namespace).Regions(name).MaxDelay(20 * time.Hour))
			}
		}
		for period := range 3 {
			w.at(w.start.Add(time.Duration(period)*33*time.Minute), names...)
			for i := range regions {
				for j := range jobs {
					w.plan(fmt.Sprintf("x%d-%d", i, j))
				}
				w.readRegion(names[i])
			}
			Expect([]int{p.calls, p.histories}).To(Equal([]int{regions * (period + 1), regions}))
		}
	})

	It("go on for a day without any source: no job is late, and each says what its start was based on", func(ctx context.Context) {
		w := newWorld(ctx)
		p := newProvider(w)
		long, short, mean, dark := w.regionName("long"), w.regionName("short"), w.regionName("mean"), w.regionName("dark")
		w.region(long, uk, nil)
		p.ahead = 8 // four hours
		w.region(short, uk, nil)
		p.broken = func() *http.Response { return answer(http.StatusBadGateway, "") }
		w.region(mean, uk, nil)
		w.editRegion(mean, func(r *carbonv1alpha1.GridRegion) { r.Spec.AnnualMean = "GBR" })
		w.region(dark, uk, nil)
		all := []string{long, short, mean, dark}
		w.at(w.start.Add(34*time.Minute), all...) // time for another poll: nobody answers

		type job struct{ name, region string }
		var waiting []job
		for _, region := range all {
			for _, delay := range []time.Duration{time.Hour, 3 * time.Hour, 6 * time.Hour, 24 * time.Hour} {
				name := fmt.Sprintf("%s-%s", region[:4], delay)
				w.create(build.CarbonAwareJob(name, w.namespace).Regions(region).MaxDelay(delay).KWh("1"))
				w.plan(name)
				waiting = append(waiting, job{name, region})
			}
		}
		quality := map[string][]carbonv1alpha1.IntensityQuality{}
		for slot := 2; slot <= 50; slot++ {
			slices.SortFunc(waiting, func(a, b job) int {
				return cmp.Or(w.get(a.name).Status.Plan.Start.Compare(w.get(b.name).Status.Plan.Start.Time), cmp.Compare(a.name, b.name))
			})
			waiting = slices.DeleteFunc(waiting, func(j job) bool {
				plan := w.get(j.name).Status.Plan
				if plan.Start.After(w.slot(slot)) {
					return false
				}
				Expect(plan.Start.Time).To(BeTemporally("<=", plan.LatestStart.Time), j.name)
				Expect(plan.Reason).NotTo(BeEmpty())
				if plan.Start.After(w.clock.Now()) {
					w.clock.SetTime(plan.Start.Time)
				}
				w.startDue(j.name)
				Expect(ptr.Deref(w.job(j.name).Spec.Suspend, true)).To(BeFalse(), j.name)
				quality[j.region] = append(quality[j.region], plan.Quality)
				return true
			})
			w.at(w.slot(slot).Add(time.Second), all...)
			for _, j := range waiting {
				w.plan(j.name)
			}
		}
		Expect(waiting).To(BeEmpty(), "all have started")
		Expect(quality[long]).To(HaveEach(carbonv1alpha1.QualityStale))
		Expect(quality[short]).To(And(HaveEach(Or(Equal(carbonv1alpha1.QualityStale), Equal(carbonv1alpha1.QualityProfile))), ContainElement(carbonv1alpha1.QualityStale)))
		Expect(quality[mean]).To(HaveEach(carbonv1alpha1.QualityAnnualMean))
		Expect(quality[dark]).To(HaveEach(carbonv1alpha1.IntensityQuality("")))
	})
})
