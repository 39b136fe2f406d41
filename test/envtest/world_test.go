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
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	testclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/controller"
)

// world is one namespace with its own reconcilers and clock. Reads go to the API server, so no
// cache can lag; what they tell is trimmed as in the operator's cache. Every write is counted.
type world struct {
	ctx       context.Context
	namespace string
	clock     *testclock.FakePassiveClock
	start     time.Time
	writes    []string
	mu        sync.Mutex // guards writes
	death     death
	recorder  *events.FakeRecorder
	sources   *http.Client
	regions   *controller.GridRegionReconciler
	planner   *controller.CarbonAwareJobReconciler
	starter   *controller.Starter
	models    *controller.ModelTable
	budgets   *controller.CarbonBudgetReconciler
}

var worlds int

// meterImage is the image of the metering sidecar.
const meterImage = "example.org/meter:1"

func newWorld(ctx context.Context) *world {
	worlds++
	w := &world{ctx: ctx, namespace: fmt.Sprintf("world-%d", worlds)}
	Expect(api.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}})).To(Succeed())
	w.start = time.Now().Truncate(time.Second)
	w.restart()
	return w
}

// restart puts new reconcilers in the place of the old ones, as a new process would.
func (w *world) restart() {
	if w.clock == nil {
		w.clock = testclock.NewFakePassiveClock(w.start)
	}
	counting := w.counting()
	w.recorder = events.NewFakeRecorder(1000)
	w.regions = controller.NewGridRegionReconciler(counting, api, w.recorder, w.clock, w.namespace, w.sources)
	w.models = &controller.ModelTable{Reader: counting, ConfigMap: types.NamespacedName{Namespace: w.namespace, Name: "models"}}
	ledger := controller.NewLedger(api, counting, w.models)
	w.budgets = &controller.CarbonBudgetReconciler{Client: counting, Recorder: w.recorder, Clock: w.clock, Ledger: ledger}
	w.planner = &controller.CarbonAwareJobReconciler{Client: counting, APIReader: api, Recorder: w.recorder, Clock: w.clock, Models: w.models, Ledger: ledger, Budgets: w.budgets, MeterImage: meterImage}
	w.starter = &controller.Starter{Client: counting, Recorder: w.recorder, Clock: w.clock, Ledger: ledger}
}

func (w *world) counting() client.Client {
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	death := &w.death
	write := func(verb string, o client.Object, do func() error) error {
		w.mu.Lock()
		w.writes = append(w.writes, fmt.Sprintf("%s %T", verb, o))
		w.mu.Unlock()
		return death.around(do)
	}
	return interceptor.NewClient(c, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			return errors.Join(c.Get(ctx, key, o, opts...), trim(o))
		},
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			return errors.Join(c.List(ctx, list, opts...), meta.EachListItem(list, trim))
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			return write("create", o, func() error { return c.Create(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			return write("patch", o, func() error { return c.Patch(ctx, o, p, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			return write("delete", o, func() error { return c.Delete(ctx, o, opts...) })
		},
		Update: func(_ context.Context, _ client.WithWatch, o client.Object, _ ...client.UpdateOption) error {
			return fmt.Errorf("update of %T: only patches with a precondition are allowed", o)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			return write("patch "+sub+" of", o, func() error { return c.SubResource(sub).Patch(ctx, o, p, opts...) })
		},
	})
}

// trim leaves of an object what the operator's cache keeps of it.
func trim(object runtime.Object) error {
	_, err := controller.Trim(object)
	return err
}

// trace creates a ConfigMap with a half-hourly trace that begins at the last full half hour before
// the world's start, and a GridRegion that reads it, read once.
func (w *world) trace(name string, placement *carbonv1alpha1.RegionPlacement, grams ...int) string {
	name = w.regionName(name)
	Expect(api.Create(w.ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.namespace},
		Data:       map[string]string{"trace.csv": w.csv(grams...)},
	})).To(Succeed())
	w.region(name, carbonv1alpha1.IntensitySource{Trace: &carbonv1alpha1.TraceSource{
		ConfigMapRef: carbonv1alpha1.ConfigMapKeyReference{Name: name, Key: "trace.csv"},
	}}, placement)
	return name
}

// regionName makes the name of a cluster-scoped region the world's own.
func (w *world) regionName(name string) string { return name + "-" + w.namespace }

func (w *world) csv(grams ...int) string {
	var csv strings.Builder
	csv.WriteString("from,to,intensity_forecast,intensity_actual\n")
	from := w.slot(0)
	for _, g := range grams {
		to := from.Add(30 * time.Minute)
		fmt.Fprintf(&csv, "%s,%s,%d,%d\n", from.Format(time.RFC3339), to.Format(time.RFC3339), g, g)
		from = to
	}
	return csv.String()
}

// slot is the start of the i-th half hour; the world's start lies in slot 0.
func (w *world) slot(i int) time.Time {
	return w.start.UTC().Truncate(30 * time.Minute).Add(time.Duration(i) * 30 * time.Minute)
}

func (w *world) region(name string, source carbonv1alpha1.IntensitySource, placement *carbonv1alpha1.RegionPlacement) {
	region := &carbonv1alpha1.GridRegion{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       carbonv1alpha1.GridRegionSpec{Source: source, Placement: placement},
	}
	Expect(api.Create(w.ctx, region)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(api.Delete(ctx, region))).To(Succeed()) })
	w.readRegion(name)
}

