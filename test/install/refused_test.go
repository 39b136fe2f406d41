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

package install

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// witness hears of every Job that is to be made, before the API server looks whether it may be: it is a webhook that
// lets all of them pass.
type witness struct {
	mu   sync.Mutex
	seen []client.ObjectKey
}

// ServeHTTP implements http.Handler.
func (w *witness) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	review := &admissionv1.AdmissionReview{}
	if err := json.NewDecoder(request.Body).Decode(review); err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	w.seen = append(w.seen, client.ObjectKey{Namespace: review.Request.Namespace, Name: review.Request.Name})
	w.mu.Unlock()
	review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	review.Request = nil
	_ = json.NewEncoder(response).Encode(review)
}

// inOrder are the Jobs that it heard of.
func (w *witness) inOrder() []client.ObjectKey {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.seen)
}

// watchJobs has the API server tell of the Jobs of the namespaces team and treasury.
func watchJobs(ctx context.Context) *witness {
	GinkgoHelper()
	w := &witness{}
	server := httptest.NewUnstartedServer(w)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	server.StartTLS()
	DeferCleanup(server.Close)
	authority, err := json.Marshal(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	Expect(err).NotTo(HaveOccurred())
	sh(ctx, `kubectl create -f - <<'END'
{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: witness}, webhooks: [{
	name: witness.example.com, sideEffects: None, admissionReviewVersions: [v1], timeoutSeconds: 30, clientConfig: {url: "%s", caBundle: %s},
	namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [team, treasury]}]},
	rules: [{apiGroups: [batch], apiVersions: [v1], resources: [jobs], operations: [CREATE]}]}]}
END`, server.URL, authority)
	DeferCleanup(func(ctx context.Context) { sh(ctx, "kubectl delete mutatingwebhookconfiguration witness") })
	return w
}

// memoryLimit is what the Deployment allows the manager, in MiB.
func memoryLimit(ctx context.Context) float64 {
	GinkgoHelper()
	limit, err := resource.ParseQuantity(sh(ctx, "kubectl get deployment ecotracker-controller-manager -n ecotracker-system -o jsonpath='{.spec.template.spec.containers[0].resources.limits.memory}'"))
	Expect(err).NotTo(HaveOccurred())
	return float64(limit.Value()) / (1 << 20)
}

var _ = Describe("A namespace of which the Jobs take long to be refused", Ordered, func() {
	It("does not keep another one waiting, or take the operator's memory", func(ctx context.Context) {
		const (
			workers = 32 // of the operator
			// names that no variable can have: the time that the API server needs grows with their square. From about
			// 20,000 on, its own limit for a request, 34 s, ends it before the answer.
			names = 3000
		)
		beginEmpty(ctx)
		install(ctx)
		sh(ctx, `kubectl create namespace team; kubectl create namespace treasury; kubectl create -f - <<'END'
{apiVersion: carbon.ecotracker.dev/v1alpha1, kind: GridRegion, metadata: {name: steady}, spec: {source: {static: {gramsPerKWh: "100"}}}}
END`)
		jobs, c := watchJobs(ctx), newCluster()
		for i := range workers + 8 {
			j := build.CarbonAwareJob(fmt.Sprintf("refused-%d", i), "team").Regions("steady").MaxDelay(0).Jitter(0).Obj()
			container := &j.Spec.JobTemplate.Spec.Template.Spec.Containers[0]
			for n := range names {
				container.Env = append(container.Env, corev1.EnvVar{Name: fmt.Sprintf("=%d", n)})
			}
			Expect(c.Create(ctx, j)).To(Succeed())
		}
		m := startManager(ctx) // all of them are there when it takes the first one up
		Eventually(func() int { return len(jobs.inOrder()) }).WithContext(ctx).Should(BeNumerically(">=", workers/8))
		begin := time.Now()
		create(ctx, "treasury", "beside")
		sh(ctx, "kubectl wait --for=create job/beside -n treasury --timeout=5m")
		report := fmt.Sprintf("Job made after %.1f s", time.Since(begin).Seconds())
		sh(ctx, "kubectl wait --for=condition=Complete carbonawarejob/beside -n treasury --timeout=5m")
		asked := jobs.inOrder()
		before := slices.Index(asked, client.ObjectKey{Namespace: "treasury", Name: "beside"})
		report += fmt.Sprintf(", complete after %.1f s; %d others were asked for before, %d until it was complete", time.Since(begin).Seconds(), before, len(asked)-1)
		Expect(before).To(BeNumerically("<", workers), report)

		By("looking whether the others are answered")
		Eventually(func(g Gomega) int {
			list, refused := &carbonv1alpha1.CarbonAwareJobList{}, 0
			g.Expect(c.List(ctx, list, client.InNamespace("team"))).To(Succeed())
			for _, j := range list.Items {
				if ready := meta.FindStatusCondition(j.Status.Conditions, carbonv1alpha1.ConditionReady); ready != nil && ready.Reason == carbonv1alpha1.ReasonInvalid {
					refused++
				}
			}
			return refused
		}).WithContext(ctx).WithTimeout(10 * time.Minute).WithPolling(5 * time.Second).Should(BeNumerically(">=", workers/8))
		AddReportEntry("beside", fmt.Sprintf("%s; %d are refused after %.0f s; %.0f MiB at most", report, workers/8, time.Since(begin).Seconds(), m.PeakMemory()), ReportEntryVisibilityAlways)
		Expect(m.PeakMemory()).To(BeNumerically("<", memoryLimit(ctx)))
		sh(ctx, "kubectl delete carbonawarejobs --all -A --timeout=3m; kubectl delete gridregions --all; kubectl delete namespace team treasury --timeout=3m")
		sh(ctx, "%s", documented("install.md", "uninstall"))
	}, NodeTimeout(25*time.Minute))
})
