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

package faults

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/audit"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/faults"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/plane"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/process"
)

// calm is since when nothing but the job itself may keep the operator from a start: since a manager was started,
// or a spec ended a fault that had lasted.
var calm time.Time

// startManager starts the real manager with the rights of its service account against the i-th API
// server. It is killed at the end of the spec.
func startManager(i int, args ...string) *process.Process {
	GinkgoHelper()
	config := kubernetes.Config(i)
	return startManagerAt(config, operatorUser, args...)
}

// startManagerBehind starts the manager behind a proxy.
func startManagerBehind(p *faults.Proxy, args ...string) *process.Process {
	GinkgoHelper()
	return startManagerAt(&rest.Config{Host: p.URL()}, "", args...)
}

func startManagerAt(config *rest.Config, as string, args ...string) *process.Process {
	GinkgoHelper()
	kubeconfig := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(plane.WriteKubeconfig(kubeconfig, config, as)).To(Succeed())
	m, err := process.Start(managerBin, nil, append([]string{
		"--kubeconfig=" + kubeconfig, "--namespace=" + operatorNamespace,
		"--metrics-bind-address=0", "--health-probe-bind-address=0",
	}, args...)...)
	Expect(err).NotTo(HaveOccurred())
	calm = time.Now()
	DeferCleanup(func() {
		m.Kill()
		if CurrentSpecReport().Failed() {
			AddReportEntry("the manager's log", m.Log())
		}
	})
	return m
}

// newProxy stands between a manager and the first API server, with the operator's rights.
func newProxy(namespace string) *faults.Proxy {
	GinkgoHelper()
	return newProxyThat(faults.OfLife(namespace))
}

// newProxyThat is one that remembers the requests that counts selects.
func newProxyThat(counts func(*http.Request) bool) *faults.Proxy {
	GinkgoHelper()
	config := kubernetes.Config(0)
	config.Impersonate = rest.ImpersonationConfig{UserName: operatorUser}
	p, err := faults.NewProxy(config, counts)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(p.Stop)
	return p
}

// namespace makes a namespace for one spec. At the end of the spec the promises are checked with the
// audit log, and the namespace is removed.
func namespace(ctx context.Context) string {
	GinkgoHelper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "faults-"}}
	Expect(api.Create(ctx, ns)).To(Succeed())
	DeferCleanup(func(ctx context.Context) {
		Eventually(func() []string { return audit.Broken(livesUntilNow(ctx, ns.Name)) }).Should(BeEmpty(), "a write is in the log a moment after it can be read")
		Expect(audit.Late(livesUntilNow(ctx, ns.Name), calm)).To(BeEmpty())
		Expect(client.IgnoreNotFound(api.Delete(ctx, ns))).To(Succeed())
	})
	return ns.Name
}

// lives are the lives of a namespace as the audit log tells them.
func lives(namespace string) map[types.UID]*audit.Life {
	GinkgoHelper()
	return audit.Lives(written(namespace))
}

// livesUntilNow are the same, with what the jobs are now at their ends.
func livesUntilNow(ctx context.Context, namespace string) map[types.UID]*audit.Life {
	GinkgoHelper()
	return audit.Lives(append(written(namespace), present(ctx, namespace)...))
}

// present is what the jobs of a namespace are now, to go behind what was written.
func present(ctx context.Context, namespace string) (seen []audit.Event) {
	GinkgoHelper()
	var jobs carbonv1alpha1.CarbonAwareJobList
	Expect(api.List(ctx, &jobs, client.InNamespace(namespace))).To(Succeed())
	for i := range jobs.Items {
		seen = append(seen, audit.Seen(&jobs.Items[i], time.Now()))
	}
	return seen
}

// written are the writes in a namespace, by anyone.
func written(namespace string) []audit.Event {
	GinkgoHelper()
	events, err := audit.Read(namespace, kubernetes.AuditLogs()...)
	Expect(err).NotTo(HaveOccurred())
	return events
}

// started are those of a namespace that were started.
func started(namespace string) int {
	GinkgoHelper()
	n := 0
	for _, life := range lives(namespace) {
		if len(life.Starts) > 0 {
			n++
		}
	}
	return n
}

// region makes a GridRegion with a trace of slots of the given length, the first of which begins now;
// its actual values are known, so that records are final at once.
func region(ctx context.Context, slot time.Duration, grams ...int) string {
	GinkgoHelper()
	table := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "region-", Namespace: operatorNamespace},
		Data:       map[string]string{"trace.csv": traceTable(time.Now().UTC().Truncate(time.Second), slot, grams...)},
	}
	Expect(api.Create(ctx, table)).To(Succeed())
	region := &carbonv1alpha1.GridRegion{
		ObjectMeta: metav1.ObjectMeta{Name: table.Name},
		Spec: carbonv1alpha1.GridRegionSpec{Source: carbonv1alpha1.IntensitySource{Trace: &carbonv1alpha1.TraceSource{
			ConfigMapRef: carbonv1alpha1.ConfigMapKeyReference{Name: table.Name, Key: "trace.csv"},
		}}},
	}
	Expect(api.Create(ctx, region)).To(Succeed())
	DeferCleanup(func(ctx context.Context) {
		Expect(client.IgnoreNotFound(api.Delete(ctx, region))).To(Succeed())
		Expect(client.IgnoreNotFound(api.Delete(ctx, table))).To(Succeed())
	})
	return region.Name
}

