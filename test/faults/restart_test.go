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
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/faults"
)

// byOperator counts the writes of the operator to jobs of a namespace other than the marker.
func byOperator(ns string) int {
	GinkgoHelper()
	n := 0
	for _, e := range written(ns) {
		if e.User == operatorUser && e.Name != "marker" && e.Resource != "events" {
			n++
		}
	}
	return n
}

// slowStarts are the statuses that tell of a start that the Job controller has not stamped yet: on a machine that is slow
// with everything this takes it seconds, and is told by a write of its own.
func slowStarts(ns string) int {
	GinkgoHelper()
	n := 0
	for _, e := range written(ns) {
		if e.User != operatorUser || e.CarbonAwareJob == nil || e.Subresource != "status" {
			continue
		}
		conditions := e.CarbonAwareJob.Status.Conditions
		ready := meta.FindStatusCondition(conditions, carbonv1alpha1.ConditionReady)
		if ready != nil && ready.Reason == carbonv1alpha1.ReasonStarting && meta.IsStatusConditionTrue(conditions, carbonv1alpha1.ConditionStarted) {
			n++
		}
	}
	return n
}

// released are the Jobs of a namespace without our finalizer.
func released(ctx context.Context, ns string) []string {
	GinkgoHelper()
	var jobs batchv1.JobList
	Expect(api.List(ctx, &jobs, client.InNamespace(ns))).To(Succeed())
	var names []string
	for _, j := range jobs.Items {
		if !slices.Contains(j.Finalizers, carbonv1alpha1.FinalizerJob) {
			names = append(names, j.Name)
		}
	}
	return names
}

// untyped is an object of a kind as the API server has it, unknown fields included.
func untyped(kind, apiVersion string, key types.NamespacedName) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetKind(kind)
	object.SetAPIVersion(apiVersion)
	object.SetNamespace(key.Namespace)
	object.SetName(key.Name)
	return object
}

var _ = Describe("F15: a manager that starts anew", func() {
	It("writes nothing for jobs that wait or have finished", func(ctx context.Context) {
		ns := namespace(ctx)
		m := startManager(0)
		region, later := steady(ctx), dip(ctx, time.Hour)
		const n = 50
		for i := range n {
			create(ctx, build.CarbonAwareJob(fmt.Sprintf("finished-%d", i), ns).Regions(region).MaxDelay(0).KWh("1"))
			create(ctx, waiting(fmt.Sprintf("waiting-%d", i), ns, later, time.Hour))
		}
		eventuallyAll(ctx, ns, n, "Completed")
		eventuallyAll(ctx, ns, n, "Waiting")
		Eventually(func() []string { return released(ctx, ns) }).Should(HaveLen(n), "their Jobs are let go")
		m.Kill()
		before := byOperator(ns)
		Expect(before).To(BeNumerically("<=", n*writesOfALife+3*n+slowStarts(ns)), "seven for a life, three for a plan with its Job")
		startManager(0)
		By("seeing a job that came last through its whole life")
		eventually(ctx, create(ctx, build.CarbonAwareJob("marker", ns).Regions(region).MaxDelay(0).KWh("1")), "Completed")
		Expect(byOperator(ns)).To(Equal(before))
		Expect(started(ns)).To(Equal(n + 1))
	})

	It("does not run again what somebody's edit of the status makes look unstarted", func(ctx context.Context) {
		ns := namespace(ctx)
		m := startManager(0)
		key := create(ctx, running(build.CarbonAwareJob("x", ns).Regions(steady(ctx)).MaxDelay(0).KWh("1"), 5*time.Second))
		eventually(ctx, key, "Running")
		m.Kill()
		caj := get(ctx, key)
		before := caj.DeepCopy()
		caj.Status = carbonv1alpha1.CarbonAwareJobStatus{}
		Expect(api.Status().Patch(ctx, caj, client.MergeFrom(before))).To(Succeed())
		startManager(0)
		eventually(ctx, key, "Completed")
		Expect(started(ns)).To(Equal(1))
	})

	It("leaves alone what a newer version of the API has added, in spec and status", func(ctx context.Context) {
		const crd = "carbonawarejobs.carbon.ecotracker.dev"
		change := func(ctx context.Context, op string) {
			GinkgoHelper()
			var steps []string
			for _, part := range []string{"spec", "status"} {
				steps = append(steps, fmt.Sprintf(`{"op":%q,"path":"/spec/versions/0/schema/openAPIV3Schema/properties/%s/properties/later","value":{"type":"string"}}`, op, part))
			}
			Expect(api.Patch(ctx, untyped("CustomResourceDefinition", "apiextensions.k8s.io/v1", types.NamespacedName{Name: crd}),
				client.RawPatch(types.JSONPatchType, []byte("["+strings.Join(steps, ",")+"]")))).To(Succeed())
		}
		change(ctx, "add")
		DeferCleanup(func(ctx context.Context) { change(ctx, "remove") })
		ns := namespace(ctx)
		key := create(ctx, waiting("x", ns, dip(ctx, stormSlot), stormSlot))
		newer := untyped("CarbonAwareJob", "carbon.ecotracker.dev/v1alpha1", key)
		later := func(g Gomega) {
			g.Expect(api.Get(ctx, key, newer)).To(Succeed())
			for _, part := range []string{"spec", "status"} {
				value, _, err := unstructured.NestedString(newer.Object, part, "later")
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(value).To(Equal("kept"), part)
			}
		}
		Eventually(func(g Gomega) { // until the API server knows the fields
			g.Expect(api.Patch(ctx, newer.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(`{"spec":{"later":"kept"}}`)))).To(Succeed())
			g.Expect(api.Status().Patch(ctx, newer.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(`{"status":{"later":"kept"}}`)))).To(Succeed())
			later(g)
		}).Should(Succeed())
		startManager(0)
		eventually(ctx, key, "Completed")
		later(NewWithT(GinkgoT()))
	})

	It("is not held up by an object that it cannot deal with", func(ctx context.Context) {
		ns := namespace(ctx)
		proxy := newProxy(ns)
		proxy.Script(faults.Rule{
			Match: func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/poison") && faults.IsWrite(r) },
			Fault: faults.InternalError,
		})
		startManagerBehind(proxy)
		region := steady(ctx)
		for i := range 20 {
			create(ctx, build.CarbonAwareJob(fmt.Sprintf("poison-%d", i), ns).Regions(region).MaxDelay(0).KWh("1"))
		}
		for i := range 20 {
			create(ctx, build.CarbonAwareJob(fmt.Sprintf("good-%d", i), ns).Regions(region).MaxDelay(0).KWh("1"))
		}
		eventuallyAll(ctx, ns, 20, "Completed")
		Expect(started(ns)).To(Equal(20))
		proxy.Script()
		eventuallyAll(ctx, ns, 40, "Completed")
	})
})
