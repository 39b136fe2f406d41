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

package meter

import (
	"sync"

	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
)

// providers are the catalog's names of those that OpenTelemetry names otherwise.
var providers = map[string]string{"azure.ai.openai": "azure", "gcp.gemini": "gemini"}

// CatalogProvider is the catalog's name of a provider that OpenTelemetry names.
func CatalogProvider(provider string) string {
	if p, ok := providers[provider]; ok {
		return p
	}
	return provider
}

// NewEstimate estimates calls by the EcoLogits method from the models of a catalog: the mean of its
// range, for output tokens only, since the method has no figure for input. It remembers models, so that
// a call costs no search.
func NewEstimate(catalog *estimate.Catalog) func(provider, model string, outputTokens int64) (float64, bool) {
	type name struct{ provider, model string }
	type entry struct {
		model estimate.Model
		known bool
	}
	var mu sync.Mutex
	remembered := map[name]entry{}
	return func(provider, model string, outputTokens int64) (float64, bool) {
		provider = CatalogProvider(provider)
		model = tidy(model)
		mu.Lock()
		defer mu.Unlock()
		e, ok := remembered[name{provider, model}]
		if !ok {
			found, err := catalog.Lookup(provider, model)
			e = entry{found, err == nil && model != ""}
			if len(remembered) >= maxLines {
				clear(remembered)
			}
			remembered[name{provider, model}] = e
		}
		if !e.known {
			return 0, false
		}
		return e.model.Inference(estimate.EcoLogits011, 1, outputTokens).KWh.Mean(), true
	}
}
