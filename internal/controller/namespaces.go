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
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// namespacesReader lists what is in some namespaces where all of them are asked for, as the operator may
// not read the others.
type namespacesReader struct {
	client.Reader
	names []string
}

// InNamespaces limits the lists of a reader to the namespaces, and is the reader itself without any. Such
// a list comes whole: the options Limit and Continue are not heeded.
func InNamespaces(reader client.Reader, names []string) client.Reader {
	if len(names) == 0 {
		return reader
	}
	return &namespacesReader{Reader: reader, names: names}
}

// List implements client.Reader.
func (r *namespacesReader) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	empty := list.DeepCopyObject()
	var all []runtime.Object
	for _, name := range r.names {
		one, ok := empty.DeepCopyObject().(client.ObjectList)
		if !ok {
			return fmt.Errorf("a copy of %T is no list", list)
		}
		// Later options win over those of the caller.
		options := append(slices.Clone(opts), client.InNamespace(name), client.Limit(0), client.Continue(""))
		if err := r.Reader.List(ctx, one, options...); err != nil {
			return fmt.Errorf("in namespace %s: %w", name, err)
		}
		items, err := meta.ExtractList(one)
		if err != nil {
			return fmt.Errorf("in namespace %s: %w", name, err)
		}
		all = append(all, items...)
	}
	if err := meta.SetList(list, all); err != nil {
		return fmt.Errorf("joining the lists of namespaces: %w", err)
	}
	return nil
}
