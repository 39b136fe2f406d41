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
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/llm"
)

// The images that `make test-e2e` gives to the nodes.
const (
	meterImage = "ecotracker.dev/meter:dev"
	agentImage = "ecotracker.dev/agent:dev"
)

// The demonstrations of the EcoTracker paper, with the meter put into the template by hand as in
// docs/meter.md.
var _ = Describe("The meter beside a job's container", func() {
	BeforeEach(func() {
		if !realNodes {
			Skip("SKIPPED: simulated pods make no calls; `make test-e2e` runs this on real nodes")
		}
	})

	It("downgrades on a dirty grid and reports what that saved", func(ctx context.Context) {
		key := metered(ctx, "gpt-4.1", map[string]string{
			meter.AnnotationIntensity: "320", meter.AnnotationBaseline: "420",
			meter.AnnotationModels: `{"gpt-4.1":"gpt-4.1-mini"}`,
		}, "loop", "1")
		eventuallyStatus(ctx, key, "Completed")
		pod := podOf(ctx, key)
		Expect(agentLog(ctx, pod)).To(Equal("gpt-4.1-mini-2025-04-14\n"))
		lines := reportOf(pod)
		Expect(lines).To(HaveLen(1))
		Expect(lines[0].Kind).To(Equal(meter.Kind{
			Provider: "openai", Operation: "chat", Requested: "gpt-4.1", Effective: "gpt-4.1-mini-2025-04-14", Status: "200", Downgraded: true,
		}))
		Expect(lines[0].Tokens).To(Equal(meter.Tokens{Input: llm.Input, Output: llm.Output, Cached: llm.Cached, Reasoning: llm.Reasoning}))
		Expect(lines[0].KWh / lines[0].RequestedKWh).To(BeNumerically("~", 0.201, 0.001))
		var record struct {
			Baseline float64 `json:"baseline_gco2eq"`
			Actual   float64 `json:"actual_gco2eq"`
			Saved    float64 `json:"saved_gco2eq"`
		}
		Expect(json.Unmarshal([]byte(lastLine(kubectl(ctx, "logs", "--namespace", key.Namespace, pod.Name, "--container=meter"))), &record)).To(Succeed())
		Expect(record.Actual).To(BeNumerically("~", lines[0].KWh*320, 1e-9))
		Expect(record.Baseline).To(BeNumerically("~", lines[0].RequestedKWh*420, 1e-9))
		Expect(record.Saved).To(Equal(record.Baseline - record.Actual))
	})

	It("stops a job at its limit: the second call reaches it, the third is refused", func(ctx context.Context) {
		key := metered(ctx, "gpt-4o-mini", map[string]string{meter.AnnotationIntensity: "320", meter.AnnotationMaxGrams: "0.001"}, "loop", "5")
		eventuallyStatus(ctx, key, "Failed")
		pod := podOf(ctx, key)
		Expect(agentLog(ctx, pod)).To(HavePrefix(strings.Repeat("gpt-4o-mini-2024-07-18\n", 2) + "agent: refused: "))
		byStatus := map[string]int64{}
		for _, line := range reportOf(pod) {
			byStatus[line.Status] += line.Calls
		}
		Expect(byStatus).To(Equal(map[string]int64{"200": 2, "refused": 1}))
	})

	It("counts every call of an agent with nested ones", func(ctx context.Context) {
		key := metered(ctx, "gpt-4o-mini", map[string]string{meter.AnnotationIntensity: "320"}, "nested")
		eventuallyStatus(ctx, key, "Completed")
		lines := reportOf(podOf(ctx, key))
		Expect(lines).To(HaveLen(1))
		Expect(lines[0].Calls).To(BeEquivalentTo(4))
		Expect(lines[0].Output).To(BeEquivalentTo(4 * llm.Output))
		Expect(lines[0].Estimated).To(BeZero())
	})

	It("obeys a decision that comes while the job runs", func(ctx context.Context) {
		key := metered(ctx, "gpt-4o-mini", map[string]string{meter.AnnotationIntensity: "320"}, "until-refused")
		eventuallyStatus(ctx, key, "Running")
		var pod *corev1.Pod
		Eventually(func(g Gomega) {
			pod = podOf(ctx, key)
			g.Expect(pod.Status.ContainerStatuses).To(HaveLen(1))
			g.Expect(pod.Status.ContainerStatuses[0].State.Running).NotTo(BeNil())
			g.Expect(strings.Count(agentLog(ctx, pod), "\n")).To(BeNumerically(">", 3))
		}).Should(Succeed())
		before := pod.DeepCopy()
		pod.Annotations[meter.AnnotationBreaker] = "open"
		Expect(cluster.Patch(ctx, pod, client.MergeFrom(before))).To(Succeed())
		told := time.Now()
		Eventually(ctx, func(g Gomega) {
			g.Expect(job(ctx, key).Status.Succeeded).To(BeEquivalentTo(1))
		}, "3m").Should(Succeed())
		GinkgoWriter.Printf("the decision took %s to the end of the job\n", time.Since(told).Round(time.Second))
		calls := int64(strings.Count(agentLog(ctx, podOf(ctx, key)), "\n"))
		total := meter.Total(reportOf(podOf(ctx, key)))
		Expect(total.Calls).To(Equal(calls+1), "those that were answered and the one that was refused")
	})

	It("goes on counting when it was killed, and the job with its calls", func(ctx context.Context) {
		key := metered(ctx, "gpt-4o-mini", map[string]string{meter.AnnotationIntensity: "320"}, "killing")
		eventuallyStatus(ctx, key, "Completed")
		pod := podOf(ctx, key)
		Expect(agentLog(ctx, pod)).To(Equal(strings.Repeat("gpt-4o-mini-2024-07-18\n", 4)))
		lines := reportOf(pod)
		Expect(lines).To(HaveLen(1))
		Expect(lines[0].Calls).To(BeEquivalentTo(4))
		for _, status := range pod.Status.InitContainerStatuses {
			if status.Name == "meter" {
				Expect(status.RestartCount).To(BeEquivalentTo(1))
				last, err := meter.ParseReport([]byte(status.LastTerminationState.Terminated.Message))
				Expect(err).NotTo(HaveOccurred(), "also a meter that is killed has handed its counts over")
				Expect(meter.Total(last.Lines).Calls).To(BeEquivalentTo(2))
			}
		}
	})
})

