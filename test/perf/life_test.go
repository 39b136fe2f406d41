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
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// life measures whole lives: created, planned, started, run by the Job controller, recorded, let go.
func (b *bench) life() {
	// The Job controller must not run what earlier stages have started.
	for _, ns := range []string{floorNS, "perf-restart", "perf-starts"} {
		b.clear("/registry/jobs/" + ns)
		b.clear("/registry/carbon.ecotracker.dev/carbonawarejobs/" + ns)
	}
	check(b.t, b.plane.StartControllers([]string{"job-controller", "cronjob-controller"}, []string{
		"--kube-api-qps=2000", "--kube-api-burst=4000", "--concurrent-job-syncs=50", "--concurrent-cron-job-syncs=50",
	}))
	go b.kubelet()
	b.region("life", time.Now(), hour, greenest(24, 0)...)
	plain := b.wholeLives(plainNS, b.startPlain)
	for _, kind := range []string{"jobs", "pods", "carbon.ecotracker.dev/carbonawarejobs"} {
		b.clear("/registry/" + kind + "/" + plainNS) // the operator must not take them for its own
	}
	m := b.wholeLives("perf-life", func() *manager { return b.startManager() })
	r := b.results
	r["floor lives/s"], r["floor CPU per life ms"], r["floor writes per life"] = plain.rate, plain.cpu, plain.writes
	r["lives/s"], r["CPU per life ms"], r["writes per life"], r["events per life"] = m.rate, m.cpu, m.writes, m.events
	r["ratio: lives/s to the floor's"] = m.rate / plain.rate
	r["ratio: CPU per life to the floor's"] = m.cpu / plain.cpu
}

// lived is what so many whole lives took of a controller.
type lived struct{ rate, cpu, writes, events float64 }

// wholeLives measures lives in a namespace under a controller.
func (b *bench) wholeLives(ns string, start func() *manager) lived {
	b.namespace(ns)
	n := *lives
	m := start()
	b.create(ns, 1, func(_ int, _ *build.Job) *build.Job { // the Job controller has started when it is through
		return build.CarbonAwareJob("first", ns).Regions("life").MaxDelay(0).KWh("1")
	})
	b.until(ns, "released", 1)
	<-time.After(settle)
	cpu, begin, writes, events := m.cpu(), time.Now(), b.writes(), b.events()
	b.create(ns, n, func(_ int, j *build.Job) *build.Job { return j.Regions("life").MaxDelay(0) })
	b.until(ns, "recorded", n+1)
	done := b.until(ns, "released", n+1)
	took := lived{rate: float64(n) / done.Sub(begin).Seconds(), cpu: perJob(m.cpu()-cpu, n), writes: (b.writes() - writes) / float64(n)}
	b.untilTold()
	took.events = (b.events() - events) / float64(n)
	m.Kill()
	return took
}

// kubelets is how many pods are ended at a time: one after the other would be what all lives wait for.
const kubelets = 8

// kubelet ends pods at once.
func (b *bench) kubelet() {
	for b.ctx.Err() == nil {
		var pods corev1.PodList
		if b.api.List(b.ctx, &pods, client.MatchingFields{"status.phase": string(corev1.PodPending)}) == nil {
			b.each(len(pods.Items), kubelets, func(i int) error {
				pod := &pods.Items[i]
				before := pod.DeepCopy()
				pod.Status.Phase = corev1.PodSucceeded
				_ = b.api.Status().Patch(b.ctx, pod, client.MergeFrom(before)) // who fails is listed again
				return nil
			})
		}
		<-time.After(100 * time.Millisecond)
	}
}
