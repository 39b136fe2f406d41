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

package envtest

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// flat is a trace of so many half hours of the same intensity.
func flat(slots, grams int) []int {
	trace := make([]int, slots)
	for i := range trace {
		trace[i] = grams
	}
	return trace
}

// dip is flat at 300 g/kWh with a lower value in one slot.
func dip(slot, grams int) []int {
	trace := flat(20, 300)
	trace[slot] = grams
	return trace
}

func (w *world) create(j *build.Job) {
	Expect(api.Create(w.ctx, j.Obj())).To(Succeed())
}

// edit changes the CarbonAwareJob as a person would.
func (w *world) edit(name string, change func(*carbonv1alpha1.CarbonAwareJob)) error {
	caj := w.get(name)
	before := caj.DeepCopy()
	change(caj)
	return api.Patch(w.ctx, caj, client.MergeFrom(before))
}

func (w *world) editRegion(name string, change func(*carbonv1alpha1.GridRegion)) {
	region := w.getRegion(name)
	before := region.DeepCopy()
	change(region)
	Expect(api.Patch(w.ctx, region, client.MergeFrom(before))).To(Succeed())
	w.readRegion(name)
}

func (w *world) editJob(name string, change func(*batchv1.Job)) {
	job := w.job(name)
	before := job.DeepCopy()
	change(job)
	Expect(api.Patch(w.ctx, job, client.MergeFrom(before))).To(Succeed())
}

// setTrace gives the ConfigMap of a region other content and reads the region again.
func (w *world) setTrace(region, csv string) {
	configMap := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: region, Namespace: w.namespace}}
	_ = api.Create(w.ctx, configMap) // it may be there
	configMap.Data = map[string]string{"trace.csv": csv}
	Expect(api.Update(w.ctx, configMap)).To(Succeed())
	w.readRegion(region)
}

// csvOf is a trace whose actual values differ from the forecast.
func (w *world) csvOf(forecast, actual []int) string {
	var csv strings.Builder
	csv.WriteString("from,to,intensity_forecast,intensity_actual\n")
	for i, grams := range forecast {
		fmt.Fprintf(&csv, "%s,%s,%d,", w.slot(i).Format(time.RFC3339), w.slot(i+1).Format(time.RFC3339), grams)
		if i < len(actual) {
			fmt.Fprint(&csv, actual[i])
		}
		csv.WriteString("\n")
	}
	return csv.String()
}

// traceSource is the source that reads the region's own ConfigMap.
func traceSource(name string) carbonv1alpha1.IntensitySource {
	return carbonv1alpha1.IntensitySource{Trace: &carbonv1alpha1.TraceSource{
		ConfigMapRef: carbonv1alpha1.ConfigMapKeyReference{Name: name, Key: "trace.csv"},
	}}
}

// paused plays the Job controller that has suspended the Job at t.
func (w *world) paused(name string, t time.Time) {
	job := w.job(name)
	Expect(job.Spec.Suspend).To(HaveValue(BeTrue()))
	job.Status.StartTime, job.Status.Active = nil, 0
	at := metav1.NewTime(t)
	job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{
		Type: batchv1.JobSuspended, Status: corev1.ConditionTrue, LastTransitionTime: at, LastProbeTime: at, Reason: "JobSuspended",
	})
	Expect(api.Status().Update(w.ctx, job)).To(Succeed())
}

// resumed plays the Job controller that has resumed the Job at t.
func (w *world) resumed(name string, t time.Time) {
	job := w.job(name)
	at := metav1.NewTime(t)
	job.Status.StartTime, job.Status.Active, job.Status.Conditions = &at, 1, nil
	Expect(api.Status().Update(w.ctx, job)).To(Succeed())
}

// started brings a job that may not wait to its running Job: planned, created, started, running
// since t.
func (w *world) started(j *build.Job, t time.Time) {
	name := j.Obj().Name
	w.create(j.MaxDelay(0))
	w.plan(name)
	w.clock.SetTime(t)
	w.startDue(name)
	w.running(name, t)
	w.plan(name)
	Expect(readyOf(w.get(name))).To(Equal("Running"))
}

func (w *world) gone(object client.Object, name string) {
	err := api.Get(w.ctx, w.key(name), object)
	Expect(apierrors.IsNotFound(err)).To(BeTrue(), "%T %s should be gone: %v", object, name, err)
}

// warnings are the events so far that are warnings.
func (w *world) warnings() []string {
	var lines []string
	for _, line := range w.events() {
		if strings.HasPrefix(line, "Warning") {
			lines = append(lines, line)
		}
	}
	return lines
}

func conditionMessage(conditions []metav1.Condition, conditionType string) string {
	for _, c := range conditions {
		if c.Type == conditionType {
			return c.Message
		}
	}
	return ""
}

type jobStatus = batchv1.JobStatus

// editJobStatus plays the Job controller that counts pods.
func (w *world) editJobStatus(name string, change func(*jobStatus)) {
	job := w.job(name)
	change(&job.Status)
	Expect(api.Status().Update(w.ctx, job)).To(Succeed())
}

// inParallel asks for so many pods at once.
func inParallel(pods int32) func(*batchv1.JobTemplateSpec) {
	return func(template *batchv1.JobTemplateSpec) {
		template.Spec.Parallelism, template.Spec.Completions = &pods, &pods
	}
}

// pause holds a running job by hand at t, unpause lets it go on.
func (w *world) pause(name string, t time.Time) {
	w.clock.SetTime(t)
	Expect(w.edit(name, func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.Suspend = new(true) })).To(Succeed())
	w.plan(name)
	w.paused(name, t)
	w.plan(name)
}

func (w *world) unpause(name string, t time.Time) {
	w.clock.SetTime(t)
	Expect(w.edit(name, func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.Suspend = new(false) })).To(Succeed())
	w.plan(name)
	w.resumed(name, t)
	w.plan(name)
}
