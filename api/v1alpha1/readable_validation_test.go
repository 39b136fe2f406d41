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

package v1alpha1_test

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// One stored object that our types cannot be read from would keep the operator from listing any:
// what the API server accepts, Go must be able to read.
func TestWhatIsAcceptedCanBeRead(t *testing.T) {
	const cpu = "resources: {limits: {cpu: %s}}"
	tests := []struct {
		format string // of a field of a container
		values []string
		want   bool // accepted
	}{
		{cpu, []string{"1", `"2"`, `"0.5"`, `".5"`, `"1."`, `"-1"`, `"+1"`, "500m", "1Gi", "1E", "1e3", `"1E-3"`, `"1e+3"`, "1e999", "3n", "7u"}, true},
		{cpu, []string{
			`"1e1.5"`, `"1E.5"`, `"1e99999999999999999999"`, `"1e-99999999999999999999"`, `"1E3i"`, `"1ki"`, `"1 "`, `" 1"`, `""`, `"."`, `"1mm"`, "0.5", "true",
		}, false},
		{"livenessProbe: {httpGet: {port: %s}}", []string{"80", "web", "2147483647"}, true},
		{"livenessProbe: {httpGet: {port: %s}}", []string{"99999999999", "2147483648", "-2147483649", "80.5"}, false},
		{"ports: [{containerPort: %s}]", []string{"80"}, true},
		{"ports: [{containerPort: %s}]", []string{"99999999999"}, false},
		{"securityContext: {runAsUser: %s}", []string{"9223372036854775807"}, true},
		{"securityContext: {runAsUser: %s}", []string{"9223372036854775808", "1e30"}, false},
	}
	v := loadCRD(t, carbonAwareJobCRD)
	for _, tt := range tests {
		for _, value := range tt.values {
			t.Run(fmt.Sprintf(tt.format, value), func(t *testing.T) {
				container := "{name: main, image: x, " + fmt.Sprintf(tt.format, value) + "}"
				object := changed(t, minimalJob, "spec: {jobTemplate: {spec: {template: {spec: {containers: ["+container+"]}}}}}")
				errs := v.Create(t.Context(), object)
				if accepted := len(errs) == 0; accepted != tt.want {
					t.Errorf("accepted: %t, want %t: %v", accepted, tt.want, errs.ToAggregate())
				}
				err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &carbonv1alpha1.CarbonAwareJob{})
				if len(errs) == 0 && err != nil {
					t.Errorf("accepted, but it cannot be read: %v", err)
				}
			})
		}
	}
}

// Kubernetes takes lists in which a key comes twice; a Job that has one runs with us too.
func TestTemplateMayRepeatKeys(t *testing.T) {
	v := loadCRD(t, carbonAwareJobCRD)
	for _, spec := range []string{
		"containers: [{name: main, image: x, env: [{name: A, value: a}, {name: A, value: b}]}]",
		"containers: [{name: main, image: x, ports: [{containerPort: 80, name: a}, {containerPort: 80, name: b}]}]",
		"imagePullSecrets: [{name: a}, {name: a}]",
		"hostAliases: [{ip: 10.0.0.1, hostnames: [a]}, {ip: 10.0.0.1, hostnames: [b]}]",
	} {
		expectAccepted(t, v.Create(t.Context(), changed(t, minimalJob, "spec: {jobTemplate: {spec: {template: {spec: {"+spec+"}}}}}")))
	}
}
