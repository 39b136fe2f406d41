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

package controller

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
)

// The names of what the meter adds to a pod, and its ports.
const (
	meterContainer     = "carbon-meter"
	meterControlVolume = meterContainer + "-control"
	meterStateVolume   = meterContainer + "-state"
	meterNoTokenVolume = meterContainer + "-no-token"

	meterControlPath = "/etc/carbon-meter"
	meterStatePath   = "/var/lib/carbon-meter"
	meterAddress     = "127.0.0.1:4180"
	meterMetricsPort = 9464
	meterUser        = 65532

	// tokenPath is where the API server mounts a service-account token into every container, unless
	// something is mounted there already.
	tokenPath = "/var/run/secrets/kubernetes.io/serviceaccount" //nolint:gosec // G101: a path, no credentials
)

// meterMode is the mode of the job's meter, Off by default.
func meterMode(caj *carbonv1alpha1.CarbonAwareJob) carbonv1alpha1.MeterMode {
	if llm := caj.Spec.LLM; llm != nil && llm.Meter != nil && llm.Meter.Mode != "" {
		return llm.Meter.Mode
	}
	return carbonv1alpha1.MeterOff
}

func isMetered(caj *carbonv1alpha1.CarbonAwareJob) bool {
	return meterMode(caj) != carbonv1alpha1.MeterOff
}

// addMeter adds the meter to the Job of a job that asks for one: a native sidecar that starts before
// and ends after everything else in the pod, its volumes, the label by which its pods are found, and the
// variables that lead the SDKs to it. What is there already was found by meterConflict to be no obstacle.
func addMeter(caj *carbonv1alpha1.CarbonAwareJob, template *corev1.PodTemplateSpec, image string) {
	if !isMetered(caj) {
		return
	}
	pod := &template.Spec
	sidecar := meterSidecar(caj, pod, image)
	sidecar.Env = slices.Concat(wireUpstreams(pod), wireProxy(pod), wireTelemetry(pod, caj.Name))
	pod.InitContainers = slices.Insert(pod.InitContainers, 0, sidecar)
	pod.Volumes = append(pod.Volumes,
		corev1.Volume{Name: meterControlVolume, VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{
			Items: []corev1.DownwardAPIVolumeFile{{Path: "annotations", FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.annotations"}}},
		}}},
		corev1.Volume{Name: meterStateVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: new(resource.MustParse("16Mi"))}}},
		corev1.Volume{Name: meterNoTokenVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: new(resource.MustParse("1Mi"))}}})
	metav1.SetMetaDataLabel(&template.ObjectMeta, carbonv1alpha1.LabelMeter, caj.Name)
	metav1.SetMetaDataAnnotation(&template.ObjectMeta, meter.AnnotationRun, string(caj.UID))
}

func meterSidecar(caj *carbonv1alpha1.CarbonAwareJob, pod *corev1.PodSpec, image string) corev1.Container {
	return corev1.Container{
		Name: meterContainer, Image: image,
		Args: []string{
			"--mode=" + string(meterMode(caj)), "--control=" + meterControlPath + "/annotations",
			"--state=" + meterStatePath + "/state", "--termination-message=" + corev1.TerminationMessagePathDefault,
			"--listen=" + meterAddress, fmt.Sprintf("--metrics-bind-address=:%d", meterMetricsPort),
		},
		RestartPolicy: ptr.To(corev1.ContainerRestartPolicyAlways),
		Ports:         []corev1.ContainerPort{{Name: "carbon-meter", ContainerPort: meterMetricsPort, Protocol: corev1.ProtocolTCP}},
		StartupProbe: &corev1.Probe{
			ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromInt32(meterMetricsPort)}},
			PeriodSeconds: 1, TimeoutSeconds: 5, FailureThreshold: 60,
		},
		Resources: meterResources(pod),
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true), Privileged: new(false),
			RunAsNonRoot: new(true), RunAsUser: ptr.To[int64](meterUser), RunAsGroup: ptr.To[int64](meterUser),
			Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		VolumeMounts: []corev1.VolumeMount{
			{Name: meterControlVolume, MountPath: meterControlPath, ReadOnly: true},
			{Name: meterStateVolume, MountPath: meterStatePath},
			{Name: meterNoTokenVolume, MountPath: tokenPath, ReadOnly: true},
		},
	}
}

// meterResources are small, and leave the pod in its class of service: a quota on CPU limits still
// admits a pod whose containers all have one, and a guaranteed pod stays guaranteed.
func meterResources(pod *corev1.PodSpec) corev1.ResourceRequirements {
	r := corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("32Mi")},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")},
	}
	limited, guaranteed := true, true
	for _, c := range allContainers(pod) {
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			limit, has := c.Resources.Limits[name]
			request, asks := c.Resources.Requests[name]
			limited = limited && (has || name != corev1.ResourceCPU)
			guaranteed = guaranteed && has && (!asks || request.Cmp(limit) == 0)
		}
	}
	if limited {
		r.Limits[corev1.ResourceCPU] = resource.MustParse("500m")
	}
	if guaranteed {
		r.Limits[corev1.ResourceCPU] = resource.MustParse("250m")
		r.Requests = r.Limits.DeepCopy()
	}
	return r
}

// meterConflict says what in the template the meter cannot be added beside, and what to do; empty when
// nothing is in its way.
func meterConflict(caj *carbonv1alpha1.CarbonAwareJob, image string) string {
	if !isMetered(caj) {
		return ""
	}
	template := &templateOf(caj).Spec.Template
	pod := &template.Spec
	switch {
	case image == "":
		return "spec.llm.meter is on, but the operator was started without --meter-image: set that flag, or meter.mode Off"
	case pod.HostNetwork:
		return "the meter needs the pod's own network: remove hostNetwork from the template, or set spec.llm.meter.mode Off"
	case pod.OS != nil && pod.OS.Name == corev1.Windows:
		return "the meter runs on Linux nodes only: set spec.llm.meter.mode Off"
	}
	if conflict := nameConflict(pod); conflict != "" {
		return conflict
	}
	if key := meterAnnotation(templateOf(caj)); key != "" {
		return fmt.Sprintf("the template has the annotation or label %s, which the operator writes for the meter: remove it", key)
	}
	return upstreamConflict(pod)
}

// nameConflict says which container, port or volume of the template has the place of the meter's.
func nameConflict(pod *corev1.PodSpec) string {
	for _, c := range allContainers(pod) {
		if c.Name == meterContainer {
			return fmt.Sprintf("the template has a container named %s, which is the name of the meter that the operator adds: rename it", c.Name)
		}
		for _, port := range c.Ports {
			if port.ContainerPort == meterMetricsPort || port.ContainerPort == 4180 {
				return fmt.Sprintf("container %s has port %d, which the meter needs: use another port", c.Name, port.ContainerPort)
			}
		}
	}
	for _, v := range pod.Volumes {
		if slices.Contains([]string{meterControlVolume, meterStateVolume, meterNoTokenVolume}, v.Name) {
			return fmt.Sprintf("the template has a volume named %s, which the meter needs: rename it", v.Name)
		}
	}
	return ""
}