func (w *world) readRegion(name string) ctrl.Result {
	result, err := w.regions.Reconcile(w.ctx, ctrl.Request{NamespacedName: types.NamespacedName{Name: name}})
	Expect(err).NotTo(HaveOccurred())
	return result
}

func (w *world) getRegion(name string) *carbonv1alpha1.GridRegion {
	region := &carbonv1alpha1.GridRegion{}
	Expect(api.Get(w.ctx, types.NamespacedName{Name: name}, region)).To(Succeed())
	return region
}

// at moves the clock and reads the regions again.
func (w *world) at(t time.Time, regions ...string) {
	w.clock.SetTime(t)
	for _, name := range regions {
		w.readRegion(name)
	}
}

func (w *world) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: w.namespace, Name: name}
}

// plan runs one pass of the planner, start one of the starter.
func (w *world) plan(name string) ctrl.Result {
	result, err := w.planner.Reconcile(w.ctx, ctrl.Request{NamespacedName: w.key(name)})
	Expect(err).NotTo(HaveOccurred())
	return result
}

func (w *world) startDue(name string) ctrl.Result {
	result, err := w.starter.Reconcile(w.ctx, ctrl.Request{NamespacedName: w.key(name)})
	Expect(err).NotTo(HaveOccurred())
	return result
}

func (w *world) get(name string) *carbonv1alpha1.CarbonAwareJob {
	caj := &carbonv1alpha1.CarbonAwareJob{}
	Expect(api.Get(w.ctx, w.key(name), caj)).To(Succeed())
	return caj
}

func (w *world) job(name string) *batchv1.Job {
	job := &batchv1.Job{}
	Expect(api.Get(w.ctx, w.key(name), job)).To(Succeed())
	return job
}

func (w *world) noJob(name string) {
	err := api.Get(w.ctx, w.key(name), &batchv1.Job{})
	Expect(apierrors.IsNotFound(err)).To(BeTrue(), "there should be no Job %s: %v", name, err)
}

// running plays the Job controller that starts the pods of an unsuspended Job at t.
func (w *world) running(name string, t time.Time) {
	job := w.job(name)
	Expect(job.Spec.Suspend).To(HaveValue(BeFalse()), "only an unsuspended Job runs")
	start := metav1.NewTime(t)
	job.Status.StartTime, job.Status.Active = &start, 1
	Expect(api.Status().Update(w.ctx, job)).To(Succeed())
}

// completed plays the Job controller that sees the last pod succeed at t, failed the one that gives up.
func (w *world) completed(name string, t time.Time) {
	job := w.job(name)
	end := metav1.NewTime(t)
	job.Status.Active, job.Status.Succeeded, job.Status.CompletionTime = 0, max(1, job.Status.Succeeded), &end
	for _, c := range []batchv1.JobConditionType{batchv1.JobSuccessCriteriaMet, batchv1.JobComplete} {
		job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{
			Type: c, Status: corev1.ConditionTrue, LastTransitionTime: end, LastProbeTime: end, Reason: "CompletionsReached",
		})
	}
	Expect(api.Status().Update(w.ctx, job)).To(Succeed())
}

func (w *world) failed(name string, t time.Time) {
	job := w.job(name)
	end := metav1.NewTime(t)
	job.Status.Active, job.Status.Failed = 0, max(1, job.Status.Failed)
	for _, c := range []batchv1.JobConditionType{batchv1.JobFailureTarget, batchv1.JobFailed} {
		job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{
			Type: c, Status: corev1.ConditionTrue, LastTransitionTime: end, LastProbeTime: end,
			Reason: "BackoffLimitExceeded", Message: "Job has reached the specified backoff limit",
		})
	}
	Expect(api.Status().Update(w.ctx, job)).To(Succeed())
}

// events drains what was recorded so far: one line each, kind, reason and note.
func (w *world) events() []string {
	var lines []string
	for {
		select {
		case line := <-w.recorder.Events:
			lines = append(lines, line)
		default:
			return lines
		}
	}
}

func reasonOf(caj *carbonv1alpha1.CarbonAwareJob, conditionType string) string {
	if c := meta.FindStatusCondition(caj.Status.Conditions, conditionType); c != nil {
		return string(c.Status) + "/" + c.Reason
	}
	return ""
}

func readyOf(caj *carbonv1alpha1.CarbonAwareJob) string {
	if c := meta.FindStatusCondition(caj.Status.Conditions, carbonv1alpha1.ConditionReady); c != nil {
		return c.Reason
	}
	return ""
}
