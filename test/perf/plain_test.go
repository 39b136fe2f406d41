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
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	crcache "sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/plane"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/process"
)

const (
	// plainKubeconfig and plainNamespace are the variables by which this binary is told to be the plain controller.
	plainKubeconfig = "PERF_PLAIN_KUBECONFIG"
	plainNamespace  = "PERF_PLAIN_NAMESPACE"
	plainFinalizer  = "example.org/plain"
)

// startPlain starts the plain controller of a namespace, in a process of its own, so that its processor time can be told.
func (b *bench) startPlain(ns string) *manager {
	b.t.Helper()
	kubeconfig := filepath.Join(b.t.TempDir(), "kubeconfig")
	check(b.t, plane.WriteKubeconfig(kubeconfig, b.plane.Config(0), ""))
	self, err := os.Executable()
	check(b.t, err)
	p, err := process.Start(self, append(os.Environ(), plainKubeconfig+"="+kubeconfig, plainNamespace+"="+ns), "-test.run=^TestPlainController$", "-test.timeout=0")
	check(b.t, err)
	b.t.Cleanup(p.Kill)
	return &manager{p, b}
}

// TestPlainController is the floor of a life: a controller made with the same library that makes the operator's
// writes for each job of its namespace, about as large as the operator's, and decides, counts and tells nothing.
func TestPlainController(t *testing.T) {
	kubeconfig := os.Getenv(plainKubeconfig)
	if kubeconfig == "" {
		t.Skip("SKIPPED: this is a process that `make perf` starts")
	}
	ctrl.SetLogger(logr.Discard())
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	check(t, err)
	config.QPS = -1
	scheme := runtime.NewScheme()
	check(t, clientgoscheme.AddToScheme(scheme))
	check(t, carbonv1alpha1.AddToScheme(scheme))
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme, Metrics: server.Options{BindAddress: "0"},
		Cache: crcache.Options{
			DefaultTransform:  crcache.TransformStripManagedFields(),
			DefaultNamespaces: map[string]crcache.Config{os.Getenv(plainNamespace): {}},
		},
	})
	check(t, err)
	check(t, ctrl.NewControllerManagedBy(mgr).For(&carbonv1alpha1.CarbonAwareJob{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).Owns(&batchv1.Job{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: startWorkers}).Complete(&plainController{mgr.GetClient()}))
	check(t, mgr.Start(t.Context()))
}

// plainController takes the next step of a life.
type plainController struct{ client.Client }

func (r *plainController) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	caj := &carbonv1alpha1.CarbonAwareJob{}
	if err := r.Get(ctx, req.NamespacedName, caj); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if len(caj.Finalizers) == 0 {
		return ctrl.Result{}, r.begin(ctx, caj)
	}
	job := &batchv1.Job{}
	if err := r.Get(ctx, req.NamespacedName, job); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	started := meta.IsStatusConditionTrue(caj.Status.Conditions, carbonv1alpha1.ConditionStarted)
	recorded := meta.IsStatusConditionTrue(caj.Status.Conditions, carbonv1alpha1.ConditionEmissionsRecorded)
	switch {
	case job.Status.CompletionTime != nil && !recorded:
		return ctrl.Result{}, r.end(ctx, caj, job)
	case job.Status.StartTime != nil && !started && !recorded:
		return ctrl.Result{}, r.status(ctx, caj, "runs", carbonv1alpha1.ConditionReady, carbonv1alpha1.ConditionStarted)
	}
	return ctrl.Result{}, nil
}

