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

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

const (
	hour    = time.Hour
	waitNS  = "perf-wait"
	floorNS = "perf-floor"
)

// later is a job that waits for a slot of the region.
func later(region string, slot time.Duration) func(int, *build.Job) *build.Job {
	return func(_ int, j *build.Job) *build.Job {
		return j.Regions(region).MaxDelay(20 * slot).Duration(slot).Jitter(0)
	}
}

// floor measures a plain client: the three writes of a planned job (a finalizer, a suspended Job, a
// status), and its start.
func (b *bench) floor() {
	ns := b.namespace(floorNS)
	n := *jobs
	b.create(ns, n, later("none", hour))
	took := b.each(n, planWorkers, func(i int) error { return b.floorPlan(ns, i) })
	b.results["floor planned/s"] = float64(n) / took.Seconds()
	m := min(n, *storm)
	took = b.each(m, startWorkers, func(i int) error {
		job := &batchv1.Job{}
		job.Name, job.Namespace = key(ns, i).Name, ns
		return b.api.Patch(b.ctx, job, client.RawPatch(types.MergePatchType, []byte(
			`{"metadata":{"annotations":{"a":"{}"}},"spec":{"suspend":false}}`)))
	})
	b.results["floor starts/s"] = float64(m) / took.Seconds()
	check(b.t, b.api.DeleteAllOf(b.ctx, &carbonv1alpha1.CarbonAwareJob{}, client.InNamespace(ns)))
	b.each(n, planWorkers, func(i int) error {
		return b.api.Patch(b.ctx, named(ns, i), client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))
	})
	check(b.t, b.api.DeleteAllOf(b.ctx, &batchv1.Job{}, client.InNamespace(ns), client.PropagationPolicy("Background")))
}

func named(ns string, i int) *carbonv1alpha1.CarbonAwareJob {
	return &carbonv1alpha1.CarbonAwareJob{ObjectMeta: metav1.ObjectMeta{Name: key(ns, i).Name, Namespace: ns}}
}

func (b *bench) floorPlan(ns string, i int) error {
	caj := named(ns, i)
	if err := b.api.Patch(b.ctx, caj, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":["example.org/f"]}}`))); err != nil {
		return err
	}
	if err := b.api.Create(b.ctx, suspendedJob(key(ns, i).Name, ns)); err != nil {
		return err
	}
	before := caj.DeepCopy()
	now := metav1.NewTime(time.Now())
	caj.Status.Plan = &carbonv1alpha1.PlanStatus{
		Region: "x", Start: now, LatestStart: now, GramsPerKWh: "100", BaselineGramsPerKWh: "300", Reason: "GreenestWindow",
		Message: "waits 1h0m0s for 100 g/kWh in x, 66 % below now", DecidedAt: now,
	}
	for _, t := range []string{"Ready", "Planned"} {
		caj.Status.Conditions = append(caj.Status.Conditions, metav1.Condition{
			Type: t, Status: metav1.ConditionTrue, Reason: "Waiting", Message: caj.Status.Plan.Message, LastTransitionTime: now,
		})
	}
	return b.api.Status().Patch(b.ctx, caj, client.MergeFrom(before))
}

// waiting measures how fast jobs are planned, and what they cost while they wait.
func (b *bench) waiting() {
	ns := b.namespace(waitNS)
	n := *jobs
	b.region("wait", time.Now(), hour, greenest(24, 5)...)
	empty := b.startManager()
	b.create(ns, 1, later("wait", hour))
	b.until(ns, "planned", 1)
	b.results["memory of none MiB"] = empty.Memory()
	empty.Kill()
	b.create(ns, n, func(i int, j *build.Job) *build.Job {
		j = later("wait", hour)(i, j)
		if i == 0 {
			return build.CarbonAwareJob("job-first", ns).Regions("wait").MaxDelay(20 * hour).Duration(hour).Jitter(0)
		}
		return j
	})
	before := b.watch.seen(ns)
	begin := time.Now()
	m := b.startManager()
	b.until(ns, "planned", 2)
	b.results["start-up s"] = time.Since(begin).Seconds()
	from := time.Now()
	done := b.until(ns, "planned", n+1)
	b.results["planned/s"] = float64(n-1) / done.Sub(from).Seconds()
	b.results["CPU per planned job ms"] = float64(m.cpu().Milliseconds()) / float64(n)
	b.results["writes per planned job"] = float64(b.watch.seen(ns)-before) / float64(n)
	cpu, writes := m.cpu(), b.watch.seen(ns)
	<-time.After(idleFor)
	b.results["waiting: writes/min"] = float64(b.watch.seen(ns) - writes)
	b.results["waiting: CPU %"] = 100 * (m.cpu() - cpu).Seconds() / idleFor.Seconds()
	b.results["waiting: memory MiB"] = m.Memory()
	b.results["waiting: memory peak MiB"] = m.PeakMemory()
	b.results["waiting: KiB per job"] = 1024 * (m.Memory() - b.results["memory of none MiB"]) / float64(n)
	m.Kill()
}

