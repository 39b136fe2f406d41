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

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

const (
	hour    = time.Hour
	waitNS  = "perf-wait"
	floorNS = "perf-floor"
	otherNS = "perf-other"
	// settle is how long caches and garbage are given to come to rest before something is measured.
	settle = 5 * time.Second
)

// later is a job that waits for a slot of the region.
func later(region string, slot time.Duration) func(int, *build.Job) *build.Job {
	return func(_ int, j *build.Job) *build.Job {
		return j.Regions(region).MaxDelay(20 * slot).Duration(slot).Jitter(0)
	}
}

// waiting measures how fast jobs are planned, and what they cost while they wait.
func (b *bench) waiting() {
	ns, n := b.namespace(waitNS), *jobs
	b.region("wait", time.Now(), hour, greenest(24, 5)...)
	b.empty()
	b.createFrom(1, ns, n, later("wait", hour))
	writes, events := b.writes(), b.events()
	begin := time.Now()
	m := b.startManager()
	first := b.until(ns, "planned", 2)
	b.results["start-up s"] = first.Sub(begin).Seconds()
	done := b.until(ns, "planned", n)
	b.results["planned/s"] = float64(n-2) / done.Sub(first).Seconds()
	b.results["writes per planned job"] = (b.writes() - writes) / float64(n-1)
	b.untilTold()
	b.results["CPU per planned job ms"] = perJob(m.cpu(), n) // its Events among it, which come last
	b.results["events per planned job"] = (b.events() - events) / float64(n-1)
	b.idle("waiting", m, waitNS, n)
	b.results["waiting: memory peak MiB"] = m.PeakMemory()
	m.Kill()
}

// empty measures a manager that has one job.
func (b *bench) empty() {
	m := b.startManager()
	b.create(waitNS, 1, later("wait", hour))
	b.until(waitNS, "planned", 1)
	<-time.After(settle)
	b.results["memory with one job MiB"] = m.Memory()
	m.Kill()
}

// idle measures a minute in which nothing is due.
func (b *bench) idle(name string, m *manager, ns string, n int) {
	cpu, writes := m.cpu(), b.watch.seen(ns)
	<-time.After(idleFor)
	b.results[name+": writes/min"] = float64(b.watch.seen(ns) - writes)
	b.results[name+": CPU %"] = 100 * (m.cpu() - cpu).Seconds() / idleFor.Seconds()
	b.results[name+": memory MiB"] = m.Memory()
	b.results[name+": KiB per job"] = 1024 * (m.Memory() - b.results["memory with one job MiB"]) / float64(n)
}

func perJob(cpu time.Duration, n int) float64 { return float64(cpu.Microseconds()) / 1000 / float64(n) }

// replan measures a forecast that changes the plans of all but a few jobs, and one that changes none.
func (b *bench) replan() {
	ns := b.namespace(otherNS)
	few := max(1, *jobs/10)
	b.region("other", time.Now(), hour, greenest(24, 5)...)
	m, n := b.startManager(), *jobs
	b.create(ns, few, later("other", hour))
	b.until(ns, "planned", few)
	<-time.After(settle)
	start := time.Now().Truncate(time.Second)
	begin, cpu, writes, others := time.Now(), m.cpu(), b.watch.seen(waitNS), b.watch.seen(otherNS)
	b.news("wait", start, hour, greenest(24, 7)...)
	done := b.until(waitNS, "planned for "+start.Add(7*hour).UTC().Format(time.RFC3339), n)
	b.results["re-plan s"] = done.Sub(begin).Seconds()
	b.results["re-plan: writes per job"] = float64(b.watch.seen(waitNS)-writes) / float64(n)
	b.untilTold()
	b.results["re-plan: CPU per job ms"] = perJob(m.cpu()-cpu, n)
	writes, cpu = b.watch.seen(waitNS), m.cpu()
	grams := greenest(24, 7)
	grams[23] = 299
	b.news("wait", start, hour, grams...)
	<-time.After(2 * settle)
	b.results["re-plan: CPU per job when nothing moves ms"] = perJob(m.cpu()-cpu, n)
	b.results["re-plan: writes when nothing moves"] = float64(b.watch.seen(waitNS) - writes)
	b.results["re-plan: writes to jobs of another region"] = float64(b.watch.seen(otherNS) - others)
	m.Kill()
}

