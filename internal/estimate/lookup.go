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
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// UnknownModelError says that the catalog has no such model or provider.
type UnknownModelError struct {
	// Provider and Model that were asked for.
	Provider, Model string
	// Nearest are known names that are spelled alike, the most similar first; of providers when the
	// provider is unknown.
	Nearest []string
	// UnknownProvider says that it is the provider that is unknown.
	UnknownProvider bool
}

// Error names what is unknown and what is spelled alike.
func (e *UnknownModelError) Error() string {
	if e.UnknownProvider {
		return fmt.Sprintf("the provider %q is not known: known are %s", e.Provider, strings.Join(e.Nearest, ", "))
	}
	if len(e.Nearest) == 0 {
		return fmt.Sprintf("the model %q is not in the table of models, nor is one spelled like it", e.Model)
	}
	return fmt.Sprintf("the model %q is not in the table of models: the nearest names are %s", e.Model, strings.Join(e.Nearest, ", "))
}

// Lookup finds a model by its name or another name of it. Dated versions and latest count as their
// model where the table does not have them apart (gpt-4o-2024-08-06, mistral-large-2411), and so do
// the names of gateways and clouds (openai/gpt-4o, anthropic.claude-sonnet-4-20250514-v1:0). Case
// does not matter. The provider says in whose data centre the model runs; empty stands for the
// model's own. The error is an *UnknownModelError.
func (c *Catalog) Lookup(provider, model string) (Model, error) {
	centre, known := c.centres[key(provider)]
	if provider != "" && !known {
		return Model{}, &UnknownModelError{Provider: provider, Model: model, Nearest: c.Providers(), UnknownProvider: true}
	}
	m, found := c.find(centre.Provider, model)
	if !found {
		return Model{}, &UnknownModelError{Provider: provider, Model: model, Nearest: c.nearest(centre.Provider, model)}
	}
	m.DataCentre = c.centres[m.Provider]
	if known {
		m.DataCentre = centre
	}
	return m, nil
}

// find looks for ever shorter forms of the name, each first at the provider, then at all others.
func (c *Catalog) find(provider, model string) (Model, bool) {
	order := append([]string{provider}, slices.Sorted(maps.Keys(c.models))...)
	for _, name := range forms(model) {
		for _, p := range order {
			if m, ok := c.models[p][name]; ok {
				return m, true
			}
		}
	}
	return Model{}, false
}

// How vendors, clouds and gateways dress up the name of a model.
var (
	prefixes = regexp.MustCompile(`^(([a-z]{2,6}\.)?(anthropic|meta|mistral|cohere|amazon|deepseek|qwen|openai)\.|([a-z0-9_.-]+/)+)`)
	suffixes = regexp.MustCompile(`(-v\d+:\d+|:[a-z0-9._-]+)$`)
	// variants of one size, as Ollama tags them: llama3.1:70b-instruct-q4_K_M.
	variants = regexp.MustCompile(`(:[a-z0-9.]+)-[a-z0-9._-]+$`)
	// sized are the tags that say how large a model is; without them it is another one.
	sized = regexp.MustCompile(`:\d+(\.\d+)?(x\d+)?[bm](-|$)`)
	dates = regexp.MustCompile(`-(\d{4}-\d{2}-\d{2}|\d{2}-\d{4}|\d{8}|\d{4}|\d{3}|latest)$`)
)

// forms are the keys under which a model may be in the table, the most precise first.
func forms(model string) []string {
	name := key(model)
	all := []string{name}
	add := func(form string) {
		if form != "" && !slices.Contains(all, form) {
			all = append(all, form)
		}
	}
	bare := strings.ReplaceAll(name, "@", "-")
	add(bare)
	add(variants.ReplaceAllString(bare, "$1"))
	if !sized.MatchString(bare) {
		bare = suffixes.ReplaceAllString(bare, "")
	}
	add(bare)
	add(dates.ReplaceAllString(bare, ""))
	bare = prefixes.ReplaceAllString(bare, "")
	add(bare)
	add(dates.ReplaceAllString(bare, ""))
	return all
}

// UndatedModel is a model's name without its date or latest: gpt-4o for gpt-4o-2024-08-06.
func UndatedModel(model string) string {
	return dates.ReplaceAllString(key(model), "")
}

// key is the form in which names are compared.
func key(name string) string {
	return strings.ToLower(strings.TrimSpace(name))
}

const (
	// nearestNames is how many names an error proposes.
	nearestNames = 3
	// tooFar is the share of its letters that may differ in a name that is proposed.
	tooFar = 0.5
)

// nearest are the names of the models, the provider's if it has any, that are most like the given one.
func (c *Catalog) nearest(provider, model string) []string {
	if len(model) > maxName {
		return nil
	}
	type candidate struct {
		name  string
		edits int
	}
	best := map[string]candidate{}
	for p, models := range c.models {
		if len(c.models[provider]) > 0 && p != provider {
			continue
		}
		for name, m := range models {
			edits := unlikeness(model, name)
			if now, has := best[m.Name]; float64(edits) <= tooFar*float64(len(name)) && (!has || edits < now.edits) {
				best[m.Name] = candidate{m.Name, edits}
			}
		}
	}
	sorted := slices.SortedFunc(maps.Values(best), func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.edits, b.edits), strings.Compare(a.name, b.name))
	})
	var names []string
	for _, c := range sorted[:min(nearestNames, len(sorted))] {
		names = append(names, c.name)
	}
	return names
}

// unlikeness is the edit distance of two names in the forms that are most alike: with and without
// prefixes and dates, and with their words in another order. A name within the other counts as one
// edit.
func unlikeness(model, name string) int {
	least := max(len(model), len(name))
	for _, form := range forms(model) {
		if len(form) > 3 && strings.Contains(name, form) {
			least = min(least, 1)
		}
		least = min(least, editDistance(form, name), editDistance(sortedWords(form), sortedWords(name)))
	}
	return least
}

func sortedWords(name string) string {
	words := strings.Split(name, "-")
	slices.Sort(words)
	return strings.Join(words, "-")
}

// editDistance is the Levenshtein distance: the number of bytes to insert, delete or replace.
func editDistance(a, b string) int {
	previous := make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := range len(a) {
		diagonal := previous[0]
		previous[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = previous[j+1]
			previous[j+1] = min(cost, previous[j]+1, diagonal+1)
		}
	}
	return previous[len(b)]
}
