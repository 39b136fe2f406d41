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
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admission/v1"
	registrationv1 "k8s.io/api/admissionregistration/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// Jobs of these names are refused: one already when it is created, the other when it is to be started.
const (
	refusedCreation = "refused-creation"
	refusedStart    = "refused-start"
	refusal         = "the team nlp is not on the list"
)

// jobsOf selects what an admission policy or webhook has a say in: the Jobs of a namespace.
func jobsOf() registrationv1.RuleWithOperations {
	return registrationv1.RuleWithOperations{
		Operations: []registrationv1.OperationType{registrationv1.Create, registrationv1.Update},
		Rule:       registrationv1.Rule{APIGroups: []string{"batch"}, APIVersions: []string{"v1"}, Resources: []string{"jobs"}},
	}
}

func selectorOf(ns string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: ns}}
}

// byPolicy has a ValidatingAdmissionPolicy refuse. What it returns ends that, as it does for byWebhook.
func byPolicy(ctx context.Context, ns string) (allow func()) {
	GinkgoHelper()
	policy := &registrationv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: ns},
		Spec: registrationv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &registrationv1.MatchResources{
				NamespaceSelector: selectorOf(ns),
				ResourceRules:     []registrationv1.NamedRuleWithOperations{{RuleWithOperations: jobsOf()}},
			},
			Validations: []registrationv1.Validation{
				{Expression: "object.metadata.name != '" + refusedCreation + "'", Message: refusal},
				{Expression: "object.metadata.name != '" + refusedStart + "' || object.spec.suspend", Message: refusal},
			},
		},
	}
	binding := &registrationv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: ns},
		Spec: registrationv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: ns, ValidationActions: []registrationv1.ValidationAction{registrationv1.Deny},
		},
	}
	for _, object := range []client.Object{policy, binding} {
		Expect(api.Create(ctx, object)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(api.Delete(ctx, object))).To(Succeed()) })
	}
	return func() {
		GinkgoHelper()
		Expect(api.Delete(ctx, binding)).To(Succeed())
	}
}

// byWebhook has a webhook refuse, which says that something is not found: 404.
func byWebhook(ctx context.Context, ns string) (allow func()) {
	GinkgoHelper()
	server := httptest.NewTLSServer(http.HandlerFunc(answerNotFound))
	DeferCleanup(server.Close)
	none := registrationv1.SideEffectClassNone
	hook := &registrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: ns},
		Webhooks: []registrationv1.ValidatingWebhook{{
			Name: "list.example.org", SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
			ClientConfig: registrationv1.WebhookClientConfig{
				URL: &server.URL, CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
			},
			NamespaceSelector: selectorOf(ns), Rules: []registrationv1.RuleWithOperations{jobsOf()},
		}},
	}
	Expect(api.Create(ctx, hook)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(api.Delete(ctx, hook))).To(Succeed()) })
	return func() {
		GinkgoHelper()
		Expect(api.Delete(ctx, hook)).To(Succeed())
	}
}

