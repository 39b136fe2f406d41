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

package e2e

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// namespace makes a namespace for one spec, removed at its end.
func namespace(ctx context.Context) string {
	GinkgoHelper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-"}}
	Expect(cluster.Create(ctx, ns)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(cluster.Delete(ctx, ns))).To(Succeed()) })
	return ns.Name
}

// trace makes a GridRegion with a trace of slots of the given length, the first of which begins now.
func trace(ctx context.Context, name string, slot time.Duration, placement *carbonv1alpha1.RegionPlacement, grams ...int) {
	GinkgoHelper()
	var csv strings.Builder
	csv.WriteString("from,to,intensity_forecast,intensity_actual\n")
	from := time.Now().UTC().Truncate(time.Second)
	for _, g := range grams {
		to := from.Add(slot)
		fmt.Fprintf(&csv, "%s,%s,%d,%d\n", from.Format(time.RFC3339), to.Format(time.RFC3339), g, g)
		from = to
	}
	traceFrom(ctx, name, csv.String(), nil, placement)
}

// traceFrom makes a GridRegion with the given table.
func traceFrom(ctx context.Context, name, csv string, replay *carbonv1alpha1.TraceReplay, placement *carbonv1alpha1.RegionPlacement) {
	GinkgoHelper()
	table := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: operatorNamespace}, Data: map[string]string{"trace.csv": csv}}
	Expect(cluster.Create(ctx, table)).To(Succeed())
	region := &carbonv1alpha1.GridRegion{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: carbonv1alpha1.GridRegionSpec{Placement: placement, Source: carbonv1alpha1.IntensitySource{
			Trace: &carbonv1alpha1.TraceSource{ConfigMapRef: carbonv1alpha1.ConfigMapKeyReference{Name: name, Key: "trace.csv"}, Replay: replay},
		}},
	}
	Expect(cluster.Create(ctx, region)).To(Succeed())
	DeferCleanup(func(ctx context.Context) {
		Expect(client.IgnoreNotFound(cluster.Delete(ctx, region))).To(Succeed())
		Expect(client.IgnoreNotFound(cluster.Delete(ctx, table))).To(Succeed())
	})
}

func nodesOf(region string) *carbonv1alpha1.RegionPlacement {
	return &carbonv1alpha1.RegionPlacement{
		NodeSelector: map[string]string{corev1.LabelTopologyRegion: region},
		Env:          []carbonv1alpha1.RegionEnvVar{{Name: "AWS_REGION", Value: "aws-" + region}},
	}
}

// runnable makes the job's pods run for some seconds and print their variables, on simulated as on
// real nodes.
func runnable(j *build.Job, runFor time.Duration) *build.Job {
	return j.Template(func(t *batchv1.JobTemplateSpec) {
		pod := &t.Spec.Template
		if pod.Annotations == nil {
			pod.Annotations = map[string]string{}
		}
		pod.Annotations["controlplane/run-for"] = runFor.String()
		c := &pod.Spec.Containers[0]
		c.Image, c.ImagePullPolicy = "ecotracker.dev/print-env:dev", corev1.PullNever
		c.Env = append(c.Env,
			corev1.EnvVar{Name: "PRINT_ENV", Value: "OPENAI_MODEL,AWS_REGION"},
			corev1.EnvVar{Name: "SLEEP", Value: runFor.String()},
			corev1.EnvVar{Name: "NODE_NAME", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "spec.nodeName"}}})
		var grace int64
		pod.Spec.TerminationGracePeriodSeconds = &grace
	})
}

func get(ctx context.Context, key types.NamespacedName) *carbonv1alpha1.CarbonAwareJob {
	GinkgoHelper()
	caj := &carbonv1alpha1.CarbonAwareJob{}
	Expect(cluster.Get(ctx, key, caj)).To(Succeed())
	return caj
}

// eventuallyStatus waits until the STATUS column shows the word.
func eventuallyStatus(ctx context.Context, key types.NamespacedName, want string) *carbonv1alpha1.CarbonAwareJob {
	GinkgoHelper()
	var caj *carbonv1alpha1.CarbonAwareJob
	Eventually(func(g Gomega) {
		caj = &carbonv1alpha1.CarbonAwareJob{}
		g.Expect(cluster.Get(ctx, key, caj)).To(Succeed())
		ready := meta.FindStatusCondition(caj.Status.Conditions, carbonv1alpha1.ConditionReady)
		g.Expect(ready).NotTo(BeNil())
		g.Expect(ready.Reason).To(Equal(want), "message: %s", ready.Message)
	}).Should(Succeed())
	return caj
}

// eventuallyPlanned waits until the job has a plan and its suspended Job.
func eventuallyPlanned(ctx context.Context, key types.NamespacedName) *carbonv1alpha1.CarbonAwareJob {
	GinkgoHelper()
	var caj *carbonv1alpha1.CarbonAwareJob
	Eventually(func(g Gomega) {
		caj = get(ctx, key)
		g.Expect(caj.Status.Plan).NotTo(BeNil())
		g.Expect(caj.Status.Job).NotTo(BeNil())
	}).Should(Succeed())
	return caj
}

// eventuallyFinal waits until the emissions are final.
func eventuallyFinal(ctx context.Context, key types.NamespacedName) *carbonv1alpha1.CarbonAwareJob {
	GinkgoHelper()
	var caj *carbonv1alpha1.CarbonAwareJob
	Eventually(func(g Gomega) {
		caj = &carbonv1alpha1.CarbonAwareJob{}
		g.Expect(cluster.Get(ctx, key, caj)).To(Succeed())
		g.Expect(meta.IsStatusConditionTrue(caj.Status.Conditions, carbonv1alpha1.ConditionEmissionsRecorded)).To(BeTrue())
	}).Should(Succeed())
	return caj
}

func job(ctx context.Context, key types.NamespacedName) *batchv1.Job {
	GinkgoHelper()
	j := &batchv1.Job{}
	Expect(cluster.Get(ctx, key, j)).To(Succeed())
	return j
}
