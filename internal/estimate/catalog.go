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

package estimate

import (
	_ "embed" // the tables
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// The models that people use today, and the data centres of those that serve them. Each row of the
// models names its source. Sizes of closed models are estimates of EcoLogits
// (https://github.com/mlco2/ecologits, models as of March 2026) from leaks, benchmarks and prices,
// with active parameters of 10 to 30 % where a mixture of experts is assumed; those of open models are
// on their model cards. Tokens per second and seconds to the first token are OpenRouter's medians as
// EcoLogits 0.10 lists them. PUEs and zones are EcoLogits' provider defaults, from the providers' own
// environmental reports.
var (
	//go:embed models.csv
	builtInModels string
	//go:embed providers.csv
	builtInProviders string
)

// Model is what the method needs to know of a model.
type Model struct {
	// Provider and Name are the model's own, as in the table.
	Provider, Name string
	// Total and Active are its parameters in billions; equal in a dense model.
	Total, Active Range
	// TokensPerSecond and FirstTokenSeconds were measured; 0 where nobody did.
	TokensPerSecond, FirstTokenSeconds float64
	// Source of the figures.
	Source string
	// DataCentre that serves it.
	DataCentre DataCentre
}

// DataCentre is where a provider serves its models from.
type DataCentre struct {
	// Provider's name.
	Provider string
	// Zone is the ISO 3166-1 alpha-3 code of the country; empty when unknown.
	Zone string
	// PUE is the power usage effectiveness, at least 1: the energy of the whole data centre over that
	// of its computers.
	PUE Range
	// Source of the figures.
	Source string
}

// Catalog holds the known models and providers. It does not change.
type Catalog struct {
	// models by provider and by their own or another name, as key makes it.
	models map[string]map[string]Model
	// centres by provider or another name of it.
	centres map[string]DataCentre
}

// BuiltIn is the catalog that comes with the program.
var BuiltIn = sync.OnceValue(func() *Catalog {
	catalog, err := (&Catalog{}).With(Tables{Models: builtInModels, Providers: builtInProviders})
	if err != nil {
		panic(fmt.Sprintf("the built-in tables: %v", err)) // a test reads them
	}
	return catalog
})

// Tables are the texts of CSV tables; docs/accounting.md describes their columns.
type Tables struct{ Models, Providers string }

// With is the catalog extended by tables: a model or provider that it has already is replaced. A row
// that cannot be used is left out, and the error, which joins one for every such row, names table,
// line and column; the catalog is good all the same.
func (c *Catalog) With(t Tables) (*Catalog, error) {
	next := &Catalog{models: map[string]map[string]Model{}, centres: maps.Clone(c.centres)}
	for provider, models := range c.models {
		next.models[provider] = maps.Clone(models)
	}
	if next.centres == nil {
		next.centres = map[string]DataCentre{}
	}
	errs := readTable("providers.csv", t.Providers, providerColumns, next.addProvider)
	errs = append(errs, readTable("models.csv", t.Models, modelColumns, next.addModel)...)
	return next, errors.Join(errs...)
}

// Providers lists the names of all providers, sorted.
func (c *Catalog) Providers() []string {
	names := map[string]bool{}
	for _, centre := range c.centres {
		names[centre.Provider] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// Models lists all models, each once, in their own provider's data centre, by provider and name.
func (c *Catalog) Models() []Model {
	var all []Model
	for _, models := range c.models {
		for name, m := range models {
			if name == key(m.Name) {
				m.DataCentre = c.centres[m.Provider]
				all = append(all, m)
			}
		}
	}
	slices.SortFunc(all, func(a, b Model) int {
		return strings.Compare(a.Provider+"\x00"+a.Name, b.Provider+"\x00"+b.Name)
	})
	return all
}

func (c *Catalog) addProvider(row row) error {
	if err := row.checkName("provider"); err != nil {
		return err
	}
	pue, err := row.numbers("pue", 1, 10)
	if err != nil {
		return err
	}
	zone := row.text("zone")
	if zone != "" && !zonePattern.MatchString(zone) {
		return fmt.Errorf("zone %q must be an ISO 3166-1 alpha-3 code such as USA, or empty", zone)
	}
	centre := DataCentre{Provider: key(row.text("provider")), Zone: zone, PUE: pue, Source: row.text("source")}
	for _, name := range row.names("provider", "aliases") {
		c.centres[name] = centre
	}
	return nil
}

func (c *Catalog) addModel(row row) error {
	if err := row.checkName("model"); err != nil {
		return err
	}
	provider, ok := c.centres[key(row.text("provider"))]
	if !ok {
		return fmt.Errorf("provider %q is in no table of providers: known are %s", row.text("provider"), strings.Join(c.Providers(), ", "))
	}
	m := Model{Provider: provider.Provider, Name: row.text("model"), Source: row.text("source")}
	var errs [4]error
	m.Total, errs[0] = row.numbers("total_b", 0.001, 100_000)
	m.Active, errs[1] = m.Total, nil
	if row.text("active_b") != "" {
		m.Active, errs[1] = row.numbers("active_b", 0.001, 100_000)
	}
	m.TokensPerSecond, errs[2] = row.number("tokens_per_second", 0, 1_000_000)
	m.FirstTokenSeconds, errs[3] = row.number("first_token_seconds", 0, 100_000)
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	if m.Active.Min > m.Total.Min || m.Active.Max > m.Total.Max {
		return fmt.Errorf("active_b %q is more than total_b %q", row.text("active_b"), row.text("total_b"))
	}
	if c.models[m.Provider] == nil {
		c.models[m.Provider] = map[string]Model{}
	}
	names := row.names("model", "aliases")
	for _, name := range names {
		c.models[m.Provider][name] = m
	}
	// An open model goes by its name without its maker's too, where no other model has that.
	if bare := names[0][strings.LastIndex(names[0], "/")+1:]; bare != "" && key(c.models[m.Provider][bare].Name) != bare {
		c.models[m.Provider][bare] = m
	}
	return nil
}