// replan measures a forecast that changes every plan, and one that changes none.
func (b *bench) replan() {
	m := b.startManager()
	n := *jobs + 1
	<-time.After(5 * time.Second)
	start := time.Now().Truncate(time.Second)
	begin, cpu, writes := time.Now(), m.cpu(), b.watch.seen(waitNS)
	b.news("wait", start, hour, greenest(24, 7)...)
	done := b.until(waitNS, "planned for "+start.Add(7*hour).UTC().Format(time.RFC3339), n)
	b.results["re-plan s"] = done.Sub(begin).Seconds()
	b.results["re-plan: CPU per job ms"] = float64((m.cpu() - cpu).Milliseconds()) / float64(n)
	b.results["re-plan: writes per job"] = float64(b.watch.seen(waitNS)-writes) / float64(n)
	writes = b.watch.seen(waitNS)
	grams := greenest(24, 7)
	grams[23] = 299
	b.news("wait", start, hour, grams...)
	<-time.After(10 * time.Second)
	b.results["re-plan: writes when nothing moves"] = float64(b.watch.seen(waitNS) - writes)
	m.Kill()
}

// restart measures a start with all the waiting jobs and some that are due.
func (b *bench) restart() {
	ns := b.namespace("perf-restart")
	due := min(1000, *storm)
	slot := time.Minute
	b.region("restart", time.Now(), slot, greenest(30, 2)...)
	m := b.startManager()
	b.create(ns, due, later("restart", slot))
	b.until(ns, "planned", due)
	m.Kill()
	for b.watch.count(ns, "started") == 0 {
		if jobStart := b.planned(ns); time.Now().After(jobStart.Add(2 * time.Second)) {
			break
		}
		<-time.After(time.Second)
	}
	writes := b.watch.seen(waitNS)
	begin := time.Now()
	m = b.startManager()
	done := b.until(ns, "started", due)
	b.results["restart: all due started s"] = done.Sub(begin).Seconds()
	<-time.After(10 * time.Second)
	b.results["restart: writes to waiting jobs"] = float64(b.watch.seen(waitNS) - writes)
	m.Kill()
}

func (b *bench) planned(ns string) time.Time {
	b.t.Helper()
	caj := &carbonv1alpha1.CarbonAwareJob{}
	check(b.t, b.api.Get(b.ctx, key(ns, 0), caj))
	return caj.Status.Plan.Start.Time
}

// starts measures how late jobs start: a few at different times, a thousand at one, and all.
func (b *bench) starts() {
	for _, stage := range []struct {
		name string
		n    int
	}{{"idle", 50}, {"1k", min(1000, *storm)}, {"storm", *storm}} {
		ns := b.namespace("perf-starts-" + stage.name)
		m := b.startManager()
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
		b.until(ns, "started", stage.n)
		late := m.lateness(ns)
		b.results["lateness "+stage.name+" p50 s"] = percentile(late, 50)
		b.results["lateness "+stage.name+" p99 s"] = percentile(late, 99)
		b.results["lateness "+stage.name+" min s"] = percentile(late, 0)
		b.results["lateness "+stage.name+" max s"] = percentile(late, 100)
		m.Kill()
	}
}

// life measures whole lives: created, planned, started, run by the Job controller, recorded, let go.
func (b *bench) life() {
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
	cpu, begin := m.cpu(), time.Now()
	b.create(ns, n, func(_ int, j *build.Job) *build.Job { return j.Regions("life").MaxDelay(0) })
	b.until(ns, "recorded", n+1)
	done := b.until(ns, "released", n+1)
	b.results["lives/s"] = float64(n) / done.Sub(begin).Seconds()
	b.results["CPU per life ms"] = float64((m.cpu() - cpu).Milliseconds()) / float64(n)
	m.Kill()
}

// cronJobs measures the CronJob controller: so many that make a suspended Job at one minute.
func (b *bench) cronJobs() {
	ns := b.namespace("perf-cron")
	n := min(1000, *storm)
	at := time.Now().Add(20*time.Second + time.Duration(n)*10*time.Millisecond).Truncate(time.Minute).Add(time.Minute)
	b.each(n, startWorkers, func(i int) error {
		job := suspendedJob("x", ns)
		return b.api.Create(b.ctx, &batchv1.CronJob{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("cron-%d", i), Namespace: ns},
			Spec: batchv1.CronJobSpec{
				Schedule: fmt.Sprintf("%d %d * * *", at.UTC().Minute(), at.UTC().Hour()), TimeZone: new("Etc/UTC"),
				JobTemplate: batchv1.JobTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"perf": "cron"}}, Spec: job.Spec},
			},
		})
	})
	done := b.until(ns, "cron", n)
	b.results["CronJob: all of 1k s"] = done.Sub(at).Seconds()
}

// kubelet ends pods at once.
func (b *bench) kubelet() {
	for b.ctx.Err() == nil {
		var pods corev1.PodList
		if b.api.List(b.ctx, &pods, client.MatchingFields{"status.phase": string(corev1.PodPending)}) == nil {
			for i := range pods.Items {
				pod := &pods.Items[i]
				before := pod.DeepCopy()
				pod.Status.Phase = corev1.PodSucceeded
				_ = b.api.Status().Patch(b.ctx, pod, client.MergeFrom(before))
			}
		}
		<-time.After(100 * time.Millisecond)
	}
}
