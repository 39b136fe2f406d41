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
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// telemetryEnv are the variables of OpenTelemetry by which a container names its collector, and which
// hold for its meter too. Not those that name files, which the meter does not have, nor the name of the
// service: the meter's metrics are not the job's own.
var telemetryEnv = []string{
	"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
	"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
	"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
	"OTEL_EXPORTER_OTLP_COMPRESSION", "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION",
	"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
	"OTEL_METRICS_EXPORTER", "OTEL_METRIC_EXPORT_INTERVAL", "OTEL_SDK_DISABLED",
	resourceEnv,
}

const (
	resourceEnv = "OTEL_RESOURCE_ATTRIBUTES"
	// jobsResourceEnv is what the container says in resourceEnv.
	jobsResourceEnv = "CARBON_METER_" + resourceEnv
)

// wireTelemetry are the meter's variables for the collector of the first container that names one, and
// for what its metrics are about: this pod.
func wireTelemetry(pod *corev1.PodSpec, job string) []corev1.EnvVar {
	for _, c := range allContainers(pod) {
		if envIndex(c, telemetryEnv[0]) < 0 && envIndex(c, telemetryEnv[1]) < 0 {
			continue
		}
		env, about := withReferences(c.Env, telemetryEnv), ""
		if i := slices.IndexFunc(env, func(v corev1.EnvVar) bool { return v.Name == resourceEnv }); i >= 0 {
			env[i].Name, about = jobsResourceEnv, "$("+jobsResourceEnv+"),"
		}
		for _, field := range [][2]string{{"NAMESPACE", "metadata.namespace"}, {"POD", "metadata.name"}, {"UID", "metadata.uid"}} {
			env = append(env, corev1.EnvVar{Name: "CARBON_METER_" + field[0], ValueFrom: &corev1.EnvVarSource{
				FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: field[1]},
			}})
		}
		about += "k8s.namespace.name=$(CARBON_METER_NAMESPACE),k8s.job.name=" + job +
			",k8s.pod.name=$(CARBON_METER_POD),k8s.pod.uid=$(CARBON_METER_UID),service.instance.id=$(CARBON_METER_UID)"
		return append(env, corev1.EnvVar{Name: "OTEL_SERVICE_NAME", Value: meterContainer}, corev1.EnvVar{Name: resourceEnv, Value: about})
	}
	return nil
}

var envReference = regexp.MustCompile(`\$\(([^()]+)\)`)

// withReferences are the variables of these names, and those before them that they are made of.
func withReferences(env []corev1.EnvVar, names []string) []corev1.EnvVar {
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[name] = true
	}
	var found []corev1.EnvVar
	for _, v := range slices.Backward(env) {
		if !wanted[v.Name] {
			continue
		}
		found = append(found, *v.DeepCopy())
		for _, match := range envReference.FindAllStringSubmatch(strings.ReplaceAll(v.Value, "$$", ""), -1) {
			wanted[match[1]] = true
		}
	}
	slices.Reverse(found)
	return found
}
