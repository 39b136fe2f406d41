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

package e2e

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/llm"
)

// The images that `make test-e2e` gives to the nodes.
const (
	meterImage = "ecotracker.dev/meter:dev"
	agentImage = "ecotracker.dev/agent:dev"
)

// The demonstrations of the EcoTracker paper, by spec.llm.meter alone.
var _ = Describe("A job with a meter", func() {
	BeforeEach(func() {
		if !realNodes {
			Skip("SKIPPED: simulated pods make no calls; `make test-e2e` runs this on real nodes")
		}
	})

	It("is downgraded on a dirty grid call by call, and what that saved is on record", func(ctx context.Context) {
		// The code names gpt-4.1 itself: no variable tells it of the downgrade.
		key := metered(ctx, "gpt-4.1", func(j *build.Job) *build.Job {
			j = j.Model("", "gpt-4.1", "gpt-4.1-mini", 300)
			return j
		}, "loop", "3")
		eventuallyStatus(ctx, key, "Completed")
		caj := eventuallyFinal(ctx, key)
		pod := podOf(ctx, key)
		Expect(agentLog(ctx, pod)).To(Equal(strings.Repeat("gpt-4.1-mini-2025-04-14\n", 3)))
		Expect(caj.Status.Model.Usage).To(HaveLen(1))
		usage := caj.Status.Model.Usage[0]
		Expect(usage.Requested).To(Equal("gpt-4.1"))
		Expect(usage.Effective).To(Equal("gpt-4.1-mini-2025-04-14"))
		Expect(usage.Downgraded).To(BeTrue())
		Expect(usage.Calls).To(BeEquivalentTo(3))
		Expect(usage.OutputTokens).To(BeEquivalentTo(3 * llm.Output))
		e := caj.Status.Emissions
		Expect(e.Method).To(Equal("Measured"))
		Expect(decimal(usage.EnergyKWh) / decimal(usage.RequestedKWh)).To(BeNumerically("~", 0.201, 0.001))
		Expect(decimal(e.AvoidedBy.Model)).To(BeNumerically("~", (decimal(usage.RequestedKWh)-decimal(usage.EnergyKWh))*320, 1e-8))
		Expect(decimal(e.ActualGrams)).To(BeNumerically("~", decimal(usage.EnergyKWh)*320, 1e-8))
		GinkgoWriter.Printf("%s\n", meta.FindStatusCondition(caj.Status.Conditions, carbonv1alpha1.ConditionEmissionsRecorded).Message)

		By("leaving no token in the sidecar, and the user's where it was")
		for _, c := range pod.Spec.InitContainers {
			if c.Name == meterName {
				Expect(mounts(c)["/var/run/secrets/kubernetes.io/serviceaccount"]).To(Equal("carbon-meter-no-token"))
			}
		}
		Expect(mounts(pod.Spec.Containers[0])["/var/run/secrets/kubernetes.io/serviceaccount"]).To(HavePrefix("kube-api-access-"))
		var record struct {
			Run   string  `json:"-"`
			Saved float64 `json:"saved_gco2eq"`
		}
		log := kubectl(ctx, "logs", "--namespace", key.Namespace, pod.Name, "--container="+meterName)
		Expect(json.Unmarshal([]byte(lastLine(log)), &record)).To(Succeed())
		Expect(record.Saved).To(BeNumerically(">", 0))
		Expect(log).To(ContainSubstring(string(caj.UID)), "the record names its run")
	})

	It("ends at its limit: the second call reaches it, the third is refused, and no pod is tried again", func(ctx context.Context) {
		key := metered(ctx, "gpt-4o-mini", func(j *build.Job) *build.Job {
			return j.MaxGrams("0.001").Template(func(t *batchv1.JobTemplateSpec) { t.Spec.BackoffLimit = ptr.To[int32](6) })
		}, "loop", "5")
		eventuallyStatus(ctx, key, "BudgetExceeded")
		caj := eventuallyFinal(ctx, key)
		Expect(caj.Status.Meter.RefusedCalls).To(BeEquivalentTo(1))
		Expect(caj.Status.Model.Usage).To(HaveLen(1))
		Expect(caj.Status.Model.Usage[0].Calls).To(BeEquivalentTo(2))
		Expect(decimal(caj.Status.Emissions.ActualGrams)).To(BeNumerically("~", decimal(caj.Status.Model.Usage[0].EnergyKWh)*320, 1e-8))
		failed := meta.FindStatusCondition(caj.Status.Conditions, carbonv1alpha1.ConditionFailed)
		Expect(failed.Reason).To(Equal("CarbonBudgetExceeded"))
		Expect(failed.Message).To(ContainSubstring("spec.maxGrams is 0.001 g"))
		Expect(kubectl(ctx, "get", "events", "--namespace", key.Namespace)).To(ContainSubstring("CarbonBudgetExceeded"))
	})

	It("ends at its limit also when its code does not heed the refusals", func(ctx context.Context) {
		key := metered(ctx, "gpt-4o-mini", func(j *build.Job) *build.Job { return j.MaxGrams("0.001") }, "stubborn")
		eventuallyStatus(ctx, key, "BudgetExceeded")
		caj := eventuallyFinal(ctx, key)
		Expect(caj.Status.Model.Usage).To(HaveLen(1))
		Expect(caj.Status.Model.Usage[0].Calls).To(BeEquivalentTo(2))
		Expect(caj.Status.Meter.RefusedCalls).To(BeNumerically(">", 1))
		Expect(caj.Status.Meter.PodsLost).To(BeZero())
		Expect(caj.Status.Emissions.Method).To(Equal("Measured"))
	})

	It("counts every call of an agent with nested ones", func(ctx context.Context) {
		key := metered(ctx, "gpt-4o-mini", nil, "nested")
		eventuallyStatus(ctx, key, "Completed")
		caj := eventuallyFinal(ctx, key)
		Expect(caj.Status.Model.Usage).To(HaveLen(1))
		Expect(caj.Status.Model.Usage[0].Calls).To(BeEquivalentTo(4))
		Expect(caj.Status.Meter.OutputTokens).To(BeEquivalentTo(4 * llm.Output))
		Expect(caj.Status.Meter.EstimatedCalls).To(BeZero())
		Expect(kubectl(ctx, "get", "carbonawarejob", "--namespace", key.Namespace, key.Name, "--output=jsonpath={.status.emissions.method}")).To(Equal("Measured"))
	})

	It("obeys a limit that is lowered while it runs", func(ctx context.Context) {
		key := metered(ctx, "gpt-4o-mini", func(j *build.Job) *build.Job { return j.MaxGrams("1000") }, "until-refused")
		eventuallyStatus(ctx, key, "Running")
		Eventually(func(g Gomega) {
			g.Expect(strings.Count(agentLog(ctx, runningPod(ctx, g, key)), "\n")).To(BeNumerically(">", 3))
		}).Should(Succeed())
		before := get(ctx, key)
		after := before.DeepCopy()
		after.Spec.MaxGrams = new(resource.MustParse("0.000001"))
		Expect(cluster.Patch(ctx, after, client.MergeFrom(before))).To(Succeed())
		told := time.Now()
		Eventually(ctx, func(g Gomega) {
			g.Expect(job(ctx, key).Status.Succeeded).To(BeEquivalentTo(1))
		}, "3m").Should(Succeed())
		GinkgoWriter.Printf("the decision took %s to the end of the job\n", time.Since(told).Round(time.Second))
		calls := int64(strings.Count(agentLog(ctx, podOf(ctx, key)), "\n"))
		caj := eventuallyFinal(ctx, key)
		Expect(caj.Status.Meter.Calls).To(Equal(calls+1), "those that were answered and the one that was refused")
	})

	It("goes on counting when its meter was killed, and the job with its calls", func(ctx context.Context) {
		key := metered(ctx, "gpt-4o-mini", nil, "killing")
		eventuallyStatus(ctx, key, "Completed")
		Expect(agentLog(ctx, podOf(ctx, key))).To(Equal(strings.Repeat("gpt-4o-mini-2024-07-18\n", 4)))
		caj := eventuallyFinal(ctx, key)
		Expect(caj.Status.Model.Usage).To(HaveLen(1))
		Expect(caj.Status.Model.Usage[0].Calls).To(BeEquivalentTo(4))
		Expect(caj.Status.Emissions.Method).To(Equal("Measured"))
		for _, status := range podOf(ctx, key).Status.InitContainerStatuses {
			if status.Name == meterName {
				Expect(status.RestartCount).To(BeEquivalentTo(1))
			}
		}
	})

	It("says what is lost when a pod is deleted by force, and counts the rest once", func(ctx context.Context) {
		key := metered(ctx, "gpt-4o-mini", func(j *build.Job) *build.Job {
			return j.MaxGrams("1000").Template(func(t *batchv1.JobTemplateSpec) { t.Spec.BackoffLimit = ptr.To[int32](6) })
		}, "until-refused")
		var first *corev1.Pod
		Eventually(func(g Gomega) {
			first = runningPod(ctx, g, key)
			g.Expect(agentLog(ctx, first)).NotTo(BeEmpty())
			g.Expect(get(ctx, key).Status.Meter).NotTo(BeNil())
		}).Should(Succeed())
		Expect(cluster.Delete(ctx, first, client.GracePeriodSeconds(0))).To(Succeed())
		Eventually(func(g Gomega) {
			next := runningPod(ctx, g, key)
			g.Expect(next.UID).NotTo(Equal(first.UID))
			g.Expect(agentLog(ctx, next)).NotTo(BeEmpty())
		}).Should(Succeed())
		before := get(ctx, key)
		after := before.DeepCopy()
		after.Spec.MaxGrams = new(resource.MustParse("0.000001"))
		Expect(cluster.Patch(ctx, after, client.MergeFrom(before))).To(Succeed())
		Eventually(ctx, func(g Gomega) { g.Expect(get(ctx, key).Status.Emissions).NotTo(BeNil()) }, "3m").Should(Succeed())
		caj := eventuallyFinal(ctx, key)
		Expect(caj.Status.Meter.PodsLost).To(BeEquivalentTo(1))
		Expect(caj.Status.Meter.PodsRead).To(BeEquivalentTo(1))
		Expect(caj.Status.Emissions.Method).To(Equal("MeasuredInPart"))
		Expect(meta.FindStatusCondition(caj.Status.Conditions, carbonv1alpha1.ConditionEmissionsRecorded).Message).To(ContainSubstring("the numbers of 1 of 2 pods were lost"))
	})
})

