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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// labelled is a pod that anyone may create: it has our label, the name of a meter, and says that a Job owns it.
func (w *world) labelled(name, job string, owner types.UID) {
	isController := true
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: w.namespace, Labels: map[string]string{carbonv1alpha1.LabelMeter: job},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: batchv1.SchemeGroupVersion.String(), Kind: "Job", Name: job, UID: owner, Controller: &isController}},
		},
		Spec: corev1.PodSpec{
			InitContainers: []corev1.Container{{Name: "carbon-meter", Image: "example.org/any:1"}},
			Containers:     []corev1.Container{{Name: "main", Image: "example.org/any:1"}},
		},
	}
	Expect(api.Create(w.ctx, pod)).To(Succeed())
	w.podEnds(name, corev1.PodSucceeded, calls(1000, "gpt-4.1", "gpt-4.1"))
}

var _ = Describe("Deleted pods with the label of a meter", func() {
	It("are kept in memory only while somebody waits for their numbers", func(ctx context.Context) {
		w, runs := meterWorld(ctx)
		gone := func(pod, job string) {
			GinkgoHelper()
			w.podGoes(pod, true)
			Expect(w.planner.DepartedPods()).To(Equal(1))
			w.plan(job) // the news of the pod bring the job back
			Expect(w.planner.DepartedPods()).To(BeZero())
		}
		runs("x", asItIs, carbonv1alpha1.MeterObserve)
		w.pod("x", "late")
		w.podEnds("late", corev1.PodSucceeded, calls(2, "gpt-4.1", "gpt-4.1"))
		w.clock.SetTime(w.start.Add(time.Minute))
		w.completed("x", w.clock.Now())
		w.pass("x", "x")
		Expect(w.get("x").Status.Meter.SettledAt).NotTo(BeNil())
		By("long after the run is on record")
		gone("late", "x")
		By("a job that does not exist")
		w.labelled("nobodys", "nobody", "1")
		gone("nobodys", "nobody")
		By("a job without a meter, and one that has not started")
		gb := w.get("x").Spec.Regions[0]
		w.create(w.metered("off", carbonv1alpha1.MeterOff, gb).Model("OPENAI_MODEL", "gpt-4.1", "", 0))
		w.create(w.metered("held", carbonv1alpha1.MeterObserve, gb).Model("OPENAI_MODEL", "gpt-4.1", "", 0).Suspend(true))
		for _, name := range []string{"off", "held"} {
			w.pass(name)
			w.labelled("of-"+name, name, w.job(name).UID)
			gone("of-"+name, name)
		}
	})

	It("count for no Job but their own, also if it has the name of theirs", func(ctx context.Context) {
		w, runs := meterWorld(ctx)
		runs("x", asItIs, carbonv1alpha1.MeterObserve)
		w.labelled("foreign", "x", "the Job of an earlier x")
		w.pass("x")
		w.podGoes("foreign", true)
		w.pass("x")
		Expect(w.planner.DepartedPods()).To(BeZero())
		w.pod("x", "own")
		w.podEnds("own", corev1.PodSucceeded, calls(2, "gpt-4.1", "gpt-4.1"))
		w.clock.SetTime(w.start.Add(time.Minute))
		w.completed("x", w.clock.Now())
		w.pass("x", "x")
		Expect(w.get("x").Status.Meter.Calls).To(BeEquivalentTo(2))
	})
})
