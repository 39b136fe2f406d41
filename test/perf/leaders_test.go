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

package perf

import (
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// leaderRounds is how often each end of a leader is tried; the longest counts.
const leaderRounds = 3

// leaders measures the time from when the leader of two managers is asked to end, or dies, until the
// other one, which stands by with filled caches, has planned and started a job.
func (b *bench) leaders() {
	lease := leaderLease()
	b.region("leaders", time.Now(), hour, greenest(24, 0)...)
	for _, end := range []struct {
		name string
		by   func(*manager)
	}{
		{"hand-over", func(m *manager) { check(b.t, m.Terminate()) }},
		{"fail-over", func(m *manager) { m.Kill() }},
	} {
		for round := range leaderRounds {
			ns := b.namespace(fmt.Sprintf("perf-%s-%d", end.name, round))
			now := func(_ int, j *build.Job) *build.Job { return j.Regions("leaders").MaxDelay(0) }
			check(b.t, client.IgnoreNotFound(b.api.Delete(b.ctx, lease)))
			leader := b.startManager("--leader-elect")
			b.create(ns, 1, now)
			b.until(ns, "started", 1)
			standby := b.startManager("--leader-elect")
			standby.rest() // its caches: with many jobs they take their time
			begin := time.Now()
			end.by(leader)
			b.createFrom(1, ns, 2, now)
			took := b.until(ns, "started", 2).Sub(begin).Seconds()
			b.results[end.name+" s"] = max(took, b.results[end.name+" s"])
			standby.Kill()
		}
	}
}

func leaderLease() *coordinationv1.Lease {
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "leader.carbon.ecotracker.dev", Namespace: operatorNamespace}}
}

// leadsSince is when the manager that leads took the lease, by its own clock, which is that of the harness.
func (b *bench) leadsSince() time.Time {
	b.t.Helper()
	lease := leaderLease()
	check(b.t, b.api.Get(b.ctx, client.ObjectKeyFromObject(lease), lease))
	if lease.Spec.AcquireTime == nil {
		b.t.Fatal("nobody has taken the lease")
	}
	return lease.Spec.AcquireTime.Time
}
