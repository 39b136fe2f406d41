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
	ns := b.namespace("perf-life")
	n := *lives
	b.region("life", time.Now(), hour, greenest(24, 0)...)
	m := b.startManager()
	b.create(ns, 1, func(_ int, _ *build.Job) *build.Job { // the Job controller has started when it is through
		return build.CarbonAwareJob("first", ns).Regions("life").MaxDelay(0).KWh("1")
	})
	b.until(ns, "released", 1)
	<-time.After(settle)
	cpu, begin, writes, events := m.cpu(), time.Now(), b.writes(), b.events()
	b.create(ns, n, func(_ int, j *build.Job) *build.Job { return j.Regions("life").MaxDelay(0) })
	b.until(ns, "recorded", n+1)
	done := b.until(ns, "released", n+1)
	b.results["lives/s"] = float64(n) / done.Sub(begin).Seconds()
	b.results["CPU per life ms"] = perJob(m.cpu()-cpu, n)
	b.results["writes per life"] = (b.writes() - writes) / float64(n)
	b.untilTold()
	b.results["events per life"] = (b.events() - events) / float64(n)
	m.Kill()
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
