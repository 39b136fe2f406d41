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
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"
)

func envOf(pairs ...string) []corev1.EnvVar {
	var env []corev1.EnvVar
	for i := 0; i < len(pairs); i += 2 {
		env = append(env, corev1.EnvVar{Name: pairs[i], Value: pairs[i+1]})
	}
	return env
}

// TestUpstreams tells what the meter gets (first) and what is left to the containers (the others).
func TestUpstreams(t *testing.T) {
	fromSecret := &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: "url"}}
	meterAt := func(path string) string { return "http://127.0.0.1:4180" + path }
	all := envOf("OPENAI_BASE_URL", meterAt("/openai"), "ANTHROPIC_BASE_URL", meterAt("/anthropic"), "GOOGLE_GEMINI_BASE_URL", meterAt("/gemini"))
	for name, c := range map[string]struct {
		containers []corev1.Container
		want       [][]corev1.EnvVar
	}{
		"nothing set": {[]corev1.Container{{}}, [][]corev1.EnvVar{nil, all}},
		"a server of one's own": {
			[]corev1.Container{{Env: envOf("OPENAI_BASE_URL", "http://vllm/v1")}, {}},
			[][]corev1.EnvVar{envOf("METER_UPSTREAM_OPENAI", "http://vllm/v1"), all, all[1:]},
		},
		"a value from a Secret": {
			[]corev1.Container{{Env: []corev1.EnvVar{{Name: "ANTHROPIC_BASE_URL", ValueFrom: fromSecret}}}},
			[][]corev1.EnvVar{
				{{Name: "METER_UPSTREAM_ANTHROPIC", ValueFrom: fromSecret}},
				{all[1], all[0], all[2]},
			},
		},
		"Azure, whose SDK has no second variable": {
			[]corev1.Container{{Env: envOf("AZURE_OPENAI_ENDPOINT", "https://x.openai.azure.com")}},
			[][]corev1.EnvVar{
				envOf("METER_UPSTREAM_AZURE", "https://x.openai.azure.com"),
				append(envOf("AZURE_OPENAI_ENDPOINT", meterAt("/azure")), all[1:]...),
			},
		},
	} {
		pod := &corev1.PodSpec{Containers: c.containers}
		got := [][]corev1.EnvVar{wireUpstreams(pod)}
		for _, container := range pod.Containers {
			got = append(got, container.Env)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}

// Of a whole ConfigMap or Secret the meter gets the one key that is named like the variable.
func TestUpstreamsOfWholeSecrets(t *testing.T) {
	pod := &corev1.PodSpec{Containers: []corev1.Container{{EnvFrom: []corev1.EnvFromSource{
		{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "keys"}}},
		{Prefix: "OPENAI_", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "c"}}},
	}}}}
	keys := map[string]string{}
	for _, v := range wireUpstreams(pod) {
		switch from := v.ValueFrom; {
		case from.SecretKeyRef != nil:
			keys[v.Name+" secret"] = from.SecretKeyRef.Key
			if !ptr.Deref(from.SecretKeyRef.Optional, false) {
				t.Error("a Secret without the key must not keep the pod from starting")
			}
		case from.ConfigMapKeyRef != nil:
			keys[v.Name+" configmap"] = from.ConfigMapKeyRef.Key
		}
	}
	want := map[string]string{
		"METER_UPSTREAM_OPENAI secret": "OPENAI_BASE_URL", "METER_UPSTREAM_OPENAI configmap": "BASE_URL",
		"METER_UPSTREAM_ANTHROPIC secret": "ANTHROPIC_BASE_URL", "METER_UPSTREAM_GEMINI secret": "GOOGLE_GEMINI_BASE_URL",
	}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestProxies(t *testing.T) {
	pod := &corev1.PodSpec{Containers: []corev1.Container{
		{Env: envOf("HTTPS_PROXY", "http://proxy:3128", "NO_PROXY", "10.0.0.0/8")},
		{Env: envOf("A", "b")},
	}}
	got := [][]corev1.EnvVar{wireProxy(pod), pod.Containers[0].Env, pod.Containers[1].Env}
	want := [][]corev1.EnvVar{
		envOf("HTTPS_PROXY", "http://proxy:3128", "NO_PROXY", "10.0.0.0/8"),
		envOf("HTTPS_PROXY", "http://proxy:3128", "NO_PROXY", "10.0.0.0/8,127.0.0.1", "no_proxy", "127.0.0.1"),
		envOf("A", "b"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// The meter exports to the collector of the container, as metrics of its own about this pod.
func TestTelemetry(t *testing.T) {
	field := func(name, path string) corev1.EnvVar {
		return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: path}}}
	}
	token := corev1.EnvVar{Name: "TOKEN", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: "token"}}}
	about := "k8s.namespace.name=$(CARBON_METER_NAMESPACE),k8s.job.name=nightly,k8s.pod.name=$(CARBON_METER_POD)," +
		"k8s.pod.uid=$(CARBON_METER_UID),service.instance.id=$(CARBON_METER_UID)"
	ours := func(resource string) []corev1.EnvVar {
		return append([]corev1.EnvVar{field("CARBON_METER_NAMESPACE", "metadata.namespace"), field("CARBON_METER_POD", "metadata.name"), field("CARBON_METER_UID", "metadata.uid")},
			envOf("OTEL_SERVICE_NAME", "carbon-meter", "OTEL_RESOURCE_ATTRIBUTES", resource)...)
	}
	for name, c := range map[string]struct {
		containers []corev1.Container
		want       []corev1.EnvVar
	}{
		"no collector": {[]corev1.Container{{Env: envOf("OTEL_SERVICE_NAME", "x", "OTEL_EXPORTER_OTLP_HEADERS", "a=b")}}, nil},
		"a collector on the node, and a token": {
			[]corev1.Container{{}, {Env: append([]corev1.EnvVar{field("HOST", "status.hostIP"), field("OTHER", "spec.nodeName"), token},
				envOf("OTEL_EXPORTER_OTLP_ENDPOINT", "http://$(HOST):4318", "OTEL_EXPORTER_OTLP_HEADERS", "a=$(TOKEN),b=$$(OTHER)",
					"OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.crt", "OTEL_SERVICE_NAME", "x", "OTEL_RESOURCE_ATTRIBUTES", "team=nlp")...)}},
			append([]corev1.EnvVar{
				field("HOST", "status.hostIP"), token,
				{Name: "OTEL_EXPORTER_OTLP_ENDPOINT", Value: "http://$(HOST):4318"},
				{Name: "OTEL_EXPORTER_OTLP_HEADERS", Value: "a=$(TOKEN),b=$$(OTHER)"},
				{Name: "CARBON_METER_OTEL_RESOURCE_ATTRIBUTES", Value: "team=nlp"},
			}, ours("$(CARBON_METER_OTEL_RESOURCE_ATTRIBUTES),"+about)...),
		},
		"one for metrics": {
			[]corev1.Container{{Env: envOf("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://x/v1/metrics")}},
			append(envOf("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://x/v1/metrics"), ours(about)...),
		},
	} {
		pod := &corev1.PodSpec{Containers: c.containers}
		before := pod.DeepCopy()
		if diff := cmp.Diff(c.want, wireTelemetry(pod, "nightly")); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
		if diff := cmp.Diff(before, pod); diff != "" {
			t.Errorf("%s: the job's own containers changed:\n%s", name, diff)
		}
	}
}