var _ = Describe("The pods of a job with a meter", func() {
	It("are told another intensity when its slot is over", func(ctx context.Context) {
		key := types.NamespacedName{Namespace: namespace(ctx), Name: "told"}
		trace(ctx, "told", 15*time.Second, nil, 100, 200, 300, 400, 500, 600, 700, 800)
		startManager("")
		j := runnable(build.CarbonAwareJob(key.Name, key.Namespace).Regions("told").MaxDelay(0).Meter(carbonv1alpha1.MeterObserve), time.Minute).Obj()
		Expect(cluster.Create(ctx, j)).To(Succeed())
		var first string
		Eventually(func(g Gomega) {
			pod := runningPod(ctx, g, key)
			first = pod.Annotations[meter.AnnotationIntensity]
			g.Expect(first).NotTo(BeEmpty())
		}).Should(Succeed())
		Eventually(func(g Gomega) {
			pod := runningPod(ctx, g, key)
			g.Expect(pod.Annotations[meter.AnnotationIntensity]).NotTo(Equal(first))
			g.Expect(job(ctx, key).Spec.Template.Annotations).To(HaveKeyWithValue(meter.AnnotationRun, string(get(ctx, key).UID)))
		}).Should(Succeed())
	})
})

const meterName = "carbon-meter"

