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
	"encoding/json"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("The main job", func() {
	It("runs in the greenest region, downgraded on a dirty grid and not on a clean one", func(ctx context.Context) {
		ns := namespace(ctx)
		witness := newWitness(ctx, ns)
		// Slots of five seconds: the greenest window of both jobs begins in slot 2.
		trace(ctx, "uk", 5*time.Second, nodesOf(ukNodes), repeat(40, 300, 300, 150)...)
		trace(ctx, "de", 5*time.Second, nodesOf(deNodes), repeat(40, 500, 500, 50)...)
		startManager("")
		for _, j := range []*build.Job{
			build.CarbonAwareJob("downgraded", ns).Regions("uk"),
			build.CarbonAwareJob("full", ns).Regions("uk", "de"),
		} {
			j = j.MaxDelay(20*time.Second).Duration(4*time.Second).Jitter(0).KWh("2").
				Env("OPENAI_MODEL", "gpt-4o").Model("OPENAI_MODEL", "", "", 100)
			Expect(cluster.Create(ctx, runnable(j, 2*time.Second).Obj())).To(Succeed())
		}
		for _, name := range []string{"downgraded", "full"} {
			key := types.NamespacedName{Namespace: ns, Name: name}
			eventuallyStatus(ctx, key, "Waiting")
			Eventually(func(g Gomega) {
				g.Expect(cluster.Get(ctx, key, &batchv1.Job{})).To(Succeed())
			}).Should(Succeed())
			Expect(job(ctx, key).Spec.Suspend).To(HaveValue(BeTrue()))
		}
		for name, want := range map[string]struct{ region, nodes, model string }{
			"downgraded": {"uk", ukNodes, "gpt-4o-mini"},
			"full":       {"de", deNodes, "gpt-4o"},
		} {
			key := types.NamespacedName{Namespace: ns, Name: name}
			caj := eventuallyStatus(ctx, key, "Completed")
			Expect(caj.Status.Job.Region).To(Equal(want.region))
			Expect(caj.Status.Model.Effective).To(Equal(want.model))
			Expect(caj.Status.Job.StartTime.Time).NotTo(BeTemporally("<", caj.Status.Plan.Start.Time), "never before its planned start")
			expectPod(ctx, key, want.nodes, want.model)
			eventuallyFinal(ctx, key)
		}
		jobs, starts := witness.counts()
		Expect([]int{jobs, starts}).To(Equal([]int{2, 2}), "two Jobs, each started once")
	})

	It("survives a manager that is killed between every two steps", func(ctx context.Context) {
		ns := namespace(ctx)
		witness := newWitness(ctx, ns)
		trace(ctx, "uk", 10*time.Second, nodesOf(ukNodes), repeat(40, 300, 100)...)
		key := types.NamespacedName{Namespace: ns, Name: "sturdy"}
		m := startManager("")
		j := build.CarbonAwareJob(key.Name, ns).Regions("uk").MaxDelay(15 * time.Second).Duration(5 * time.Second).Jitter(0).KWh("1")
		Expect(cluster.Create(ctx, runnable(j, 8*time.Second).Obj())).To(Succeed())

		By("killing it once the job is planned")
		planned := eventuallyPlanned(ctx, key)
		m.kill()
		m = startManager("")
		By("killing it once the job runs")
		running := eventuallyStatus(ctx, key, "Running")
		Expect(running.Status.Plan.Start).To(Equal(planned.Status.Plan.Start))
		m.kill()
		By("letting the job complete without a manager")
		Eventually(func(g Gomega) {
			g.Expect(job(ctx, key).Status.Succeeded).To(BeEquivalentTo(1))
		}).Should(Succeed())
		Expect(cluster.Delete(ctx, job(ctx, key), client.PropagationPolicy("Background"))).To(Succeed())
		m = startManager("")
		By("finding the record of a Job that was deleted meanwhile")
		eventuallyStatus(ctx, key, "Completed")
		m.terminate()
		startManager("")
		final := eventuallyFinal(ctx, key)
		Expect(final.Status.Emissions.ActualGrams).NotTo(BeEmpty())
		jobs, starts := witness.counts()
		Expect([]int{jobs, starts}).To(Equal([]int{1, 1}))
	})

	It("starts late work at once when no manager ran at its time", func(ctx context.Context) {
		ns := namespace(ctx)
		trace(ctx, "uk", 5*time.Second, nil, repeat(40, 300, 100)...)
		key := types.NamespacedName{Namespace: ns, Name: "late"}
		m := startManager("")
		Expect(cluster.Create(ctx, runnable(build.CarbonAwareJob(key.Name, ns).Regions("uk").MaxDelay(8*time.Second).
			Duration(5*time.Second).Jitter(0), time.Second).Obj())).To(Succeed())
		plan := eventuallyPlanned(ctx, key).Status.Plan
		m.kill()
		Eventually(time.Now).Should(BeTemporally(">", plan.Start.Add(2*time.Second)))
		Expect(job(ctx, key).Spec.Suspend).To(HaveValue(BeTrue()))
		startManager("")
		caj := eventuallyStatus(ctx, key, "Completed")
		Expect(caj.Status.Plan.Start).To(Equal(plan.Start))
	})

	It("records a failed run, and lets a deleted job go", func(ctx context.Context) {
		ns := namespace(ctx)
		trace(ctx, "uk", 5*time.Second, nil, repeat(40, 300, 300, 300, 300, 300, 300)...)
		startManager("")
		// It fails at the end of the time that it was expected to take: one whole attempt.
		failing := runnable(build.CarbonAwareJob("failing", ns).Regions("uk").MaxDelay(0).Duration(time.Second).KWh("1"), time.Second).Obj()
		failing.Spec.JobTemplate.Spec.BackoffLimit = ptr.To[int32](0)
		pod := &failing.Spec.JobTemplate.Spec.Template
		pod.Annotations["controlplane/fail"] = "true"
		pod.Spec.Containers[0].Env = append(pod.Spec.Containers[0].Env, corev1.EnvVar{Name: "EXIT_CODE", Value: "1"})
		Expect(cluster.Create(ctx, failing)).To(Succeed())
		key := client.ObjectKeyFromObject(failing)
		eventuallyStatus(ctx, key, "Failed")
		Expect(eventuallyFinal(ctx, key).Status.Emissions.ActualGrams).To(BeEquivalentTo("300"))

		running := runnable(build.CarbonAwareJob("running", ns).Regions("uk").MaxDelay(0), time.Hour).Obj()
		Expect(cluster.Create(ctx, running)).To(Succeed())
		eventuallyStatus(ctx, client.ObjectKeyFromObject(running), "Running")
		for _, caj := range []*carbonv1alpha1.CarbonAwareJob{failing, running} {
			Expect(cluster.Delete(ctx, caj)).To(Succeed())
			Eventually(func(g Gomega) {
				for _, object := range []client.Object{&carbonv1alpha1.CarbonAwareJob{}, &batchv1.Job{}} {
					g.Expect(apierrors.IsNotFound(cluster.Get(ctx, client.ObjectKeyFromObject(caj), object))).To(BeTrue())
				}
			}).Should(Succeed())
		}
	})
})

