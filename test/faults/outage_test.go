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

package faults

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/audit"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/faults"
)

// due is the planned start of the storm's jobs.
func due(ctx context.Context, namespace string, n int) time.Time {
	GinkgoHelper()
	jobs := eventuallyAll(ctx, namespace, n, "Waiting")
	return jobs[0].Status.Plan.Start.Time
}

// passes waits until the wall clock has passed t.
func passes(t time.Time) {
	GinkgoHelper()
	Eventually(time.Now).Should(BeTemporally(">", t))
}

const (
	stormSize = 30
	stormSlot = 10 * time.Second
)

var _ = Describe("F6: an API server", func() {
	It("that is away when jobs are due gets all their starts when it is back, and no hot loop meanwhile", func(ctx context.Context) {
		ns := namespace(ctx)
		proxy := newProxy(ns)
		var requests atomic.Int64
		proxy.Script(faults.Rule{
			Match: func(*http.Request) bool { return true },
			Fault: func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
				requests.Add(1)
				return next.RoundTrip(r)
			},
		})
		startManagerBehind(proxy)
		storm(ctx, ns, stormSize, stormSlot)
		at := due(ctx, ns, stormSize)
		kubernetes.APIServers[0].Kill()
		before := requests.Load()
		passes(at.Add(3 * time.Second))
		Expect(requests.Load()-before).To(BeNumerically("<", 20*stormSize), "retries back off")
		Expect(kubernetes.APIServers[0].Start()).To(Succeed())
		Expect(kubernetes.Ready(ctx, 0)).To(Succeed())
		calm = time.Now()
		eventuallyAll(ctx, ns, stormSize, "Completed")
		Expect(started(ns)).To(Equal(stormSize))
	})

	for name, replaced := range map[string]bool{"by the manager that waited": false, "by one that came instead": true} {
		It("that is away while jobs become due gets those first that were due first, "+name, func(ctx context.Context) {
			const groups, size, atATime = 5, 20, 50 // as many as the manager starts at a time
			ns := namespace(ctx)
			m := startManager(0)
			for g := range groups {
				slot := stormSlot + time.Duration(2+g)*time.Second
				region := dip(ctx, slot)
				for i := range size { // those that are due first come last by their names
					create(ctx, waiting(fmt.Sprintf("due-%d-%d", groups-g, i), ns, region, slot))
				}
			}
			last := slices.MaxFunc(eventuallyAll(ctx, ns, groups*size, "Waiting"), func(a, b carbonv1alpha1.CarbonAwareJob) int {
				return a.Status.Plan.Start.Compare(b.Status.Plan.Start.Time)
			})
			kubernetes.APIServers[0].Kill()
			Expect(started(ns)).To(BeZero(), "none is due yet")
			if replaced {
				m.Kill()
			}
			passes(last.Status.Plan.Start.Add(time.Second))
			Expect(kubernetes.APIServers[0].Start()).To(Succeed())
			Expect(kubernetes.Ready(ctx, 0)).To(Succeed())
			calm = time.Now()
			if replaced {
				startManager(0)
			}
			eventuallyAll(ctx, ns, groups*size, "Completed")
			Expect(audit.Overtaken(lives(ns), atATime)).To(BeEmpty())
		})
	}

	It("that takes a second for every request delays, and loses nothing", func(ctx context.Context) {
		ns := namespace(ctx)
		proxy := newProxy(ns)
		proxy.Script(faults.Rule{Match: faults.OfLife(ns), Fault: faults.Delay(time.Second)})
		startManagerBehind(proxy)
		storm(ctx, ns, stormSize, stormSlot)
		eventuallyAll(ctx, ns, stormSize, "Completed")
		Expect(started(ns)).To(Equal(stormSize))
	})
})

var _ = Describe("F7: an etcd", func() {
	It("that is killed when jobs are due has lost nothing when it is back, and old watches end", func(ctx context.Context) {
		ns := namespace(ctx)
		startManager(0)
		storm(ctx, ns, stormSize, stormSlot)
		at := due(ctx, ns, stormSize)
		kubernetes.Etcd.Kill()
		passes(at.Add(time.Second))
		Expect(kubernetes.Etcd.Start()).To(Succeed())
		for i := range kubernetes.APIServers {
			Expect(kubernetes.Ready(ctx, i)).To(Succeed())
		}
		By("starting the API server anew, which forgets all versions but the present one: 410 Gone")
		kubernetes.APIServers[0].Kill()
		Expect(kubernetes.APIServers[0].Start()).To(Succeed())
		Expect(kubernetes.Ready(ctx, 0)).To(Succeed())
		calm = time.Now()
		eventuallyAll(ctx, ns, stormSize, "Completed")
		Expect(started(ns)).To(Equal(stormSize))
	})
})

var _ = Describe("F10: a machine", func() {
	It("that sleeps when jobs are due starts them when it wakes up", func(ctx context.Context) {
		ns := namespace(ctx)
		m := startManager(0)
		storm(ctx, ns, stormSize, stormSlot)
		at := due(ctx, ns, stormSize)
		m.Pause()
		passes(at.Add(2 * time.Second))
		Expect(started(ns)).To(BeZero())
		m.Resume()
		calm = time.Now()
		eventuallyAll(ctx, ns, stormSize, "Completed")
		Expect(started(ns)).To(Equal(stormSize))
	})
})
