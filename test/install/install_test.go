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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// job is a CarbonAwareJob that waits for hours where there is anything to wait for.
const job = `
apiVersion: carbon.ecotracker.dev/v1alpha1
kind: CarbonAwareJob
metadata: {name: NAME, namespace: team}
spec:
  suspend: true
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: main, image: example.org/eval:1}]
`

// as applies the job of the name as a user.
func as(ctx context.Context, user, name string) (string, error) {
	return try(ctx, "kubectl create --as="+user+" -f - <<'END'"+strings.ReplaceAll(job, "NAME", name)+"END")
}

var _ = Describe("An installation", Ordered, func() {
	BeforeAll(func(ctx context.Context) {
		beginEmpty(ctx)
		install(ctx)
		sh(ctx, "kubectl create namespace team; kubectl create namespace other; "+
			"kubectl create clusterrolebinding ecotracker-test-admin --clusterrole=cluster-admin --user=admin-ada; "+
			"kubectl create rolebinding editor -n team --clusterrole=edit --user=editor-eve; "+
			"kubectl create rolebinding viewer -n team --clusterrole=view --user=viewer-vic; "+
			"kubectl create role half -n team --verb=create,get,patch --resource=carbonawarejobs.carbon.ecotracker.dev; "+
			"kubectl create rolebinding half -n team --role=half --user=half-hal")
	})

	It("changes nothing when it is applied again", func(ctx context.Context) {
		sh(ctx, "kubectl scale deployment ecotracker-controller-manager -n ecotracker-system --replicas=1; kubectl diff -f dist/install.yaml; "+
			"kubectl scale deployment ecotracker-controller-manager -n ecotracker-system --replicas=0")
	})

	It("runs its pod under the restricted Pod Security standard, and refuses one that is not", func(ctx context.Context) {
		sh(ctx, "kubectl scale deployment ecotracker-controller-manager -n ecotracker-system --replicas=1")
		Eventually(func(ctx context.Context) string {
			return sh(ctx, "kubectl get pods -n ecotracker-system -o name")
		}).WithContext(ctx).Should(ContainSubstring("pod/ecotracker-controller-manager-"))
		sh(ctx, "kubectl scale deployment ecotracker-controller-manager -n ecotracker-system --replicas=0")
		output, err := try(ctx, "kubectl run root -n ecotracker-system --image=example.org/root:1")
		Expect(err).To(HaveOccurred())
		Expect(output).To(ContainSubstring(`violates PodSecurity "restricted`))
	})

	It("runs an older manager when told to, and the newer one again", func(ctx context.Context) {
		sh(ctx, "%s", documented("install.md", "back"))
		Expect(sh(ctx, manager)).To(HavePrefix("registry.example.org/ecotracker-operator:old "))
		sh(ctx, "kubectl apply -f dist/install.yaml")
		Expect(sh(ctx, manager)).To(HavePrefix("ecotracker-operator:dev "))
		sh(ctx, "kubectl scale deployment ecotracker-controller-manager -n ecotracker-system --replicas=0")
	})

	It("gives everybody the rights of the table, and no others", func(ctx context.Context) {
		Expect(missingCells()).To(BeEmpty(), "tell of them in the table of docs/security.md")
		Expect(foreignRights(ctx)).To(BeEmpty())
		// The built-in roles are put together by a controller, a moment after ours were applied.
		Eventually(wrongCells).WithContext(ctx).Should(BeEmpty())
	})

	It("shows GridRegions to who has the role for the cluster", func(ctx context.Context) {
		sh(ctx, "%s", documented("security.md", "regions"))
		Eventually(func(ctx context.Context) error {
			_, err := try(ctx, "kubectl get gridregion gb --as=someone --as-group=example:teams")
			return err
		}).WithContext(ctx).Should(Succeed())
	})

	It("takes CarbonAwareJobs only from who may create Jobs", func(ctx context.Context) {
		Eventually(func(ctx context.Context) string { // the policy counts a moment after it was applied
			output, err := as(ctx, "half-hal", "refused")
			if err == nil {
				sh(ctx, "kubectl delete carbonawarejob refused -n team")
			}
			return output
		}).WithContext(ctx).Should(ContainSubstring("a CarbonAwareJob creates a Job: half-hal needs the right to create jobs.batch in namespace team"))
		Eventually(func(ctx context.Context) error {
			_, err := as(ctx, "editor-eve", "mine")
			return err
		}).WithContext(ctx).Should(Succeed())

		const patch = "kubectl patch carbonawarejob mine -n team --as=half-hal --type=merge -p "
		output, err := try(ctx, patch+`'{"spec":{"jobTemplate":{"spec":{"template":{"spec":{"serviceAccountName":"rich"}}}}}}'`)
		Expect(err).To(HaveOccurred())
		Expect(output).To(ContainSubstring("needs the right to create jobs.batch"))
		sh(ctx, "%s", patch+`'{"metadata":{"labels":{"a":"b"}}}'`)

		sh(ctx, "kubectl create rolebinding half-jobs -n team --clusterrole=edit --user=half-hal")
		Eventually(func(ctx context.Context) error {
			_, err := as(ctx, "half-hal", "allowed")
			return err
		}).WithContext(ctx).Should(Succeed())
	})

	It("is removed with its jobs, of which none is stuck", func(ctx context.Context) {
		startManager(ctx)
		for _, name := range []string{"mine", "allowed"} {
			sh(ctx, "kubectl wait --for=create job/%s -n team --timeout=3m", name)
			Expect(sh(ctx, "kubectl get carbonawarejob,job %s -n team -o jsonpath='{.items[*].metadata.finalizers}'", name)).To(ContainSubstring("carbon.ecotracker.dev"))
		}
		// The garbage collector changes an object that is deleted in the foreground, and may not create Jobs.
		sh(ctx, "kubectl delete carbonawarejob allowed -n team --cascade=foreground --timeout=3m")
		sh(ctx, "%s", documented("install.md", "uninstall"))
		sh(ctx, "kubectl wait --for=delete job/mine -n team --timeout=3m")
		sh(ctx, "kubectl delete clusterrolebinding ecotracker-test-admin ecotracker-regions")
		Expect(left(ctx)).To(BeEmpty())
	})

	It("can be removed by hand when the operator is gone, whatever its jobs were doing", func(ctx context.Context) {
		install(ctx)
		sh(ctx, `kubectl create -f - <<'END'
{apiVersion: carbon.ecotracker.dev/v1alpha1, kind: GridRegion, metadata: {name: steady}, spec: {source: {static: {gramsPerKWh: "100"}}}}
---
{apiVersion: carbon.ecotracker.dev/v1alpha1, kind: CarbonBudget, metadata: {name: full, namespace: team}, spec: {limitGrams: "1", selector: {matchLabels: {held: "yes"}}}}
END`)
		m := startManager(ctx)
		for name, edits := range map[string][]string{ // by the STATUS that they come to, with what makes it so
			"suspended":  {"maxDelay: 0s", "suspend: true"},
			"running":    {"run-for: 1s", "run-for: 600s"},
			"completed":  {},
			"failed":     {"run-for: 1s", `run-for: 1s, controlplane/fail: "true"`},
			"budgethold": {"namespace: team", `namespace: team, labels: {held: "yes"}`},
			"invalid":    {"image: example.org/eval:1", "image: example.org/eval:1, volumeMounts: [{name: missing, mountPath: /x}]"},
		} {
			manifest := strings.NewReplacer("SPACE", "team", "NAME", name).Replace(runnable)
			sh(ctx, "%s", "kubectl create -f - <<'END'"+strings.NewReplacer(edits...).Replace(manifest)+"END")
		}
		Eventually(func(g Gomega, ctx context.Context) {
			for line := range strings.SplitSeq(strings.TrimSpace(sh(ctx, "kubectl get carbonawarejobs -n team --no-headers")), "\n") {
				words := strings.Fields(line)
				g.Expect(strings.ToLower(words[1])).To(Equal(words[0]))
			}
		}).WithContext(ctx).WithTimeout(3 * time.Minute).Should(Succeed())
		m.Kill()
		sh(ctx, `kubectl create -f - <<'END'
{apiVersion: batch/v1, kind: Job, metadata: {name: stray, namespace: team, finalizers: [carbon.ecotracker.dev/emissions]},
 spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: x, image: x}]}}}}
END`)
		sh(ctx, "kubectl delete carbonawarejob running -n team --wait=false")
		Expect(sh(ctx, "kubectl get carbonawarejob running -n team -o name")).NotTo(BeEmpty(), "its finalizer holds it")
		sh(ctx, "%s", documented("install.md", "finalizers"))
		sh(ctx, "kubectl delete job stray -n team --timeout=1m")
		sh(ctx, "%s", documented("install.md", "uninstall"))
		sh(ctx, "kubectl wait --for=delete job --all -n team --timeout=3m; kubectl delete namespace team other --timeout=2m; kubectl delete clusterrolebinding --ignore-not-found ecotracker-test-admin")
		Expect(left(ctx)).To(BeEmpty())
	}, NodeTimeout(5*time.Minute))
})
