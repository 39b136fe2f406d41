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
	b.results["Jobs alone: lives/s"] = b.bareLives("perf-jobs", (*lives+1)/2)
	// One half of the floor is measured before and one after, as the speed of a machine drifts.
	plain := b.plainLives("perf-plain-before")
	m := b.wholeLives("perf-life", *lives, func() *manager { return b.startManager() })
	b.clearLives("perf-life")
	plain.add(b.plainLives("perf-plain-after"))
	r := b.results
	r["floor lives/s"], r["floor CPU per life ms"], r["floor writes per life"] = plain.rate(), plain.perLife(plain.cpu), plain.perLife(plain.writes)
	r["lives/s"], r["CPU per life ms"], r["writes per life"], r["events per life"] = m.rate(), m.perLife(m.cpu), m.perLife(m.writes), m.perLife(m.events)
	r["events of lives: all told after the last life s"] = m.told
	r["ratio: lives/s to the floor's"] = r["lives/s"] / r["floor lives/s"]
	r["ratio: CPU per life to the floor's"] = r["CPU per life ms"] / r["floor CPU per life ms"]
}

// lived is what so many whole lives took of a controller: seconds until the last had ended, and from then until the last
// Event was seen to have come, milliseconds of processor time until then, requests.
type lived struct{ lives, took, told, cpu, writes, events float64 }

func (l *lived) add(other lived) {
	l.lives += other.lives
	l.took += other.took
	l.cpu += other.cpu
	l.writes += other.writes
	l.events += other.events
}

// rate is in lives a second.
func (l *lived) rate() float64 { return l.lives / l.took }

func (l *lived) perLife(of float64) float64 { return of / l.lives }

// plainLives measures half of the lives under the plain controller, and takes them away: the operator must not take them
// for its own.
func (b *bench) plainLives(ns string) lived {
	half := b.wholeLives(ns, (*lives+1)/2, func() *manager { return b.startPlain(ns) })
	b.clearLives(ns)
	return half
}

// bareLives is how many Jobs a second are run and end that are no CarbonAwareJob's and not suspended: what the API
// server, the Job controller and the harness, which ends their pods, do by themselves.
func (b *bench) bareLives(ns string, n int) float64 {
	b.namespace(ns)
	run := func(i int) error {
		job := suspendedJob(key(ns, i).Name, ns)
		job.Spec.Suspend = new(false)
		return b.api.Create(b.ctx, job)
	}
	check(b.t, run(n)) // the Job controller has started when it is through
	b.until(ns, "released", 1)
	<-time.After(settle)
	begin := time.Now()
	b.each(n, startWorkers, run)
	rate := float64(n) / b.until(ns, "released", n+1).Sub(begin).Seconds()
	b.clearLives(ns)
	b.t.Logf("%s: %.1f lives/s", ns, rate)
	return rate
}

func (b *bench) clearLives(ns string) {
	for _, kind := range []string{"jobs", "pods", "carbon.ecotracker.dev/carbonawarejobs"} {
		b.clear("/registry/" + kind + "/" + ns)
	}
}

// wholeLives measures n lives in a namespace under a controller.
func (b *bench) wholeLives(ns string, n int, start func() *manager) lived {
	b.namespace(ns)
	m := start()
	b.create(ns, 1, func(_ int, _ *build.Job) *build.Job { // the Job controller has started when it is through
		return build.CarbonAwareJob("first", ns).Regions("life").MaxDelay(0).KWh("1")
	})
	b.until(ns, "released", 1)
	<-time.After(settle)
	cpu, writes, events := m.cpu(), b.writes(), b.events() // which takes a second
	begin := time.Now()
	b.create(ns, n, func(_ int, j *build.Job) *build.Job { return j.Regions("life").MaxDelay(0) })
	b.until(ns, "recorded", n+1)
	done := b.until(ns, "released", n+1)
	took := lived{lives: float64(n), took: done.Sub(begin).Seconds(), writes: b.writes() - writes}
	b.untilTold()
	took.told = time.Since(done).Seconds()
	took.cpu, took.events = float64((m.cpu() - cpu).Milliseconds()), b.events()-events // Events come last, and cost as well
	m.Kill()
	b.t.Logf("%s: %.1f lives/s", ns, took.rate())
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
