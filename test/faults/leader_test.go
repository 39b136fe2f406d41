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

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/process"
)

var _ = Describe("F5: of two managers", func() {
	It("the standby takes over from a leader that goes, and the lease is free at once", func(ctx context.Context) {
		ns := namespace(ctx)
		leader, _ := pair(ctx)
		was := holder(ctx)
		storm(ctx, ns, stormSize, stormSlot)
		due(ctx, ns, stormSize)
		Expect(leader.Terminate()).To(Succeed())
		Expect(holder(ctx)).NotTo(Equal(was), "the lease is given back before the process ends")
		eventuallyAll(ctx, ns, stormSize, "Completed")
		Expect(started(ns)).To(Equal(stormSize))
	})

	It("the standby takes over from a leader that dies", func(ctx context.Context) {
		ns := namespace(ctx)
		leader, _ := pair(ctx)
		storm(ctx, ns, stormSize, stormSlot)
		due(ctx, ns, stormSize)
		leader.Kill()
		eventuallyAll(ctx, ns, stormSize, "Completed")
		Expect(started(ns)).To(Equal(stormSize))
	})

	It("an old leader that was paused in a storm does no harm when it wakes up, and ends", func(ctx context.Context) {
		ns := namespace(ctx)
		leader, standby := pair(ctx)
		was := holder(ctx)
		const n = 5 * stormSize
		storm(ctx, ns, n, stormSlot)
		Eventually(func() int { return started(ns) }).Should(BeNumerically(">", 0))
		leader.Pause()
		Eventually(func() string { return holder(ctx) }).ShouldNot(Equal(was))
		Eventually(func() int { return started(ns) }).Should(Equal(n))
		leader.Resume()
		Eventually(leader.Ended()).Should(BeClosed(), "who lost the lease must not go on")
		eventuallyAll(ctx, ns, n, "Completed")
		Expect(standby.Running()).To(BeTrue())
	})
})

// theLease is what the leader holds.
func theLease() *coordinationv1.Lease {
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "leader.carbon.ecotracker.dev", Namespace: operatorNamespace}}
}

// holder is who holds the lease; empty when nobody does, or it cannot be told.
func holder(ctx context.Context) string {
	found := &coordinationv1.Lease{}
	if api.Get(ctx, client.ObjectKeyFromObject(theLease()), found) != nil {
		return ""
	}
	return ptr.Deref(found.Spec.HolderIdentity, "")
}

// pair starts a leader and a standby.
func pair(ctx context.Context) (leader, standby *process.Process) {
	GinkgoHelper()
	Expect(client.IgnoreNotFound(api.Delete(ctx, theLease()))).To(Succeed())
	leader = startManager(0, "--leader-elect")
	Eventually(func() string { return holder(ctx) }).ShouldNot(BeEmpty())
	return leader, startManager(0, "--leader-elect")
}