// metered creates a job whose agent makes its calls through a meter, to a provider in the same pod.
func metered(ctx context.Context, model string, decisions map[string]string, args ...string) types.NamespacedName {
	GinkgoHelper()
	key := types.NamespacedName{Namespace: namespace(ctx), Name: "metered"}
	trace(ctx, "metered", time.Hour, nil, 320, 320)
	startManager("")
	j := build.CarbonAwareJob(key.Name, key.Namespace).Regions("metered").MaxDelay(0).KWh("1").Template(func(t *batchv1.JobTemplateSpec) {
		t.Spec.BackoffLimit = ptr.To[int32](0)
		t.Spec.Template.Annotations = decisions
		pod := &t.Spec.Template.Spec
		pod.AutomountServiceAccountToken, pod.ShareProcessNamespace = new(false), new(true)
		pod.TerminationGracePeriodSeconds = ptr.To[int64](10)
		pod.Volumes = []corev1.Volume{
			{Name: "meter-control", VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{
				{Path: "annotations", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations"}},
			}}}},
			{Name: "meter-state", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		}
		pod.InitContainers = []corev1.Container{
			sidecar("provider", agentImage, []string{"serve"}, corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(8080)}}),
			meterSidecar(),
		}
		c := &pod.Containers[0]
		c.Image, c.ImagePullPolicy, c.Args = agentImage, corev1.PullNever, args
		c.SecurityContext = restricted()
		c.Env = []corev1.EnvVar{{Name: "OPENAI_BASE_URL", Value: "http://127.0.0.1:4180/openai"}, {Name: "OPENAI_MODEL", Value: model}}
	})
	Expect(cluster.Create(ctx, j.Obj())).To(Succeed())
	return key
}

func meterSidecar() corev1.Container {
	c := sidecar("meter", meterImage, []string{
		"--mode=Enforce", "--control=/etc/meter/annotations", "--state=/var/lib/meter/state",
		"--termination-message=/dev/termination-log", "--upstream-openai=http://127.0.0.1:8080/v1",
	}, corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromInt32(9464)}})
	c.VolumeMounts = []corev1.VolumeMount{
		{Name: "meter-control", MountPath: "/etc/meter", ReadOnly: true},
		{Name: "meter-state", MountPath: "/var/lib/meter"},
	}
	return c
}

// sidecar has the restricted security context of docs/meter.md.
func sidecar(name, image string, args []string, started corev1.ProbeHandler) corev1.Container {
	return corev1.Container{
		Name: name, Image: image, ImagePullPolicy: corev1.PullNever, Args: args,
		RestartPolicy: ptr.To(corev1.ContainerRestartPolicyAlways),
		StartupProbe:  &corev1.Probe{ProbeHandler: started, PeriodSeconds: 1, FailureThreshold: 30},
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("32Mi")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")},
		},
		SecurityContext: restricted(),
	}
}

// restricted has the same user for all containers, so that one may kill the other.
func restricted() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
		RunAsNonRoot: new(true), RunAsUser: ptr.To[int64](65532),
		Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
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

// reportOf is what the meter handed over in its termination message.
func reportOf(pod *corev1.Pod) []meter.Line {
	GinkgoHelper()
	for _, status := range pod.Status.InitContainerStatuses {
		if status.Name != "meter" {
			continue
		}
		Expect(status.State.Terminated).NotTo(BeNil(), "the meter has not ended")
		Expect(status.State.Terminated.ExitCode).To(BeZero())
		report, err := meter.ParseReport([]byte(status.State.Terminated.Message))
		Expect(err).NotTo(HaveOccurred())
		return report.Lines
	}
	Fail("there is no meter")
	return nil
}

// lastLine is the record in a log of the meter, which also has what it said on stderr.
func lastLine(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	return lines[len(lines)-1]
}
