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

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("An installation for one namespace", Ordered, func() {
	It("works there, and can do nothing elsewhere", func(ctx context.Context) {
		beginEmpty(ctx)
		By("narrowing an installation for all namespaces")
		sh(ctx, "kubectl apply -f dist/install.yaml")
		sh(ctx, "%s", documented("install.md", "namespaced"))
		sh(ctx, "%s", documented("install.md", "narrow"))
		DeferCleanup(func(ctx context.Context) {
			sh(ctx, "kubectl delete -k config/namespaced --ignore-not-found --timeout=2m; kubectl delete namespace team-a team-b")
		})
		sh(ctx, "kubectl scale deployment ecotracker-controller-manager -n ecotracker-system --replicas=0; kubectl create namespace team-b")
		sh(ctx, "kubectl wait --for=condition=Established crd/gridregions.carbon.ecotracker.dev --timeout=3m; kubectl apply -f config/samples/gridregion_gb.yaml")
		const allowed = "kubectl auth can-i --as=" + operatorUser + " "
		Eventually(func(ctx context.Context) string {
			output, _ := try(ctx, allowed+"create jobs -n team-a") // it fails where the answer is no
			return output
		}).WithContext(ctx).Should(ContainSubstring("yes"))
		for _, what := range []string{"create jobs -n team-b", "list carbonawarejobs -n team-b", "list carbonawarejobs -A", "create jobs -n default", "patch gridregions"} {
			output, err := try(ctx, allowed+what)
			Expect(err).To(HaveOccurred(), what)
			Expect(output).To(ContainSubstring("no"), what)
		}

		By("running a job, and leaving another alone")
		create(ctx, "team-b", "other")
		create(ctx, "team-a", "mine")
		sh(ctx, "kubectl create -f - <<'END'\n%s\nEND", `{apiVersion: carbon.ecotracker.dev/v1alpha1, kind: CarbonBudget, metadata: {name: all, namespace: team-a}, spec: {limitGrams: "5000"}}`)
		m := startManager(ctx, "--watch-namespaces=team-a")
		sh(ctx, "kubectl wait --for=condition=Complete carbonawarejob/mine -n team-a --timeout=3m")
		sh(ctx, "kubectl wait --for=jsonpath='{.status.completedJobs}'=1 carbonbudget/all -n team-a --timeout=3m")
		sh(ctx, "kubectl wait --for=condition=Ready gridregion/gb --timeout=3m")
		Expect(sh(ctx, "kubectl get carbonawarejob other -n team-b -o jsonpath='{.status}{.metadata.finalizers}'")).To(BeEmpty())

		By("deleting it")
		sh(ctx, "kubectl delete carbonawarejob mine -n team-a --timeout=3m; kubectl delete carbonawarejob other -n team-b --timeout=3m")
		Expect(m.Log()).NotTo(ContainSubstring("forbidden"), "it asks for what it may not")
	})

	It("can read the regions that another operator keeps", func(ctx context.Context) {
		sh(ctx, "%s", documented("install.md", "namespaced"))
		DeferCleanup(func(ctx context.Context) {
			sh(ctx, "kubectl delete -k config/namespaced --ignore-not-found --timeout=2m; kubectl delete namespace team-a")
		})
		sh(ctx, "kubectl wait --for=condition=Established crd/gridregions.carbon.ecotracker.dev --timeout=3m; kubectl apply -f config/samples/gridregion_gb.yaml")
		sh(ctx, `kubectl scale deployment ecotracker-controller-manager -n ecotracker-system --replicas=0
			kubectl patch clusterrole ecotracker-regions-role --type=json -p '[{"op":"remove","path":"/rules/1"}]'
			kubectl patch role ecotracker-source-reader-role -n ecotracker-system --type=json -p '[{"op":"remove","path":"/rules/1"}]'`)
		m := startManager(ctx, "--watch-namespaces=team-a", "--poll-regions=false")
		create(ctx, "team-a", "mine")
		sh(ctx, "kubectl wait --for=condition=Complete carbonawarejob/mine -n team-a --timeout=3m")
		Expect(sh(ctx, "kubectl get gridregion gb -o jsonpath='{.status}'")).To(BeEmpty())
		sh(ctx, "kubectl delete carbonawarejob mine -n team-a --timeout=3m")
		Expect(m.Log()).NotTo(ContainSubstring("forbidden"), "it asks for what it may not")
	})
})
