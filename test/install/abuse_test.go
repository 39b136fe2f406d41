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
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/process"
)

// apply creates or changes objects as a user.
func apply(ctx context.Context, user, manifest string) (string, error) {
	return try(ctx, "kubectl apply --server-side --as="+user+" -f - <<'END'\n"+manifest+"\nEND")
}

var _ = Describe("Abuse", Ordered, func() {
	var (
		c client.WithWatch
		m *process.Process
	)

	BeforeAll(func(ctx context.Context) {
		beginEmpty(ctx)
		install(ctx)
		sh(ctx, `kubectl create namespace team; kubectl create namespace treasury
			kubectl create secret generic gold -n treasury --from-literal=token=the-gold-itself
			kubectl create rolebinding editor -n team --clusterrole=edit --user=editor-eve
			kubectl create role half -n team --verb=create,get,patch,update --resource=carbonawarejobs.carbon.ecotracker.dev
			kubectl create rolebinding half -n team --role=half --user=half-hal
			kubectl create -f - <<'END'
{apiVersion: carbon.ecotracker.dev/v1alpha1, kind: GridRegion, metadata: {name: steady}, spec: {source: {static: {gramsPerKWh: "100"}}}}
END`)
		m = startManager(ctx)
		c = newCluster()
		Eventually(func(ctx context.Context) error { // the roles and the policies count a moment after they were applied
			_, err := try(ctx, "kubectl auth can-i create carbonawarejobs -n team --as=editor-eve")
			return err
		}).WithContext(ctx).Should(Succeed())
		Eventually(func(ctx context.Context) string {
			output, _ := as(ctx, "half-hal", "refused") // it is refused once the policy counts
			return output
		}).WithContext(ctx).Should(ContainSubstring("needs the right to create jobs.batch"))
	})

	AfterAll(func(ctx context.Context) {
		sh(ctx, "kubectl delete gridregions --all; kubectl delete namespace team treasury --timeout=3m")
		sh(ctx, "%s", documented("install.md", "uninstall"))
	}, NodeTimeout(10*time.Minute))

	region := func(ctx context.Context, name, source string) string {
		GinkgoHelper()
		sh(ctx, "%s", "kubectl create --validate=ignore -f - <<'END'\n{apiVersion: carbon.ecotracker.dev/v1alpha1, kind: GridRegion, metadata: {name: "+name+"}, spec: {source: "+source+", annualMean: GBR}}\nEND")
		fresh := &metaCondition{}
		Eventually(func(g Gomega) {
			r := &carbonv1alpha1.GridRegion{}
			g.Expect(c.Get(ctx, client.ObjectKey{Name: name}, r)).To(Succeed())
			found := meta.FindStatusCondition(r.Status.Conditions, carbonv1alpha1.RegionFresh)
			g.Expect(found).NotTo(BeNil())
			fresh.status, fresh.message = string(found.Status), found.Message
		}).WithContext(ctx).Should(Succeed())
		Expect(fresh.status).To(Equal("False"), fresh.message)
		return fresh.message
	}

	It("leads to no object of another namespace", func(ctx context.Context) {
		for name, source := range map[string]string{
			"secret":    "{electricityMaps: {zone: DE, tokenSecretRef: {name: gold, namespace: treasury}}}",
			"configmap": "{trace: {configMapRef: {name: kube-root-ca.crt, namespace: treasury, key: ca.crt}}}",
		} {
			output, err := try(ctx, "kubectl create -f - <<'END'\n{apiVersion: carbon.ecotracker.dev/v1alpha1, kind: GridRegion, metadata: {name: "+name+"}, spec: {source: "+source+"}}\nEND")
			Expect(err).To(HaveOccurred())
			Expect(output).To(MatchRegexp(`unknown field "spec.source.*namespace"`))
		}
		Expect(region(ctx, "pruned", "{electricityMaps: {zone: DE, tokenSecretRef: {name: gold, namespace: treasury}}}")).To(ContainSubstring("Secret ecotracker-system/gold does not exist"))
		for i, name := range []string{"../../treasury/secrets/gold", "treasury/gold", "..", "gold?namespace=treasury"} {
			Expect(region(ctx, fmt.Sprintf("path-%d", i), fmt.Sprintf("{electricityMaps: {zone: DE, tokenSecretRef: {name: %q}}}", name))).NotTo(ContainSubstring("the-gold-itself"))
		}
		Expect(m.Log()).NotTo(ContainSubstring("the-gold-itself"))
		Expect(sh(ctx, "kubectl get gridregions,events -A -o yaml")).NotTo(ContainSubstring("the-gold-itself"))
	})

	It("makes the operator call no address within the cluster", func(ctx context.Context) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(listener.Close)
		var calls atomic.Int32
		go func() {
			for connection, err := listener.Accept(); err == nil; connection, err = listener.Accept() {
				calls.Add(1)
				_ = connection.Close()
			}
		}()
		port := strings.TrimPrefix(listener.Addr().String(), "127.0.0.1")
		for i, endpoint := range []string{
			"https://127.0.0.1" + port, "http://127.0.0.1" + port, "https://localhost" + port, "https://2130706433" + port,
			"https://0x7f000001" + port, "https://0177.0.0.1" + port, "https://0.0.0.0" + port, "https://169.254.169.254/latest/meta-data",
		} {
			message := region(ctx, fmt.Sprintf("ssrf-%d", i), fmt.Sprintf("{carbonAwareSDK: {endpoint: %q, location: uksouth}}", endpoint))
			Expect(message).To(Or(ContainSubstring("not public"), ContainSubstring("https"), ContainSubstring("cannot be resolved")), endpoint)
		}
		Expect(calls.Load()).To(BeZero())
		_, err = apply(ctx, "editor-eve", `{apiVersion: carbon.ecotracker.dev/v1alpha1, kind: GridRegion, metadata: {name: mine}, spec: {source: {static: {gramsPerKWh: "1"}}}}`)
		Expect(err).To(HaveOccurred(), "a team makes no regions")
	})

	It("lends nobody the rights of a service account", func(ctx context.Context) {
		rich := strings.Replace(strings.ReplaceAll(job, "NAME", "rich"), "restartPolicy", "serviceAccountName: rich\n          restartPolicy", 1)
		for _, command := range []string{"create", "apply", "apply --server-side", "create --validate=ignore", "apply --server-side --field-manager=x --force-conflicts"} {
			output, err := try(ctx, "kubectl "+command+" --as=half-hal -f - <<'END'"+rich+"END")
			Expect(err).To(HaveOccurred(), command)
			Expect(output).To(ContainSubstring("needs the right to create jobs.batch"), command)
		}
		_, err := as(ctx, "editor-eve", "plain")
		Expect(err).NotTo(HaveOccurred())
		for _, command := range []string{"replace", "apply", "apply --server-side --force-conflicts"} {
			output, err := try(ctx, "kubectl "+command+" --as=half-hal -f - <<'END'"+strings.ReplaceAll(rich, "name: rich", "name: plain")+"END")
			Expect(err).To(HaveOccurred(), command)
			Expect(output).To(Or(ContainSubstring("needs the right to create jobs.batch"), ContainSubstring("cannot change once the Job exists")), command)
		}
		sh(ctx, "kubectl delete carbonawarejob plain -n team --timeout=3m")
	})

	It("lets nobody but the operator write a status, or what it is made from", func(ctx context.Context) {
		forged := strings.ReplaceAll(runnable, "spec:\n  maxDelay", `status: {job: {name: x, uid: x}, reservedGrams: "7"}`+"\nspec:\n  maxDelay")
		forged = strings.NewReplacer("SPACE", "team", "NAME", "forged", "run-for: 1s", "run-for: 600s").Replace(forged)
		_, err := apply(ctx, "editor-eve", forged)
		Expect(err).NotTo(HaveOccurred())
		sh(ctx, "kubectl wait --for=condition=Started carbonawarejob/forged -n team --timeout=3m")
		Expect(sh(ctx, "kubectl get carbonawarejob forged -n team -o jsonpath='{.status.job.name}{.status.reservedGrams}'")).To(Equal("forged"))
		for _, kind := range []string{"carbonawarejob/forged -n team", "gridregion/steady", "carbonbudget/any -n team"} {
			output, err := try(ctx, "kubectl patch "+kind+` --subresource=status --as=editor-eve --type=merge -p '{"status":{"observedGeneration":7}}'`)
			Expect(err).To(HaveOccurred())
			Expect(output).To(ContainSubstring("forbidden"), kind)
		}
		for patch, what := range map[string]string{
			`{"metadata":{"annotations":{"carbon.ecotracker.dev/start":"{\"region\":\"clean\",\"gramsPerKWh\":\"1\"}"}}}`: "the annotation carbon.ecotracker.dev/start",
			`{"metadata":{"annotations":{"carbon.ecotracker.dev/start":null}}}`:                                           "the annotation carbon.ecotracker.dev/start",
			`{"metadata":{"annotations":{"carbon.ecotracker.dev/stop":"{}"}}}`:                                            "the annotation carbon.ecotracker.dev/stop",
			`{"metadata":{"annotations":{"carbon.ecotracker.dev/given-back":"1"}}}`:                                       "the annotation carbon.ecotracker.dev/given-back",
			`{"metadata":{"annotations":{"carbon.ecotracker.dev/template":null}}}`:                                        "the annotation carbon.ecotracker.dev/template",
			`{"metadata":{"finalizers":null}}`:                                                                            "its finalizer carbon.ecotracker.dev/emissions",
		} {
			output, err := try(ctx, "kubectl patch job forged -n team --as=editor-eve --type=merge -p '"+patch+"'")
			Expect(err).To(HaveOccurred(), patch)
			Expect(output).To(ContainSubstring("editor-eve may not change "+what), patch)
		}
		sh(ctx, `kubectl patch job forged -n team --as=editor-eve --type=merge -p '{"metadata":{"annotations":{"mine":"yes"}}}'`)

		By("having a Job kept for ever, and its namespace with it")
		stray := `{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"stray","namespace":"team"%s},"spec":{"suspend":true,` +
			`"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"x","image":"x"}]}}}}`
		const finalizer = `"finalizers":["carbon.ecotracker.dev/emissions"]`
		output, err := apply(ctx, "editor-eve", fmt.Sprintf(stray, ","+finalizer))
		Expect(err).To(HaveOccurred())
		Expect(output).To(ContainSubstring("editor-eve may not change its finalizer carbon.ecotracker.dev/emissions"))
		_, err = apply(ctx, "editor-eve", fmt.Sprintf(stray, ""))
		Expect(err).NotTo(HaveOccurred())
		output, err = try(ctx, "kubectl patch job stray -n team --as=editor-eve --type=merge -p '{\"metadata\":{"+finalizer+"}}'")
		Expect(err).To(HaveOccurred())
		Expect(output).To(ContainSubstring("editor-eve may not change its finalizer carbon.ecotracker.dev/emissions"))
		sh(ctx, "kubectl delete job stray -n team --timeout=1m")

		By("having the grams of a run forgotten")
		sh(ctx, "kubectl wait --for=jsonpath='{.status.job.runs[0].start}' carbonawarejob/forged -n team --timeout=3m")
		output, err = try(ctx, `kubectl patch carbonawarejob forged -n team --as=editor-eve --type=merge -p '{"metadata":{"finalizers":null}}'`)
		Expect(err).To(HaveOccurred())
		Expect(output).To(ContainSubstring("editor-eve may not change its finalizer carbon.ecotracker.dev/carbonawarejob"))
		sh(ctx, "kubectl delete carbonawarejob forged -n team --timeout=3m")

		By("replacing one that has no grams yet, which takes the finalizer off")
		_, err = as(ctx, "editor-eve", "waiting")
		Expect(err).NotTo(HaveOccurred())
		sh(ctx, "kubectl wait --for=create job/waiting -n team --timeout=3m")
		sh(ctx, "%s", "kubectl replace --as=editor-eve -f - <<'END'"+strings.ReplaceAll(job, "NAME", "waiting")+"END")
		sh(ctx, "kubectl wait --for=jsonpath='{.metadata.finalizers[0]}'=carbon.ecotracker.dev/carbonawarejob carbonawarejob/waiting -n team --timeout=3m")
		sh(ctx, "kubectl delete carbonawarejob waiting -n team --timeout=3m")
	})

	It("touches no Job of others, whatever its name, labels and owners say", func(ctx context.Context) {
		const foreign = `{apiVersion: batch/v1, kind: Job, metadata: {name: taken, namespace: team, labels: {carbon.ecotracker.dev/carbonawarejob: taken}OWNER},
			spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: main, image: "example.org/x:1"}]}}}}`
		sh(ctx, "%s", "kubectl create --as=editor-eve -f - <<'END'\n"+strings.ReplaceAll(foreign, "OWNER", "")+"\nEND")
		was := sh(ctx, "kubectl get job taken -n team -o jsonpath='{.metadata.uid} {.metadata.resourceVersion}'")
		create(ctx, "team", "taken")
		sh(ctx, "kubectl wait --for=jsonpath='{.status.conditions[?(@.type==\"Ready\")].reason}'=NameConflict carbonawarejob/taken -n team --timeout=3m")
		sh(ctx, "kubectl delete carbonawarejob taken -n team --timeout=3m")
		Expect(sh(ctx, "kubectl get job taken -n team -o jsonpath='{.metadata.uid} {.metadata.resourceVersion}'")).To(Equal(was))

		By("an owner of another namespace")
		create(ctx, "treasury", "owner")
		sh(ctx, "kubectl wait --for=condition=Complete carbonawarejob/owner -n treasury --timeout=3m")
		uid := sh(ctx, "kubectl get carbonawarejob owner -n treasury -o jsonpath='{.metadata.uid}'")
		record := sh(ctx, "kubectl get carbonawarejob owner -n treasury -o jsonpath='{.status}'")
		owner := `, ownerReferences: [{apiVersion: carbon.ecotracker.dev/v1alpha1, kind: CarbonAwareJob, name: owner, uid: ` + uid + `, controller: true}]`
		sh(ctx, "%s", "kubectl create --as=editor-eve -f - <<'END'\n"+strings.NewReplacer("OWNER", owner, "name: taken", "name: owner").Replace(foreign)+"\nEND")
		create(ctx, "team", "after") // when this is done, the forged Job was looked at too
		sh(ctx, "kubectl wait --for=condition=Complete carbonawarejob/after -n team --timeout=3m")
		Expect(sh(ctx, "kubectl get carbonawarejob owner -n treasury -o jsonpath='{.status}'")).To(Equal(record))
		sh(ctx, "kubectl delete carbonawarejobs --all -A --timeout=3m; kubectl delete jobs --all -n team --timeout=3m")
	})

	It("works for others while it is told at length why Jobs are refused", func(ctx context.Context) {
		const workers = 32                      // of the operator
		invalid := func(i, names, length int) { // each name that no variable can have comes back in the API server's answer
			j := build.CarbonAwareJob(fmt.Sprintf("refused-%d", i), "team").Regions("steady").MaxDelay(0).Jitter(0).Obj()
			container := &j.Spec.JobTemplate.Spec.Template.Spec.Containers[0]
			for n := range names {
				container.Env = append(container.Env, corev1.EnvVar{Name: fmt.Sprintf("=%d", n) + strings.Repeat("=", length)})
			}
			Expect(c.Create(ctx, j)).To(Succeed())
		}
		m.Pause() // so that they are all worked on at once
		for i := range workers + 8 {
			invalid(i, 1+i%2*1999, 400000*(1-i%2))
		}
		create(ctx, "treasury", "beside")
		m.Resume()
		sh(ctx, "kubectl wait --for=condition=Complete carbonawarejob/beside -n treasury --timeout=3m")
		sh(ctx, "kubectl wait --for=jsonpath='{.status.conditions[?(@.type==\"Ready\")].reason}'=Invalid carbonawarejobs --all -n team --timeout=3m")
		AddReportEntry("memory", fmt.Sprintf("%.0f MiB at most", m.PeakMemory()), ReportEntryVisibilityAlways)
		Expect(m.PeakMemory()).To(BeNumerically("<", memoryLimit(ctx)))
		sh(ctx, "kubectl delete carbonawarejobs --all -A --timeout=3m")
	})

	It("survives what is as large, and as deep, as the API server takes", func(ctx context.Context) {
		big := func(name string, kib int) *carbonv1alpha1.CarbonAwareJob {
			j := build.CarbonAwareJob(name, "team").Regions("steady").MaxDelay(0).Jitter(0).Obj()
			container := &j.Spec.JobTemplate.Spec.Template.Spec.Containers[0]
			for i := range kib {
				container.Env = append(container.Env, corev1.EnvVar{Name: fmt.Sprintf("V%d", i), Value: strings.Repeat("x", 1000)})
			}
			return j
		}
		Expect(c.Create(ctx, big("toobig", 4000))).To(MatchError(ContainSubstring("too large")), "beyond what a request may have")
		Expect(apierrors.IsForbidden(c.Create(ctx, big("toobig", 1600)))).To(BeFalse())
		var accepted []string
		for _, kib := range []int{700, 1000, 1200, 1300, 1350, 1400, 1430} {
			name := fmt.Sprintf("big-%d", kib)
			if err := c.Create(ctx, big(name, kib)); err != nil {
				Expect(err).To(MatchError(ContainSubstring("too large")), "%d KiB", kib)
				continue
			}
			accepted = append(accepted, name)
		}
		Expect(len(accepted)).To(BeNumerically(">=", 3))
		create(ctx, "treasury", "neighbour")
		sh(ctx, "kubectl wait --for=condition=Complete carbonawarejob/neighbour -n treasury --timeout=3m")
		for _, name := range accepted {
			Eventually(func(g Gomega) {
				j := &carbonv1alpha1.CarbonAwareJob{}
				g.Expect(c.Get(ctx, client.ObjectKey{Namespace: "team", Name: name}, j)).To(Succeed())
				ready := meta.FindStatusCondition(j.Status.Conditions, carbonv1alpha1.ConditionReady)
				g.Expect(ready).NotTo(BeNil(), "%s says nothing", name)
				g.Expect(ready.Reason).To(Or(Equal("Running"), Equal("Completed"), Equal("Starting"), Equal("Invalid")), ready.Message)
				GinkgoWriter.Printf("%s: %s %s\n", name, ready.Reason, ready.Message)
			}).WithContext(ctx).Should(Succeed())
		}

		By("sending what is nested deeply")
		for _, field := range []string{"deep", "spec", "jobTemplate"} {
			deep := `{"apiVersion":"carbon.ecotracker.dev/v1alpha1","kind":"CarbonAwareJob","metadata":{"name":"deep","namespace":"team"},"` + field + `":` +
				strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000) + "}"
			output, err := try(ctx, "kubectl create --raw /apis/carbon.ecotracker.dev/v1alpha1/namespaces/team/carbonawarejobs -f - <<'END'\n"+deep+"\nEND")
			Expect(err).To(HaveOccurred())
			Expect(output).To(Or(ContainSubstring("max depth"), ContainSubstring("unknown field"), ContainSubstring("spec"), ContainSubstring("depth")))
		}
		Expect(m.Running()).To(BeTrue())
		sh(ctx, "kubectl delete carbonawarejobs --all -A --timeout=3m")
	})
})

type metaCondition struct{ status, message string }
