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
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
)

func fromFile[T any](path string) *T {
	data, err := os.ReadFile(path)
	Expect(err).NotTo(HaveOccurred())
	object := new(T)
	Expect(yaml.UnmarshalStrict(data, object)).To(Succeed())
	return object
}

var _ = Describe("The policy on pods", func() {
	It("lets the operator write what it tells meters, and nothing else of a pod", func(ctx context.Context) {
		w := newWorld(ctx)
		for _, object := range []client.Object{
			fromFile[admissionv1.ValidatingAdmissionPolicy]("../../config/admission/pods_policy.yaml"),
			fromFile[admissionv1.ValidatingAdmissionPolicyBinding]("../../config/admission/pods_policy_binding.yaml"),
			fromFile[rbacv1.ClusterRole]("../../config/rbac/role.yaml"),
			&rbacv1.ClusterRoleBinding{
				ObjectMeta: metav1.ObjectMeta{Name: "pods-policy"},
				RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "manager-role"},
				Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: w.namespace, Name: "operator"}},
			},
		} {
			Expect(api.Create(ctx, object)).To(Succeed())
			DeferCleanup(func(ctx context.Context) { Expect(api.Delete(ctx, object)).To(Succeed()) })
		}
		as := rest.CopyConfig(config)
		as.Impersonate = rest.ImpersonationConfig{UserName: "system:serviceaccount:" + w.namespace + ":operator"}
		operator, err := client.New(as, client.Options{Scheme: scheme})
		Expect(err).NotTo(HaveOccurred())
		for name, labels := range map[string]map[string]string{"metered": {carbonv1alpha1.LabelMeter: "x"}, "other": nil} {
			Expect(api.Create(ctx, &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.namespace, Labels: labels, Annotations: map[string]string{"note": "mine"}},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example.org/a:1"}}},
			})).To(Succeed())
		}
		patch := func(name string, change func(*corev1.Pod)) error {
			pod := w.getPod(name)
			before := pod.DeepCopy()
			change(pod)
			return operator.Patch(ctx, pod, client.MergeFrom(before))
		}
		forbidden := MatchError(ContainSubstring("may only change the annotations"))
		Eventually(func() error { // from when the API server has compiled the policy on
			return patch("metered", func(p *corev1.Pod) { p.Spec.Containers[0].Image += "1" })
		}, 30*time.Second).Should(forbidden)
		Expect(patch("metered", func(p *corev1.Pod) { p.Annotations["note"] = "yours" })).To(forbidden)
		Expect(patch("metered", func(p *corev1.Pod) { delete(p.Annotations, "note") })).To(forbidden)
		Expect(patch("metered", func(p *corev1.Pod) { p.Labels["app"] = "x" })).To(forbidden)
		Expect(patch("other", func(p *corev1.Pod) { p.Annotations[meter.AnnotationIntensity] = "1" })).To(forbidden)
		Expect(patch("metered", func(p *corev1.Pod) {
			p.Annotations[meter.AnnotationIntensity], p.Annotations[carbonv1alpha1.AnnotationCounted] = "1", "true"
		})).To(Succeed())
		Expect(patch("metered", func(p *corev1.Pod) { delete(p.Annotations, meter.AnnotationIntensity) })).To(Succeed())
	})
})
