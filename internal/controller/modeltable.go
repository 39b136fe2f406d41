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
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
)

// The keys of the ConfigMap that extends the table of models.
const (
	modelsKey    = "models.csv"
	providersKey = "providers.csv"
)

// ModelTable is the table of models in force: the built-in one, extended by a ConfigMap. A nil one is
// the built-in one.
type ModelTable struct {
	// Reader reads the ConfigMap, from a cache.
	Reader client.Reader
	// ConfigMap that extends the table; one without a name stands for none.
	ConfigMap types.NamespacedName
	// Method is the version of the EcoLogits method; the newest when empty.
	Method estimate.Method

	mutex sync.Mutex
	// version is the UID and resource version of the ConfigMap from which last was made.
	version string
	last    modelFacts
}

// modelFacts is what is known of models.
type modelFacts struct {
	catalog *estimate.Catalog
	method  estimate.Method
	// configMap is the name of the ConfigMap that extends the catalog; empty when none is looked for.
	configMap string
	// problem says which rows of the ConfigMap were left out, and why; nil when none were.
	problem error
}

// read is the table as the ConfigMap has it now. The table is made anew only when the ConfigMap changed.
func (t *ModelTable) read(ctx context.Context) (modelFacts, error) {
	facts := modelFacts{catalog: estimate.BuiltIn(), method: estimate.EcoLogits011}
	if t == nil {
		return facts, nil
	}
	if t.Method != "" {
		facts.method = t.Method
	}
	if t.ConfigMap.Name == "" {
		return facts, nil
	}
	facts.configMap = t.ConfigMap.String()
	configMap := &corev1.ConfigMap{}
	if err := t.Reader.Get(ctx, t.ConfigMap, configMap); client.IgnoreNotFound(err) != nil {
		return modelFacts{}, fmt.Errorf("reading the table of models in ConfigMap %s: %w", t.ConfigMap, err)
	} else if err != nil {
		return facts, nil
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if version := string(configMap.UID) + "/" + configMap.ResourceVersion; t.version != version {
		facts.catalog, facts.problem = extended(configMap.Data)
		t.version, t.last = version, facts
	}
	return t.last, nil
}

// extended is the built-in table with what a ConfigMap adds; the error says what was left out.
func extended(data map[string]string) (*estimate.Catalog, error) {
	catalog, err := estimate.BuiltIn().With(estimate.Tables{Models: data[modelsKey], Providers: data[providersKey]})
	for _, name := range slices.Sorted(maps.Keys(data)) {
		if name != modelsKey && name != providersKey {
			err = errors.Join(err, fmt.Errorf("the key %q is not read: rename it to %s or %s", name, modelsKey, providersKey))
		}
	}
	return catalog, err
}
