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
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// runnable is a CarbonAwareJob that starts at once and runs for a second.
const runnable = `
apiVersion: carbon.ecotracker.dev/v1alpha1
kind: CarbonAwareJob
metadata: {name: NAME, namespace: SPACE}
spec:
  maxDelay: 0s
  energy: {kWh: "0.5"}
  jobTemplate:
    spec:
      backoffLimit: 0
      template:
        metadata: {annotations: {controlplane/run-for: 1s}}
        spec:
          restartPolicy: Never
          containers: [{name: main, image: example.org/eval:1}]
`

// manager shows how the Deployment runs it.
const manager = "kubectl get deployment ecotracker-controller-manager -n ecotracker-system -o jsonpath='{.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].args}'"

// create makes a runnable job.
func create(ctx context.Context, namespace, name string) {
	GinkgoHelper()
	sh(ctx, "%s", "kubectl create -f - <<'END'"+strings.NewReplacer("SPACE", namespace, "NAME", name).Replace(runnable)+"END")
}

var _ = Describe("An installation with Helm", Ordered, func() {
	It("runs a job, survives an upgrade of its kinds, and leaves nothing", func(ctx context.Context) {
		beginEmpty(ctx)
		By("installing an older chart, whose kinds lack a field")
		older := GinkgoT().TempDir()
		sh(ctx, `cp -rL charts/ecotracker-operator %[1]s/chart; sed -i 's/^version: .*/version: 0.0.1/' %[1]s/chart/Chart.yaml
			sed -i 's/name: Age/name: Old/' %[1]s/chart/files/crds/carbon.ecotracker.dev_carbonawarejobs.yaml`, older)
		sh(ctx, "%s", strings.ReplaceAll(documented("install.md", "helm install"), "charts/ecotracker-operator", older+"/chart"))
		sh(ctx, "kubectl scale deployment ecotracker-controller-manager -n ecotracker-system --replicas=0; kubectl create namespace helmed")
		columns := "kubectl get crd carbonawarejobs.carbon.ecotracker.dev -o jsonpath='{..additionalPrinterColumns[*].name}'"
		Expect(sh(ctx, "%s", columns)).To(ContainSubstring("Old"))

		By("running a job in the default region that the chart made")
		startManager(ctx)
		create(ctx, "helmed", "before")
		sh(ctx, "kubectl wait --for=condition=Complete carbonawarejob/before -n helmed --timeout=3m")
		Expect(sh(ctx, "kubectl get carbonawarejob before -n helmed -o jsonpath='{.status.plan.region}'")).To(Equal("gb"))

		By("upgrading")
		sh(ctx, `kubectl patch gridregion gb --type=merge -p '{"spec":{"maxStartsPerWindow":7}}'`)
		uid := sh(ctx, "kubectl get gridregion gb -o jsonpath='{.metadata.uid}'")
		sh(ctx, "%s", documented("install.md", "helm upgrade"))
		Expect(sh(ctx, "%s", columns)).NotTo(ContainSubstring("Old"))
		Expect(sh(ctx, "kubectl get gridregion gb -o jsonpath='{.metadata.uid} {.spec.maxStartsPerWindow}'")).To(Equal(uid+" 7"), "the region is the user's own")
		Expect(sh(ctx, "kubectl get carbonawarejob before -n helmed -o jsonpath='{.status.emissions.energyKWh}'")).To(Equal("0.5"))
		create(ctx, "helmed", "after")
		sh(ctx, "kubectl wait --for=condition=Complete carbonawarejob/after -n helmed --timeout=3m")

		By("upgrading where the default region was deleted for another")
		sh(ctx, `sed 's/name: gb/name: north/' config/samples/gridregion_gb.yaml | kubectl create -f -; kubectl delete gridregion gb`)
		sh(ctx, "%s", documented("install.md", "helm upgrade"))
		Expect(strings.TrimSpace(sh(ctx, "kubectl get gridregions -o name"))).To(Equal("gridregion.carbon.ecotracker.dev/north"))

		By("going back")
		sh(ctx, "%s", documented("install.md", "helm back"))
		Expect(sh(ctx, manager)).To(And(ContainSubstring("ecotracker-operator:old"), ContainSubstring("--meter-image=ecotracker-meter:old")))
		Expect(sh(ctx, "%s", columns)).NotTo(ContainSubstring("Old"), "the definitions stay as they are")

		By("uninstalling")
		sh(ctx, "%s", documented("install.md", "helm uninstall"))
		sh(ctx, "kubectl wait --for=delete job --all -n helmed --timeout=3m; kubectl delete namespace helmed")
		Expect(left(ctx)).To(BeEmpty())
	})

	It("keeps every object when the release is uninstalled in haste", func(ctx context.Context) {
		sh(ctx, "%s", documented("install.md", "helm install"))
		sh(ctx, "kubectl create namespace kept; sed 's/namespace: default/namespace: kept/' config/samples/carbonbudget_namespace.yaml | kubectl create -f -")
		sh(ctx, "helm uninstall ecotracker --namespace ecotracker-system --wait")
		Expect(sh(ctx, "kubectl get carbonbudgets -n kept -o name; kubectl get gridregions -o name")).To(And(ContainSubstring("everyone"), ContainSubstring("gb")))

		By("installing it again over them")
		sh(ctx, "kubectl delete namespace ecotracker-system")
		sh(ctx, "%s", documented("install.md", "helm install"))
		Expect(sh(ctx, "kubectl get carbonbudgets -n kept -o name")).To(ContainSubstring("everyone"))

		By("installing it under another name over them")
		sh(ctx, "helm uninstall ecotracker --namespace ecotracker-system --wait")
		Expect(sh(ctx, "! helm install carbon charts/ecotracker-operator --namespace ecotracker-system 2>&1")).To(ContainSubstring("invalid ownership metadata"))
		sh(ctx, "%s", documented("install.md", "helm adopt"))
		Expect(sh(ctx, "kubectl get carbonbudgets -n kept -o name")).To(ContainSubstring("everyone"))
		Expect(sh(ctx, "kubectl get deployments -n ecotracker-system -o name")).To(ContainSubstring("/carbon-"))
		sh(ctx, "%s", strings.ReplaceAll(documented("install.md", "helm uninstall"), "helm uninstall ecotracker", "helm uninstall carbon"))
		sh(ctx, "kubectl delete namespace kept")
		Expect(left(ctx)).To(BeEmpty())
	})
})