// metered creates a job with a meter whose agent makes calls to a provider in the same pod.
func metered(ctx context.Context, model string, change func(*build.Job) *build.Job, args ...string) types.NamespacedName {
	GinkgoHelper()
	key := types.NamespacedName{Namespace: namespace(ctx), Name: "metered"}
	trace(ctx, "metered", time.Hour, nil, 320, 320)
	startManager("")
	j := build.CarbonAwareJob(key.Name, key.Namespace).Regions("metered").MaxDelay(0).Meter(carbonv1alpha1.MeterEnforce).Template(func(t *batchv1.JobTemplateSpec) {
		t.Spec.BackoffLimit = ptr.To[int32](0)
		pod := &t.Spec.Template.Spec
		pod.ShareProcessNamespace = new(true) // for the agent that kills the meter
		pod.TerminationGracePeriodSeconds = ptr.To[int64](10)
		pod.InitContainers = []corev1.Container{
			sidecar("provider", agentImage, []string{"serve"}, corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(8080)}}),
		}
		c := &pod.Containers[0]
		c.Image, c.ImagePullPolicy, c.Args = agentImage, corev1.PullNever, args
		c.SecurityContext = restricted()
		c.Env = []corev1.EnvVar{{Name: "OPENAI_BASE_URL", Value: "http://127.0.0.1:8080/v1"}, {Name: "OPENAI_MODEL", Value: model}}
	})
	if change != nil {
		j = change(j)
	}
	Expect(cluster.Create(ctx, j.Obj())).To(Succeed())
	return key
}

