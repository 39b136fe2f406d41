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
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

var _ = Describe("The samples", Ordered, func() {
	It("are all taken from who should apply them, planned, and get their Jobs", func(ctx context.Context) {
		beginEmpty(ctx)
		install(ctx)
		DeferCleanup(func(ctx context.Context) {
			sh(ctx, "kubectl delete -f dist/install.yaml --ignore-not-found --timeout=2m")
		})
		sh(ctx, "kubectl create rolebinding samples-editor -n default --clusterrole=edit --user=editor-eve")
		DeferCleanup(func(ctx context.Context) { sh(ctx, "kubectl delete rolebinding samples-editor -n default") })
		startManager(ctx)

		By("the regions and budgets, as the administrator")
		sh(ctx, "kubectl apply -f config/samples/cloud")
		sh(ctx, "kubectl apply -k config/samples")
		sh(ctx, "kubectl delete carbonawarejobs --all -n default --timeout=3m") // the team's own part
		files, err := filepath.Glob(filepath.Join(root, "config", "samples", "carbonawarejob_*.yaml"))
		Expect(err).NotTo(HaveOccurred())
		Expect(len(files)).To(BeNumerically(">=", 5))

		By("the jobs, as the team")
		for _, file := range files {
			sh(ctx, "kubectl create --as=editor-eve -f %s", strings.TrimPrefix(file, root+"/"))
		}
		c := newCluster()
		Eventually(func(g Gomega) {
			var jobs carbonv1alpha1.CarbonAwareJobList
			g.Expect(c.List(ctx, &jobs)).To(Succeed())
			g.Expect(jobs.Items).To(HaveLen(len(files)))
			for i := range jobs.Items {
				j := &jobs.Items[i]
				ready := meta.FindStatusCondition(j.Status.Conditions, carbonv1alpha1.ConditionReady)
				g.Expect(ready).NotTo(BeNil(), j.Name)
				g.Expect(ready.Reason).To(BeElementOf("Waiting", "Starting", "Running", "Completed"), "%s: %s", j.Name, ready.Message)
				g.Expect(j.Status.Job).NotTo(BeNil(), j.Name)
			}
		}).WithContext(ctx).Should(Succeed())
		Expect(sh(ctx, "kubectl get job bedrock-batch -o jsonpath='{.spec.template.spec.containers[0].env[?(@.name==\"AWS_REGION\")].valueFrom.fieldRef.fieldPath}'")).
			To(ContainSubstring("AWS_REGION"))
		sh(ctx, "kubectl delete carbonawarejobs --all -n default --timeout=3m")
	})
})
