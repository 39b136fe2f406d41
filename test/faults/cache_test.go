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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/faults"
)

var _ = Describe("F3: a manager with an old cache", func() {
	It("that turns to an API server which has slept does nothing twice", func(ctx context.Context) {
		ns := namespace(ctx)
		m := startManager(0)
		key := create(ctx, running(waiting("x", ns, dip(ctx, 4*time.Second), 4*time.Second), 5*time.Second))
		eventually(ctx, key, "Waiting")
		kubernetes.APIServers[1].Pause()
		DeferCleanup(kubernetes.APIServers[1].Resume)
		eventually(ctx, key, "Running")
		m.Kill()
		kubernetes.APIServers[1].Resume()
		startManager(1)
		eventually(ctx, key, "Completed")
		Expect(started(ns)).To(Equal(1))
	})

	for _, resource := range []string{"jobs", "carbonawarejobs"} {
		It("whose watch of "+resource+" stands still while another manager goes on, creates and starts nothing again", func(ctx context.Context) {
			ns := namespace(ctx)
			region := steady(ctx)
			gate, proxy := faults.NewGate(), newProxy(ns)
			DeferCleanup(gate.Open)
			proxy.Script(faults.Rule{Match: faults.Watching(resource), Fault: faults.Hold(gate)})
			old := startManagerBehind(proxy)
			Eventually(func(g Gomega) { g.Expect(intensity(ctx, region)).NotTo(BeNil()) }).Should(Succeed())
			waitingKey := create(ctx, build.CarbonAwareJob("held", ns).Regions(region).MaxDelay(0).KWh("1").Suspend(true))
			eventually(ctx, waitingKey, "Suspended")
			gate.Close()
			fresh := create(ctx, build.CarbonAwareJob("fresh", ns).Regions(region).MaxDelay(0).KWh("1"))
			startManager(0)
			held := get(ctx, waitingKey)
			before := held.DeepCopy()
			held.Spec.Suspend = new(false)
			Expect(api.Patch(ctx, held, client.MergeFrom(before))).To(Succeed())
			eventually(ctx, fresh, "Completed")
			eventually(ctx, waitingKey, "Completed")
			By("deleting a Job, whose run is on record, while the old cache still shows it or never saw it")
			Expect(api.Delete(ctx, job(ctx, fresh), client.PropagationPolicy("Background"))).To(Succeed())
			Eventually(func() bool { return apierrors.IsNotFound(api.Get(ctx, fresh, &batchv1.Job{})) }).Should(BeTrue())
			gate.Open()
			marker := create(ctx, build.CarbonAwareJob("marker", ns).Regions(region).MaxDelay(0).KWh("1"))
			eventually(ctx, marker, "Completed")
			Expect(old.Running()).To(BeTrue())
			Expect(started(ns)).To(Equal(3))
		})
	}
})

var _ = Describe("F4: a run that nobody saw", func() {
	It("and whose Job was deleted by its TTL is on record all the same", func(ctx context.Context) {
		ns := namespace(ctx)
		gate, proxy := faults.NewGate(), newProxy(ns)
		DeferCleanup(gate.Open)
		proxy.Script(faults.Rule{Match: faults.Watching("jobs"), Fault: faults.Hold(gate)})
		startManagerBehind(proxy)
		j := running(waiting("x", ns, dip(ctx, 4*time.Second), 4*time.Second), 2*time.Second)
		j.Template(func(t *batchv1.JobTemplateSpec) { t.Spec.TTLSecondsAfterFinished = ptr.To[int32](0) })
		key := create(ctx, j)
		eventually(ctx, key, "Waiting")
		gate.Close()
		Eventually(func(g Gomega) {
			deleted := &batchv1.Job{}
			g.Expect(api.Get(ctx, key, deleted)).To(Succeed())
			g.Expect(deleted.Status.Succeeded).To(BeEquivalentTo(1))
			g.Expect(deleted.DeletionTimestamp).NotTo(BeNil(), "the TTL controller deletes it; our finalizer keeps it")
		}).Should(Succeed())
		gate.Open()
		caj := eventually(ctx, key, "Completed")
		Expect(caj.Status.Job.Runs).To(HaveLen(1))
		Expect(caj.Status.Emissions.ActualGrams).NotTo(BeEmpty())
		Eventually(func() bool { return apierrors.IsNotFound(api.Get(ctx, key, &batchv1.Job{})) }).Should(BeTrue())
	})
})
