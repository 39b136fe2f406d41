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
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
)

// upstream is a variable by which SDKs find a provider, and the path of the meter that stands in for it.
type upstream struct {
	env, path string
	// always says that the meter knows an upstream where the job names none.
	always bool
}

const azureEnv = "AZURE_OPENAI_ENDPOINT"

var upstreams = []upstream{
	{"OPENAI_BASE_URL", meter.PathOpenAI, true},
	{azureEnv, meter.PathAzure, false},
	{"ANTHROPIC_BASE_URL", meter.PathAnthropic, true},
	{"GOOGLE_GEMINI_BASE_URL", meter.PathGemini, true},
}

// wireUpstreams points the containers' variables at the meter, and returns the meter's own variables,
// which carry what the containers had before.
//
// Where containers name an upstream, those that do are wired; another container that does not goes on
// calling its provider itself, because the meter has one upstream for each provider. Where none does, all
// are wired: what they take from ConfigMaps and Secrets as a whole (envFrom) is looked up there by the
// kubelet, if it is there.
func wireUpstreams(pod *corev1.PodSpec) []corev1.EnvVar {
	var env []corev1.EnvVar
	containers := allContainers(pod)
	azure := make([]bool, len(containers))
	for i, c := range containers {
		azure[i] = envIndex(c, azureEnv) >= 0 && envIndex(c, "OPENAI_BASE_URL") < 0
	}
	for _, u := range upstreams {
		wired := corev1.EnvVar{Name: u.env, Value: "http://" + meterAddress + u.path}
		if own := namedUpstream(pod, u.env); own != nil {
			env = append(env, corev1.EnvVar{Name: meter.UpstreamVariable(u.path), Value: own.Value, ValueFrom: own.ValueFrom})
			for _, c := range containers {
				if i := envIndex(c, u.env); i >= 0 {
					c.Env[i] = wired
				}
			}
			continue
		}
		if !u.always {
			continue
		}
		env = append(env, inheritedUpstreams(pod, u)...)
		for i, c := range containers {
			// An SDK of Azure's refuses to have both variables.
			if !azure[i] || u.path != meter.PathOpenAI {
				c.Env = append(c.Env, wired)
			}
		}
	}
	return env
}

// namedUpstream is the variable as the first container has it that sets it to something; nil for none.
func namedUpstream(pod *corev1.PodSpec, name string) *corev1.EnvVar {
	for _, c := range allContainers(pod) {
		if i := envIndex(c, name); i >= 0 && (c.Env[i].ValueFrom != nil || c.Env[i].Value != "") {
			return c.Env[i].DeepCopy()
		}
	}
	return nil
}

// inheritedUpstreams are the meter's variables for what the containers may take from ConfigMaps and
// Secrets as a whole: only this one key of them, if it is there. The last that is there counts.
func inheritedUpstreams(pod *corev1.PodSpec, u upstream) []corev1.EnvVar {
	var env []corev1.EnvVar
	for _, c := range allContainers(pod) {
		for _, from := range c.EnvFrom {
			key, ok := strings.CutPrefix(u.env, from.Prefix)
			if !ok || key == "" {
				continue
			}
			source := &corev1.EnvVarSource{}
			switch {
			case from.ConfigMapRef != nil:
				source.ConfigMapKeyRef = &corev1.ConfigMapKeySelector{LocalObjectReference: from.ConfigMapRef.LocalObjectReference, Key: key, Optional: new(true)}
			case from.SecretRef != nil:
				source.SecretKeyRef = &corev1.SecretKeySelector{LocalObjectReference: from.SecretRef.LocalObjectReference, Key: key, Optional: new(true)}
			}
			v := corev1.EnvVar{Name: meter.UpstreamVariable(u.path), ValueFrom: source}
			if !slices.ContainsFunc(env, func(have corev1.EnvVar) bool { return equality.Semantic.DeepEqual(have, v) }) {
				env = append(env, v)
			}
		}
	}
	return env
}

// upstreamConflict says which base URL the meter cannot stand in for; empty when there is none.
func upstreamConflict(pod *corev1.PodSpec) string {
	for _, u := range upstreams {
		first := namedUpstream(pod, u.env)
		if first == nil {
			continue
		}
		for _, c := range allContainers(pod) {
			i := envIndex(c, u.env)
			if i < 0 || c.Env[i].ValueFrom == nil && c.Env[i].Value == "" {
				continue
			}
			if problem := upstreamProblem(c.Env[i]); problem != "" {
				return fmt.Sprintf("container %s: %s %s", c.Name, u.env, problem)
			}
			if !equality.Semantic.DeepEqual(c.Env[i], *first) {
				return fmt.Sprintf("the containers have different values of %s, and the meter has one upstream for each provider: make them equal, or set spec.llm.meter.mode Off", u.env)
			}
		}
	}
	return ""
}

// upstreamProblem says why a value cannot be the meter's upstream; empty when it can.
func upstreamProblem(v corev1.EnvVar) string {
	from := v.ValueFrom
	switch {
	case from != nil && from.FieldRef == nil && from.ConfigMapKeyRef == nil && from.SecretKeyRef == nil:
		return "is taken from a source that the meter cannot read: set a value, or take it from a ConfigMap, a Secret or a field"
	case from != nil:
		return ""
	case strings.Contains(v.Value, "$("):
		return "refers to other variables, which the meter does not have: write the URL out"
	case strings.Contains(v.Value, "127.0.0.1:4180"), strings.Contains(v.Value, "localhost:4180"):
		return "is the address of the meter itself: set the provider's own URL, or remove the variable"
	case !strings.HasPrefix(v.Value, "http://") && !strings.HasPrefix(v.Value, "https://"):
		return fmt.Sprintf("is %q, which is no http or https URL: correct it", v.Value)
	}
	return ""
}
