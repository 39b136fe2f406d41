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