// The meter leaves a pod in its class of service.
func TestMeterResources(t *testing.T) {
	list := func(cpu, memory string) corev1.ResourceList {
		l := corev1.ResourceList{}
		if cpu != "" {
			l[corev1.ResourceCPU] = resource.MustParse(cpu)
		}
		if memory != "" {
			l[corev1.ResourceMemory] = resource.MustParse(memory)
		}
		return l
	}
	for name, c := range map[string]struct{ requests, limits, wantRequests, wantLimits corev1.ResourceList }{
		"nothing":       {nil, nil, list("10m", "32Mi"), list("", "64Mi")},
		"a limit":       {nil, list("1", ""), list("10m", "32Mi"), list("500m", "64Mi")},
		"guaranteed":    {list("1", "1Gi"), list("1", "1Gi"), list("250m", "64Mi"), list("250m", "64Mi")},
		"limits only":   {nil, list("1", "1Gi"), list("250m", "64Mi"), list("250m", "64Mi")},
		"less asked of": {list("1", "1Gi"), list("2", "1Gi"), list("10m", "32Mi"), list("500m", "64Mi")},
	} {
		pod := &corev1.PodSpec{Containers: []corev1.Container{{Resources: corev1.ResourceRequirements{Requests: c.requests, Limits: c.limits}}}}
		got := meterResources(pod)
		if diff := cmp.Diff(corev1.ResourceRequirements{Requests: c.wantRequests, Limits: c.wantLimits}, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}