// expectPod looks at the pod of a finished job: where it ran and, on real nodes, what it printed.
func expectPod(ctx context.Context, key types.NamespacedName, region, model string) {
	GinkgoHelper()
	var pods corev1.PodList
	Expect(cluster.List(ctx, &pods, client.InNamespace(key.Namespace), client.MatchingLabels{"batch.kubernetes.io/job-name": key.Name})).To(Succeed())
	Expect(pods.Items).To(HaveLen(1))
	pod := pods.Items[0]
	node := &corev1.Node{}
	Expect(cluster.Get(ctx, types.NamespacedName{Name: pod.Spec.NodeName}, node)).To(Succeed())
	Expect(node.Labels).To(HaveKeyWithValue(corev1.LabelTopologyRegion, region))
	Expect(pod.Annotations).To(HaveKeyWithValue("model.carbon.ecotracker.dev/OPENAI_MODEL", model))
	Expect(pod.Annotations).To(HaveKeyWithValue("model.carbon.ecotracker.dev/AWS_REGION", "aws-"+region))
	if !realNodes {
		return // simulated pods print nothing
	}
	printed := map[string]string{}
	log := kubectl(ctx, "logs", "--namespace", key.Namespace, pod.Name)
	Expect(json.Unmarshal([]byte(strings.TrimSpace(log)), &printed)).To(Succeed(), log)
	Expect(printed).To(HaveKeyWithValue("OPENAI_MODEL", model), "what the process itself saw")
	Expect(printed).To(HaveKeyWithValue("AWS_REGION", "aws-"+region))
	Expect(printed).To(HaveKeyWithValue("NODE_NAME", pod.Spec.NodeName))
}

// repeat makes n values: the given ones, then 400 for the rest.
func repeat(n int, first ...int) []int {
	grams := append([]int{}, first...)
	for len(grams) < n {
		grams = append(grams, 400)
	}
	return grams
}