// sidecar is one of the user's own.
func sidecar(name, image string, args []string, started corev1.ProbeHandler) corev1.Container {
	return corev1.Container{
		Name: name, Image: image, ImagePullPolicy: corev1.PullNever, Args: args,
		RestartPolicy:   ptr.To(corev1.ContainerRestartPolicyAlways),
		StartupProbe:    &corev1.Probe{ProbeHandler: started, PeriodSeconds: 1, FailureThreshold: 30},
		SecurityContext: restricted(),
	}
}

// restricted has the same user as the meter, so that a container may kill it.
func restricted() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
		RunAsNonRoot: new(true), RunAsUser: ptr.To[int64](65532),
		Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}

// decimal is a Decimal as a float.
func decimal(d carbonv1alpha1.Decimal) float64 {
	GinkgoHelper()
	v, err := strconv.ParseFloat(string(d), 64)
	Expect(err).NotTo(HaveOccurred())
	return v
}

// mounts are the names of a container's volumes by their paths.
func mounts(c corev1.Container) map[string]string {
	at := map[string]string{}
	for _, m := range c.VolumeMounts {
		at[m.MountPath] = m.Name
	}
	return at
}

// runningPod is the pod of the job that runs.
func runningPod(ctx context.Context, g Gomega, key types.NamespacedName) *corev1.Pod {
	var pods corev1.PodList
	g.Expect(cluster.List(ctx, &pods, client.InNamespace(key.Namespace), client.MatchingLabels{"batch.kubernetes.io/job-name": key.Name})).To(Succeed())
	for i := range pods.Items {
		if statuses := pods.Items[i].Status.ContainerStatuses; len(statuses) == 1 && statuses[0].State.Running != nil && pods.Items[i].DeletionTimestamp.IsZero() {
			return &pods.Items[i]
		}
	}
	g.Expect(pods.Items).To(BeEmpty(), "no pod runs")
	g.Expect(key).To(BeZero(), "there is no pod")
	return nil
}

func podOf(ctx context.Context, key types.NamespacedName) *corev1.Pod {
	GinkgoHelper()
	var pods corev1.PodList
	Expect(cluster.List(ctx, &pods, client.InNamespace(key.Namespace), client.MatchingLabels{"batch.kubernetes.io/job-name": key.Name})).To(Succeed())
	Expect(pods.Items).To(HaveLen(1))
	return &pods.Items[0]
}

func agentLog(ctx context.Context, pod *corev1.Pod) string {
	GinkgoHelper()
	return kubectl(ctx, "logs", "--namespace", pod.Namespace, pod.Name, "--container="+pod.Spec.Containers[0].Name)
}

// lastLine is the record in a log of the meter, which also has what it said on stderr.
func lastLine(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	return lines[len(lines)-1]
}
