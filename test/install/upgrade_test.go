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
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// olderCommit is what this version is exchanged with where the repository has no tag: the last commit before
// namespaced mode, admission policies and the chart.
const olderCommit = "741402be334e"

// olderManager builds the manager of the last tag, or of olderCommit.
func olderManager(ctx context.Context) string {
	GinkgoHelper()
	commit := olderCommit
	if tag, err := try(ctx, "git describe --tags --abbrev=0"); err == nil {
		commit = strings.TrimSpace(tag)
	}
	if _, err := try(ctx, "git cat-file -e "+commit+"^{commit}"); err != nil {
		Skip("SKIPPED: this clone does not have the commit " + commit + "; fetch the whole history")
	}
	dir, err := os.MkdirTemp("", "older-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	sh(ctx, "git archive %s | tar -x -C %s; cd %s; CGO_ENABLED=0 go build -trimpath -o older-manager ./cmd/manager", commit, dir, dir)
	AddReportEntry("older version", commit, ReportEntryVisibilityAlways)
	return filepath.Join(dir, "older-manager")
}

// oneOf makes the runnable job of the name, with further fields of its spec.
func oneOf(ctx context.Context, name, runFor, fields string) {
	GinkgoHelper()
	manifest := strings.NewReplacer("SPACE", "upgraded", "NAME", name, "run-for: 1s", "run-for: "+runFor, "maxDelay: 0s", "regions: [steady]\n  "+fields).Replace(runnable)
	sh(ctx, "%s", "kubectl create -f - <<'END'"+manifest+"END")
}

var _ = Describe("An upgrade of the operator, and the way back", Ordered, func() {
	It("loses nothing that is stored, and starts nothing twice", func(ctx context.Context) {
		beginEmpty(ctx)
		older, newer := olderManager(ctx), filepath.Join(root, "bin", "manager")
		install(ctx)
		sh(ctx, `kubectl create namespace upgraded; kubectl create -f - <<'END'
{apiVersion: carbon.ecotracker.dev/v1alpha1, kind: GridRegion, metadata: {name: steady}, spec: {source: {static: {gramsPerKWh: "100"}}}}
---
{apiVersion: carbon.ecotracker.dev/v1alpha1, kind: CarbonBudget, metadata: {name: all, namespace: upgraded}, spec: {limitGrams: "5000"}}
END`)
		By("adding fields to the kinds that no version knows")
		for _, kind := range []string{"carbonawarejobs", "carbonbudgets", "gridregions"} {
			schema := "/spec/versions/0/schema/openAPIV3Schema/properties/"
			sh(ctx, `kubectl patch crd %s.carbon.ecotracker.dev --type=json -p '[
				{"op":"add","path":"%sspec/properties/future","value":{"type":"string"}},
				{"op":"add","path":"%sstatus/properties/future","value":{"type":"string"}}]'`, kind, schema, schema)
		}
		jobs := []string{"held", "running", "done", "later"}
		m := startManagerOf(ctx, older)
		oneOf(ctx, "held", "1s", "maxDelay: 0s\n  suspend: true")
		oneOf(ctx, "running", "100000s", "maxDelay: 0s")
		oneOf(ctx, "done", "1s", "maxDelay: 0s")
		oneOf(ctx, "later", "1s", "maxDelay: 0s\n  suspend: true")
		sh(ctx, "kubectl wait --for=condition=Complete carbonawarejob/done -n upgraded --timeout=3m; kubectl wait --for=condition=Started carbonawarejob/running -n upgraded --timeout=3m")
		sh(ctx, "kubectl wait --for=create job/held job/later -n upgraded --timeout=3m")
		sh(ctx, "kubectl wait --for=jsonpath='{.status.completedJobs}'=1 carbonbudget/all -n upgraded --timeout=3m")
		m.Kill()
		for _, object := range []string{"carbonawarejob/held -n upgraded", "carbonawarejob/running -n upgraded", "carbonawarejob/done -n upgraded", "carbonawarejob/later -n upgraded", "carbonbudget/all -n upgraded", "gridregion/steady"} {
			sh(ctx, `kubectl patch %s --type=merge -p '{"spec":{"future":"kept"}}'; kubectl patch %s --subresource=status --type=merge -p '{"status":{"future":"kept"}}'`, object, object)
		}
		uids := "kubectl get jobs -n upgraded held running done later -o jsonpath='{.items[*].metadata.uid}'"
		firstUIDs := sh(ctx, "%s", uids)
		record := "kubectl get carbonawarejob done -n upgraded -o jsonpath='{.status.emissions}'"
		firstRecord := sh(ctx, "%s", record)

		By("upgrading")
		m = startManagerOf(ctx, newer)
		sh(ctx, `kubectl patch carbonawarejob held -n upgraded --type=merge -p '{"spec":{"suspend":false}}'; kubectl wait --for=condition=Complete carbonawarejob/held -n upgraded --timeout=3m`)
		oneOf(ctx, "new", "1s", "maxDelay: 0s")
		sh(ctx, "kubectl wait --for=condition=Complete carbonawarejob/new -n upgraded --timeout=3m")
		sh(ctx, "kubectl wait --for=jsonpath='{.status.completedJobs}'=3 carbonbudget/all -n upgraded --timeout=3m")
		m.Kill()

		By("going back")
		m = startManagerOf(ctx, older)
		sh(ctx, `kubectl patch carbonawarejob later -n upgraded --type=merge -p '{"spec":{"suspend":false}}'; kubectl wait --for=condition=Complete carbonawarejob/later -n upgraded --timeout=3m`)
		sh(ctx, "kubectl wait --for=jsonpath='{.status.completedJobs}'=4 carbonbudget/all -n upgraded --timeout=3m")
		Expect(sh(ctx, "kubectl get carbonbudget all -n upgraded -o jsonpath='{.status.consumedGrams}'")).To(Equal("200"), "four runs of 0.5 kWh at 100 g:\n%s",
			sh(ctx, "kubectl get carbonawarejobs -n upgraded; kubectl get carbonbudgets,carbonawarejobs -n upgraded -o jsonpath='{.items[*].status}'"))
		Expect(sh(ctx, "%s", uids)).To(Equal(firstUIDs), "no Job was made again")
		Expect(sh(ctx, "%s", record)).To(Equal(firstRecord))
		Expect(sh(ctx, "kubectl get carbonawarejob running -n upgraded -o jsonpath='{.status.conditions[?(@.type==\"Ready\")].reason}'")).To(Equal("Running"))
		Expect(strings.Fields(sh(ctx, "kubectl get carbonawarejobs -n upgraded %s -o jsonpath='{.items[*].spec.future} {.items[*].status.future}'", strings.Join(jobs, " ")))).To(
			And(HaveLen(8), HaveEach("kept")), "fields that it does not know")
		Expect(sh(ctx, "kubectl get carbonbudget all -n upgraded -o jsonpath='{.spec.future}{.status.future}'; kubectl get gridregion steady -o jsonpath='{.spec.future}{.status.future}'")).To(Equal("keptkeptkeptkept"))

		sh(ctx, "kubectl delete carbonawarejobs --all -n upgraded --timeout=3m")
		m.Kill()
		sh(ctx, "kubectl delete gridregions --all; kubectl delete namespace upgraded --timeout=2m")
		sh(ctx, "%s", documented("install.md", "uninstall"))
		Expect(left(ctx)).To(BeEmpty())
	}, NodeTimeout(10*time.Minute))
})