// traceTable is a table of slots of the given length from a time on, forecast and actual values alike.
func traceTable(from time.Time, slot time.Duration, grams ...int) string {
	var csv strings.Builder
	csv.WriteString("from,to,intensity_forecast,intensity_actual\n")
	for _, g := range grams {
		fmt.Fprintf(&csv, "%s,%s,%d,%d\n", from.Format(time.RFC3339), from.Add(slot).Format(time.RFC3339), g, g)
		from = from.Add(slot)
	}
	return csv.String()
}

// steady is a region that never changes; dip one in which all jobs want to start in its second slot.
func steady(ctx context.Context) string { return region(ctx, time.Hour, 200, 200, 200) }

func dip(ctx context.Context, slot time.Duration) string {
	return region(ctx, slot, append([]int{300, 100}, slices.Repeat([]int{400}, 40)...)...)
}

// waiting is a job for a dip of the given slot length.
func waiting(name, namespace, region string, slot time.Duration) *build.Job {
	return build.CarbonAwareJob(name, namespace).Regions(region).MaxDelay(10 * slot).Duration(slot).Jitter(0).KWh("1")
}

func create(ctx context.Context, j *build.Job) types.NamespacedName {
	GinkgoHelper()
	object := j.Obj()
	Expect(api.Create(ctx, object)).To(Succeed())
	return client.ObjectKeyFromObject(object)
}

func running(j *build.Job, d time.Duration) *build.Job {
	return j.Template(func(t *batchv1.JobTemplateSpec) {
		t.Spec.Template.Annotations = map[string]string{runFor: d.String()}
	})
}

func get(ctx context.Context, key types.NamespacedName) *carbonv1alpha1.CarbonAwareJob {
	GinkgoHelper()
	caj := &carbonv1alpha1.CarbonAwareJob{}
	Expect(api.Get(ctx, key, caj)).To(Succeed())
	return caj
}

func job(ctx context.Context, key types.NamespacedName) *batchv1.Job {
	GinkgoHelper()
	j := &batchv1.Job{}
	Expect(api.Get(ctx, key, j)).To(Succeed())
	return j
}

// eventually waits until the STATUS column of the job shows the word, and the record is final if it
// has finished.
func eventually(ctx context.Context, key types.NamespacedName, want string) *carbonv1alpha1.CarbonAwareJob {
	GinkgoHelper()
	var caj *carbonv1alpha1.CarbonAwareJob
	Eventually(func(g Gomega) {
		caj = &carbonv1alpha1.CarbonAwareJob{}
		g.Expect(api.Get(ctx, key, caj)).To(Succeed())
		ready := meta.FindStatusCondition(caj.Status.Conditions, carbonv1alpha1.ConditionReady)
		g.Expect(ready).NotTo(BeNil())
		g.Expect(ready.Reason).To(Equal(want), "message: %s", ready.Message)
		if want == carbonv1alpha1.ReasonCompleted {
			g.Expect(meta.IsStatusConditionTrue(caj.Status.Conditions, carbonv1alpha1.ConditionEmissionsRecorded)).To(BeTrue())
		}
	}).Should(Succeed())
	return caj
}

// eventuallyAll waits until so many jobs of the namespace show the word.
func eventuallyAll(ctx context.Context, namespace string, n int, want string) []carbonv1alpha1.CarbonAwareJob {
	GinkgoHelper()
	var jobs carbonv1alpha1.CarbonAwareJobList
	Eventually(func(g Gomega) {
		g.Expect(api.List(ctx, &jobs, client.InNamespace(namespace))).To(Succeed())
		words := map[string]int{}
		for _, j := range jobs.Items {
			if ready := meta.FindStatusCondition(j.Status.Conditions, carbonv1alpha1.ConditionReady); ready != nil {
				words[ready.Reason]++
			}
		}
		g.Expect(words).To(HaveKeyWithValue(want, n))
	}).Should(Succeed())
	return jobs.Items
}

// storm makes n jobs that all want to start in the second slot.
func storm(ctx context.Context, namespace string, n int, slot time.Duration) {
	GinkgoHelper()
	name := dip(ctx, slot)
	for i := range n {
		create(ctx, waiting(fmt.Sprintf("storm-%d", i), namespace, name, slot))
	}
}
