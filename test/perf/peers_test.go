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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// floor measures a plain client: the three writes of a planned job (a finalizer, a suspended Job, a
// status), and another plan in that status.
func (b *bench) floor() {
	ns := b.namespace(floorNS)
	n := *jobs
	b.create(ns, n, later("none", hour))
	took := b.each(n, planWorkers, func(i int) error { return b.floorPlan(ns, i) })
	b.results["floor planned/s"] = float64(n) / took.Seconds()
	b.results["floor re-plan s"] = b.floorReplan(ns, n).Seconds()
	b.each(n, planWorkers, func(i int) error {
		return b.api.Patch(b.ctx, named(ns, i), client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))
	})
	b.deleteAll(&carbonv1alpha1.CarbonAwareJob{}, ns)
	b.deleteAll(&batchv1.Job{}, ns)
}

// floorStarts measures a plain client that starts n suspended Jobs, and returns how long it took.
func (b *bench) floorStarts(ns string, n int) time.Duration {
	b.each(n, startWorkers, func(i int) error { return b.api.Create(b.ctx, suspendedJob(key(ns, i).Name, ns)) })
	<-time.After(settle)
	took := b.each(n, startWorkers, func(i int) error {
		job := &batchv1.Job{}
		job.Name, job.Namespace = key(ns, i).Name, ns
		return b.api.Patch(b.ctx, job, client.RawPatch(types.MergePatchType, []byte(
			`{"metadata":{"annotations":{"a":"{}"}},"spec":{"suspend":false}}`)))
	})
	b.t.Logf("%s: %.0f starts/s", ns, float64(n)/took.Seconds())
	return took
}

// deleteAll asks again when the API server had not deleted everything in the minute that it gives a request.
func (b *bench) deleteAll(kind client.Object, ns string) {
	var err error
	for range 10 {
		if err = b.api.DeleteAllOf(b.ctx, kind, client.InNamespace(ns), client.PropagationPolicy("Background")); err == nil {
			return
		}
		b.t.Logf("%T in %s: deleting the rest: %v", kind, ns, err)
	}
	check(b.t, err)
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
	caj.Status.Plan = plainPlan("x", now)
	for _, t := range []string{"Ready", "Planned", "EnergyKnown"} {
		caj.Status.Conditions = append(caj.Status.Conditions, metav1.Condition{
			Type: t, Status: metav1.ConditionTrue, Reason: "Waiting", Message: caj.Status.Plan.Message, LastTransitionTime: now,
		})
	}
	return b.api.Status().Patch(b.ctx, caj, client.MergeFrom(before))
}

// cronJobs measures the CronJob controller: so many that make a suspended Job at one minute.
func (b *bench) cronJobs() {
	ns := b.namespace("perf-cron")
	n := *storm
	at := time.Now().Add(20*time.Second + time.Duration(n)*5*time.Millisecond).Truncate(time.Minute).Add(time.Minute)
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
	b.results["CronJob: all of the storm s"] = done.Sub(at).Seconds()
}
