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
	admissionv1 "k8s.io/api/admissionregistration/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("A template that the API server refuses", func() {
	It("gives a condition with its message, one Event, and ever fewer attempts", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(19, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).MaxDelay(24 * time.Hour).Template(func(t *batchv1.JobTemplateSpec) {
			t.Spec.Template.Spec.Containers[0].Name = "Not_Valid"
		}))
		w.events()
		var waits []time.Duration
		for now := w.start; now.Before(w.start.Add(time.Hour)); {
			wait := w.plan("x").RequeueAfter
			waits = append(waits, wait)
			now = now.Add(wait)
			w.clock.SetTime(now)
		}
		caj := w.get("x")
		Expect(readyOf(caj)).To(Equal("Invalid"))
		Expect(reasonOf(caj, "Planned")).To(Equal("False/TemplateRejected"))
		Expect(conditionMessage(caj.Status.Conditions, "Ready")).To(And(ContainSubstring("containers[0].name"), ContainSubstring("Not_Valid")))
		Expect(w.warnings()).To(HaveLen(1))
		Expect(waits[0]).To(Equal(5 * time.Second))
		Expect(waits[len(waits)-1]).To(Equal(5 * time.Minute))
		Expect(len(waits)).To(BeNumerically("<", 25), "%v", waits)

		By("starting after a fix")
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) {
			caj.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Name = "valid"
		})).To(Succeed())
		w.plan("x")
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeTrue()))
		Expect(readyOf(w.get("x"))).To(Equal("Waiting"))
	})

	It("because of a quota recovers without an edit once there is room", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(4, 100)...)
		none := corev1.ResourceList{"count/jobs.batch": resource.MustParse("0")}
		quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "none", Namespace: w.namespace}, Spec: corev1.ResourceQuotaSpec{Hard: none}}
		Expect(api.Create(ctx, quota)).To(Succeed())
		quota.Status = corev1.ResourceQuotaStatus{Hard: none, Used: none}
		Expect(api.Status().Update(ctx, quota)).To(Succeed())
		j := build.CarbonAwareJob("x", w.namespace).Regions(gb)
		probe := func() error { // admission sees a quota with a delay
			job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "probe", Namespace: w.namespace}, Spec: j.Obj().Spec.JobTemplate.Spec}
			return api.Create(ctx, job, client.DryRunAll)
		}
		Eventually(probe).Should(MatchError(ContainSubstring("exceeded quota")))
		w.create(j)
		w.plan("x")
		Expect(reasonOf(w.get("x"), "Planned")).To(Equal("False/TemplateRejected"))
		Expect(conditionMessage(w.get("x").Status.Conditions, "Ready")).To(ContainSubstring("exceeded quota"))

		Expect(api.Delete(ctx, quota)).To(Succeed())
		Eventually(probe).Should(Succeed())
		w.plan("x")
		Expect(w.job("x").UID).NotTo(BeEmpty())
		Expect(readyOf(w.get("x"))).To(Equal("Waiting"))
	})

	It("by a webhook that does not answer says so, and recovers once it is gone", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(4, 100)...)
		fail, none, scope := admissionv1.Fail, admissionv1.SideEffectClassNone, admissionv1.NamespacedScope
		hook := &admissionv1.ValidatingWebhookConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: w.namespace},
			Webhooks: []admissionv1.ValidatingWebhook{{
				Name: "dead.example.org", FailurePolicy: &fail, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
				ClientConfig:      admissionv1.WebhookClientConfig{URL: new("https://127.0.0.1:1/dead")},
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: w.namespace}},
				Rules: []admissionv1.RuleWithOperations{{
					Operations: []admissionv1.OperationType{admissionv1.Create},
					Rule:       admissionv1.Rule{APIGroups: []string{"batch"}, APIVersions: []string{"v1"}, Resources: []string{"jobs"}, Scope: &scope},
				}},
			}},
		}
		Expect(api.Create(ctx, hook)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(api.Delete(ctx, hook))).To(Succeed()) })
		j := build.CarbonAwareJob("x", w.namespace).Regions(gb)
		probe := func() error { // the API server learns of a webhook with a delay
			job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "probe", Namespace: w.namespace}, Spec: j.Obj().Spec.JobTemplate.Spec}
			return api.Create(ctx, job, client.DryRunAll)
		}
		Eventually(probe).Should(MatchError(ContainSubstring("failed calling webhook")))
		w.create(j)
		Expect(w.plan("x").RequeueAfter).To(Equal(5 * time.Second))
		Expect(reasonOf(w.get("x"), "Planned")).To(Equal("False/TemplateRejected"))
		Expect(conditionMessage(w.get("x").Status.Conditions, "Ready")).To(ContainSubstring("dead.example.org"))

		Expect(api.Delete(ctx, hook)).To(Succeed())
		Eventually(probe).Should(Succeed())
		w.plan("x")
		Expect(readyOf(w.get("x"))).To(Equal("Waiting"))
	})

	It("because its namespace goes away says so, and is not tried again", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, dip(4, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb))
		By("deleting the namespace, whose contents nobody deletes here")
		Expect(api.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}})).To(Succeed())
		attempts := func() (n int) {
			for _, write := range w.writes {
				if write == "create *v1.Job" {
					n++
				}
			}
			return n
		}
		Expect(w.plan("x").RequeueAfter).To(BeZero())
		Expect(attempts()).To(Equal(1))
		caj := w.get("x")
		Expect(reasonOf(caj, "Planned")).To(Equal("False/TemplateRejected"))
		Expect(conditionMessage(caj.Status.Conditions, "Ready")).To(ContainSubstring("because it is being terminated"))
		Expect(caj.Status.Job).To(BeNil())
		Expect(w.warnings()).To(HaveLen(1))
	})
})
