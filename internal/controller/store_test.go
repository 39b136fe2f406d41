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
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// store is as much of an API server as the ledger needs: lists, and the write of a budget's status by a
// merge patch with a resource version.
type store struct {
	client.SubResourceWriter
	jobs    map[string]*carbonv1alpha1.CarbonAwareJob
	budgets map[string]*carbonv1alpha1.CarbonBudget
	version int
}

func newStore() *store {
	return &store{jobs: map[string]*carbonv1alpha1.CarbonAwareJob{}, budgets: map[string]*carbonv1alpha1.CarbonBudget{}, version: 100}
}

// clone is what a cache has of the store now.
func (s *store) clone() *store {
	c := newStore()
	for name, caj := range s.jobs {
		c.jobs[name] = caj.DeepCopy()
	}
	for name, b := range s.budgets {
		c.budgets[name] = b.DeepCopy()
	}
	return c
}

// touch gives an object that was written its new resource version.
func (s *store) touch(o client.Object) {
	s.version++
	o.SetResourceVersion(strconv.Itoa(s.version))
}

// Get implements client.Reader for jobs.
func (s *store) Get(_ context.Context, key client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	caj := s.jobs[key.Name]
	if caj == nil {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "carbonawarejobs"}, key.Name)
	}
	caj.DeepCopyInto(o.(*carbonv1alpha1.CarbonAwareJob))
	return nil
}

// List implements client.Reader.
func (s *store) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	switch list := list.(type) {
	case *carbonv1alpha1.CarbonAwareJobList:
		list.Items, list.ResourceVersion = nil, strconv.Itoa(s.version)
		for _, name := range slices.Sorted(maps.Keys(s.jobs)) {
			list.Items = append(list.Items, *s.jobs[name].DeepCopy())
		}
	case *carbonv1alpha1.CarbonBudgetList:
		for _, name := range slices.Sorted(maps.Keys(s.budgets)) {
			list.Items = append(list.Items, *s.budgets[name].DeepCopy())
		}
	}
	return nil
}

// Status implements client.StatusClient.
func (s *store) Status() client.SubResourceWriter { return s }

// Patch implements client.SubResourceWriter for the status of budgets.
func (s *store) Patch(_ context.Context, o client.Object, patch client.Patch, _ ...client.SubResourcePatchOption) error {
	data, err := patch.Data(o)
	if err != nil {
		return err
	}
	var sent struct {
		Metadata struct{ ResourceVersion string }
	}
	if err := json.Unmarshal(data, &sent); err != nil {
		return err
	}
	stored := s.budgets[o.GetName()]
	if sent.Metadata.ResourceVersion != stored.ResourceVersion {
		return apierrors.NewConflict(schema.GroupResource{Resource: "carbonbudgets"}, o.GetName(), nil)
	}
	s.touch(o)
	s.budgets[o.GetName()] = o.DeepCopyObject().(*carbonv1alpha1.CarbonBudget)
	return nil
}