// restart measures a start with all the waiting jobs and some that are due. A process reads all
// CarbonAwareJobs before it asks for the lease, so that is told apart from what it takes once it leads.
func (b *bench) restart() {
	ns := b.namespace("perf-restart")
	due := min(1000, *storm)
	slot := 45*time.Second + time.Duration(due)*15*time.Millisecond
	b.region("restart", time.Now(), slot, greenest(30, 1)...)
	m := b.startManager()
	b.create(ns, due, later("restart", slot))
	b.until(ns, "planned", due)
	m.Kill()
	if b.watch.count(ns, "started") > 0 {
		b.t.Fatal("jobs were due before all were planned: the machine is too slow for this stage")
	}
	<-time.After(time.Until(b.planned(ns).Add(time.Second)))
	writes := b.watch.seen(waitNS)
	begin := time.Now()
	m = b.startManager("--leader-elect")
	first := b.until(ns, "started", 1)
	done := b.until(ns, "started", due)
	lead := b.leadsSince()
	b.results["restart: leadership s"] = lead.Sub(begin).Seconds()
	b.results["restart: first due started s"] = first.Sub(begin).Seconds()
	b.results["restart: all due started s"] = done.Sub(begin).Seconds()
	b.results["restart: first due started after leadership s"] = first.Sub(lead).Seconds()
	b.results["restart: all due started after leadership s"] = done.Sub(lead).Seconds()
	<-time.After(2 * settle)
	b.results["restart: writes to waiting jobs"] = float64(b.watch.seen(waitNS) - writes)
	m.Kill()
}

func (b *bench) planned(ns string) time.Time {
	b.t.Helper()
	caj := &carbonv1alpha1.CarbonAwareJob{}
	check(b.t, b.api.Get(b.ctx, key(ns, 0), caj))
	return caj.Status.Plan.Start.Time
}

// starts measures how late jobs start: a few at different times, a thousand at one, and all. One half of their
// floor is measured before and one after, as the speed of a machine drifts.
func (b *bench) starts() {
	half := (*storm + 1) / 2
	floor := b.floorStarts(b.namespace("perf-starts-floor-before"), half)
	for _, stage := range []struct {
		name string
		n    int
	}{{"idle", 50}, {"1k", min(1000, *storm)}, {"storm", *storm}} {
		ns := b.namespace("perf-starts-" + stage.name)
		m := b.startManager()
		m.rest() // it looks at all the waiting jobs first
		// The jobs must all be planned before they are due.
		lead := 20*time.Second + time.Duration(stage.n)*20*time.Millisecond
		slot := lead.Truncate(time.Second)
		b.region("starts-"+stage.name, time.Now(), slot, greenest(30, 1)...)
		job := later("starts-"+stage.name, slot)
		b.create(ns, stage.n, func(i int, j *build.Job) *build.Job {
			if stage.name == "idle" {
				return job(i, j).Jitter(15 * time.Second)
			}
			return job(i, j)
		})
		b.until(ns, "started", 1)
		cpu := m.cpu()
		b.until(ns, "started", stage.n)
		b.results["starts of "+stage.name+": CPU per start ms"] = perJob(m.cpu()-cpu, stage.n)
		b.results["starts of "+stage.name+": statuses written before the last %"] = 100 * float64(b.watch.count(ns, "told started")) / float64(stage.n)
		late := m.lateness(ns)
		b.results["lateness "+stage.name+" seen, least s"] = b.watch.leastLateness(ns)
		b.results["lateness "+stage.name+" p50 s"] = percentile(late, 50)
		b.results["lateness "+stage.name+" p99 s"] = percentile(late, 99)
		b.results["lateness "+stage.name+" min s"] = percentile(late, 0)
		b.results["lateness "+stage.name+" max s"] = percentile(late, 100)
		m.Kill()
	}
	floor += b.floorStarts(b.namespace("perf-starts-floor-after"), half)
	b.results["floor starts/s"] = float64(2*half) / floor.Seconds()
	b.results["storm starts/s"] = float64(*storm) / b.results["lateness storm max s"]
	b.results["ratio: storm starts/s to the floor's"] = b.results["storm starts/s"] / b.results["floor starts/s"]
}