// begin makes the first four writes: a finalizer, a suspended Job, a plan in status, and the start.
func (r *plainController) begin(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob) error {
	if err := r.Patch(ctx, caj, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":["`+plainFinalizer+`"]}}`))); err != nil {
		return err
	}
	job := suspendedJob(caj.Name, caj.Namespace)
	job.Finalizers = []string{plainFinalizer}
	job.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(caj, carbonv1alpha1.GroupVersion.WithKind("CarbonAwareJob"))}
	if err := r.Create(ctx, job); err != nil {
		return err
	}
	if err := r.status(ctx, caj, "waits 1h0m0s for 100 g/kWh in x, 66 % below now", carbonv1alpha1.ConditionReady, carbonv1alpha1.ConditionPlanned, carbonv1alpha1.ConditionEnergyKnown); err != nil {
		return err
	}
	return r.Patch(ctx, job, client.RawPatch(types.MergePatchType, fmt.Appendf(nil,
		`{"metadata":{"annotations":{%q:"{}"}},"spec":{"suspend":false}}`, carbonv1alpha1.AnnotationStart)))
}

// end makes the last two writes: the record, and the Job let go.
func (r *plainController) end(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob, job *batchv1.Job) error {
	caj.Status.Emissions = plainEmissions()
	if err := r.status(ctx, caj, "the Job completed", carbonv1alpha1.ConditionReady, carbonv1alpha1.ConditionComplete, carbonv1alpha1.ConditionEmissionsRecorded); err != nil {
		return err
	}
	return r.Patch(ctx, job, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))
}

// status sets the conditions, and the plan if there is none, with one write.
func (r *plainController) status(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob, message string, conditions ...string) error {
	before := caj.DeepCopy()
	if caj.Status.Plan == nil {
		caj.Status.Plan = plainPlan("x", metav1.Now())
		caj.Status.Job = &carbonv1alpha1.JobStatus{Name: caj.Name, UID: caj.UID}
	}
	for _, c := range conditions {
		meta.SetStatusCondition(&caj.Status.Conditions, metav1.Condition{Type: c, Status: metav1.ConditionTrue, Reason: "Plain", Message: message})
	}
	return r.Status().Patch(ctx, caj, client.MergeFrom(before))
}

// plainPlan is a plan about as large as the operator's.
func plainPlan(region string, start metav1.Time) *carbonv1alpha1.PlanStatus {
	return &carbonv1alpha1.PlanStatus{
		Region: region, Start: start, LatestStart: start, WindowStart: new(start), WindowEnd: new(start),
		GramsPerKWh: "100", BaselineGramsPerKWh: "300", Signal: carbonv1alpha1.SignalAverage, Quality: carbonv1alpha1.QualityForecast,
		Reason: "GreenestWindow", Message: "waits 1h0m0s for 100 g/kWh in x, 66 % below now", DecidedAt: metav1.Now(),
		Candidates: []carbonv1alpha1.CandidateStatus{{Region: region, Start: new(start), GramsPerKWh: "100", Quality: carbonv1alpha1.QualityForecast}},
	}
}

// plainEmissions is a record about as large as the operator's.
func plainEmissions() *carbonv1alpha1.EmissionsStatus {
	return &carbonv1alpha1.EmissionsStatus{
		EnergyKWh: "1", Attempts: "1", BaselineGrams: "300", ActualGrams: "100", AvoidedGrams: "200",
		AvoidedBy: carbonv1alpha1.AvoidedBy{Time: "200", Region: "0", Model: "0"},
		Intensity: carbonv1alpha1.EmissionsIntensity{HomeAtSubmission: "300", HomeAtRun: "100", ChosenAtRun: "100", Signal: carbonv1alpha1.SignalAverage},
		Method:    "Declared", Quality: carbonv1alpha1.QualityForecast,
	}
}

// floorReplan is a plain client that writes another plan into the status of every waiting job.
func (b *bench) floorReplan(ns string, n int) time.Duration {
	b.t.Helper()
	start := metav1.NewTime(time.Now().Add(hour))
	all := &carbonv1alpha1.CarbonAwareJobList{}
	check(b.t, b.api.List(b.ctx, all, client.InNamespace(ns)))
	return b.each(n, planWorkers, func(i int) error {
		caj := &all.Items[i]
		before := caj.DeepCopy()
		caj.Status.Plan = plainPlan("wait", start)
		for k := range caj.Status.Conditions {
			caj.Status.Conditions[k].Message = caj.Status.Plan.Message
		}
		return b.api.Status().Patch(b.ctx, caj, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	})
}