func answerNotFound(w http.ResponseWriter, r *http.Request) {
	review, job := admissionv1.AdmissionReview{}, batchv1.Job{}
	if json.NewDecoder(r.Body).Decode(&review) != nil || json.Unmarshal(review.Request.Object.Raw, &job) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	suspended := job.Spec.Suspend != nil && *job.Spec.Suspend
	review.Response = &admissionv1.AdmissionResponse{
		UID: review.Request.UID, Allowed: job.Name != refusedCreation && (job.Name != refusedStart || suspended),
		Result: &metav1.Status{Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound, Message: refusal},
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(review) // the API server says so if it gets nothing
}

// said are the Events of a job with a reason and the words.
func said(ctx context.Context, key types.NamespacedName, reason, words string) int {
	GinkgoHelper()
	var all eventsv1.EventList
	Expect(api.List(ctx, &all, client.InNamespace(key.Namespace))).To(Succeed())
	n := 0
	for _, e := range all.Items {
		if e.Regarding.Name == key.Name && e.Reason == reason && strings.Contains(e.Note, words) {
			n++
		}
	}
	return n
}

var _ = Describe("F12: a Job that the API server does not let be", func() {
	for name, refuse := range map[string]func(context.Context, string) func(){
		"an admission policy": byPolicy, "a webhook that answers 404": byWebhook,
	} {
		It("created or started, because of "+name+", says why and starts once it may, without an edit", func(ctx context.Context) {
			ns := namespace(ctx)
			budget := types.NamespacedName{Namespace: ns, Name: "b"}
			Expect(api.Create(ctx, &carbonv1alpha1.CarbonBudget{
				ObjectMeta: metav1.ObjectMeta{Name: budget.Name, Namespace: ns},
				Spec: carbonv1alpha1.CarbonBudgetSpec{
					LimitGrams: new(resource.MustParse("1000")), Period: carbonv1alpha1.BudgetTotal, Enforcement: carbonv1alpha1.BudgetHold,
				},
			})).To(Succeed())
			region := steady(ctx)
			now := func(name string) *build.Job {
				return build.CarbonAwareJob(name, ns).Regions(region).MaxDelay(0).KWh("1")
			}
			allow := refuse(ctx, ns)
			probe := func() error { // the API server learns of what is to refuse with a delay
				job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: refusedCreation, Namespace: ns}, Spec: now("x").Obj().Spec.JobTemplate.Spec}
				return api.Create(ctx, job, client.DryRunAll)
			}
			Eventually(probe).Should(MatchError(ContainSubstring(refusal)))
			startManager(0)
			created, started := create(ctx, now(refusedCreation)), create(ctx, now(refusedStart))
			eventually(ctx, create(ctx, now("allowed")), "Completed")

			caj := eventually(ctx, created, "Invalid")
			Expect(caj.Status.ReservedGrams).To(BeEmpty(), "what cannot be created keeps no room from others")
			Expect(meta.FindStatusCondition(caj.Status.Conditions, carbonv1alpha1.ConditionReady).Message).To(ContainSubstring(refusal))
			Eventually(func() int { return said(ctx, started, "StartRefused", refusal) }).Should(Equal(1))
			Expect(get(ctx, started).Status.Job).NotTo(BeNil())
			Expect(job(ctx, started).Spec.Suspend).To(HaveValue(BeTrue()))

			allow()
			Eventually(probe).Should(Succeed())
			calm = time.Now()
			eventuallyAll(ctx, ns, 3, "Completed")
			addsUp(ctx, budget, nil)
		})
	}

	It("keep pods, because of a LimitRange, starts once, and is on record once it may have them", func(ctx context.Context) {
		ns := namespace(ctx)
		limits := &corev1.LimitRange{
			ObjectMeta: metav1.ObjectMeta{Name: "small", Namespace: ns},
			Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
				Type: corev1.LimitTypeContainer, Max: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Mi")},
			}}},
		}
		Expect(api.Create(ctx, limits)).To(Succeed())
		startManager(0)
		j := build.CarbonAwareJob("x", ns).Regions(steady(ctx)).MaxDelay(0).KWh("1")
		key := create(ctx, j.Template(func(t *batchv1.JobTemplateSpec) {
			t.Spec.Template.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}
		}))
		eventually(ctx, key, "Running")
		Eventually(func() int { return refusedPods(ctx, key) }).Should(BeNumerically(">", 0))
		Expect(api.Delete(ctx, limits)).To(Succeed())
		caj := eventually(ctx, key, "Completed")
		Expect(caj.Status.Job.Runs).To(HaveLen(1))
	})
})

// refusedPods are the words of the Job controller that it could not create a pod.
func refusedPods(ctx context.Context, key types.NamespacedName) int {
	GinkgoHelper()
	var all corev1.EventList
	Expect(api.List(ctx, &all, client.InNamespace(key.Namespace))).To(Succeed())
	n := 0
	for _, e := range all.Items {
		if e.InvolvedObject.Kind == "Job" && e.InvolvedObject.Name == key.Name && e.Reason == "FailedCreate" {
			n++
		}
	}
	return n
}
