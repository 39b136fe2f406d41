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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

func TestStatusPatchIsThatOfTheWholeObjects(t *testing.T) {
	before := build.CarbonAwareJob("job", "team").KWh("1").Obj()
	before.ResourceVersion = "7"
	before.Status.ObservedGeneration = 1
	before.Status.Plan = &carbonv1alpha1.PlanStatus{Region: "gb", Start: metav1.Unix(1, 0)}
	after := before.DeepCopy()
	after.Status.Plan.Region = "de"
	after.Status.ObservedGeneration = 0
	want, err := lockedPatch(before).Data(after)
	if err != nil {
		t.Fatal(err)
	}
	got, err := statusPatch{before}.Data(after)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s\nnot\n%s", got, want)
	}
}
