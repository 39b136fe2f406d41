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
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

func TestInNamespaces(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := carbonv1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	builder := fake.NewClientBuilder().WithScheme(scheme)
	for _, key := range [][2]string{{"a", "one"}, {"a", "two"}, {"b", "three"}, {"c", "four"}} {
		builder.WithObjects(&carbonv1alpha1.CarbonBudget{ObjectMeta: metav1.ObjectMeta{Namespace: key[0], Name: key[1]}})
	}
	all := builder.Build()
	for _, test := range []struct{ names, want []string }{
		{nil, []string{"four", "one", "three", "two"}},
		{[]string{"b", "a"}, []string{"one", "three", "two"}},
		{[]string{"d"}, nil},
	} {
		var list carbonv1alpha1.CarbonBudgetList
		if err := InNamespaces(all, test.names).List(t.Context(), &list); err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range list.Items {
			got = append(got, list.Items[i].Name)
		}
		if slices.Sort(got); !slices.Equal(got, test.want) {
			t.Errorf("%v: %v, want %v", test.names, got, test.want)
		}
	}
}
