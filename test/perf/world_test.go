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
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/plane"
)

// install applies the CRDs and makes the operator's namespace.
func (b *bench) install() {
	b.t.Helper()
	kubeconfig := filepath.Join(b.t.TempDir(), "kubeconfig")
	check(b.t, plane.WriteKubeconfig(kubeconfig, b.plane.Config(0), ""))
	for _, args := range [][]string{
		{"apply", "-k", filepath.Join("..", "..", "config", "default")},
		{"wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"},
	} {
		kubectl := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl")
		output, err := exec.CommandContext(b.ctx, kubectl, append(args, "--kubeconfig="+kubeconfig)...).CombinedOutput()
		if err != nil {
			b.t.Fatalf("kubectl %v: %v: %s", args, err, output)
		}
	}
}

func (b *bench) namespace(name string) string {
	b.t.Helper()
	check(b.t, b.api.Create(b.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	return name
}

// region makes a region whose table begins at the given time; see greenest.
func (b *bench) region(name string, from time.Time, slot time.Duration, grams ...int) {
	b.t.Helper()
	check(b.t, b.api.Create(b.ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: operatorNamespace}, Data: map[string]string{"trace.csv": trace(from, slot, grams...)},
	}))
	check(b.t, b.api.Create(b.ctx, &carbonv1alpha1.GridRegion{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: carbonv1alpha1.GridRegionSpec{Source: carbonv1alpha1.IntensitySource{Trace: &carbonv1alpha1.TraceSource{
			ConfigMapRef: carbonv1alpha1.ConfigMapKeyReference{Name: name, Key: "trace.csv"},
		}}},
	}))
}

func (b *bench) news(name string, from time.Time, slot time.Duration, grams ...int) {
	b.t.Helper()
	check(b.t, b.api.Update(b.ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: operatorNamespace}, Data: map[string]string{"trace.csv": trace(from, slot, grams...)},
	}))
}

func trace(from time.Time, slot time.Duration, grams ...int) string {
	var csv strings.Builder
	csv.WriteString("from,to,intensity_forecast,intensity_actual\n")
	from = from.UTC().Truncate(time.Second)
	for _, g := range grams {
		fmt.Fprintf(&csv, "%s,%s,%d,%d\n", from.Format(time.RFC3339), from.Add(slot).Format(time.RFC3339), g, g)
		from = from.Add(slot)
	}
	return csv.String()
}

// greenest is n slots of 300 g/kWh, but for one.
func greenest(n, which int) []int {
	grams := make([]int, n)
	for i := range grams {
		grams[i] = 300
	}
	grams[which] = 100
	return grams
}

// create creates n jobs, job-0 and so on.
func (b *bench) create(ns string, n int, change func(i int, j *build.Job) *build.Job) {
	b.t.Helper()
	b.createFrom(0, ns, n, change)
}

// createFrom creates those of n jobs that there are not yet.
func (b *bench) createFrom(from int, ns string, n int, change func(i int, j *build.Job) *build.Job) {
	b.t.Helper()
	b.each(n-from, startWorkers, func(i int) error {
		return b.api.Create(b.ctx, change(from+i, build.CarbonAwareJob(key(ns, from+i).Name, ns).KWh("1")).Obj())
	})
}

// each does something n times with so many workers, and returns how long it took.
func (b *bench) each(n, workers int, do func(i int) error) time.Duration {
	b.t.Helper()
	begin := time.Now()
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(i); err != nil {
					b.t.Errorf("number %d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
	if b.t.Failed() {
		b.t.FailNow()
	}
	return time.Since(begin)
}

// suspendedJob is what the operator makes of the jobs of this harness.
func suspendedJob(name, ns string) *batchv1.Job {
	template := build.CarbonAwareJob(name, ns).Obj().Spec.JobTemplate
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: ns}, Spec: template.Spec}
	job.Spec.Suspend = new(true)
	return job
}

func key(ns string, i int) types.NamespacedName {
	return types.NamespacedName{Namespace: ns, Name: fmt.Sprintf("job-%d", i)}
}
