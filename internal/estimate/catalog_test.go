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
	"strings"
	"testing"
)

// The built-in tables are without error, and every row has a public source.
func TestBuiltInTables(t *testing.T) {
	catalog, err := (&Catalog{}).With(Tables{Models: builtInModels, Providers: builtInProviders})
	if err != nil {
		t.Fatal(err)
	}
	makers := map[string]int{}
	for _, m := range catalog.Models() {
		if !strings.HasPrefix(m.Source, "https://") {
			t.Errorf("%s names no source", m.Name)
		}
		makers[m.Provider]++
		for _, maker := range []string{"meta-llama", "Qwen", "deepseek-ai"} {
			if strings.HasPrefix(m.Name, maker+"/") {
				makers[maker]++
			}
		}
		if found, err := catalog.Lookup("", m.Name); err != nil || found.Name != m.Name {
			t.Errorf("%s is found as %q (%v)", m.Name, found.Name, err)
		}
	}
	for _, maker := range []string{"openai", "anthropic", "google", "mistral", "meta-llama", "cohere", "Qwen", "deepseek-ai"} {
		if makers[maker] < 5 {
			t.Errorf("only %d models of %s", makers[maker], maker)
		}
	}
}

// No name stands for two models of one provider.
func TestBuiltInNamesAreUnique(t *testing.T) {
	seen := map[string]string{}
	readTable("models.csv", builtInModels, modelColumns, func(r row) error {
		for _, name := range r.names("model", "aliases") {
			id := key(r.text("provider")) + " " + name
			if seen[id] != "" {
				t.Errorf("%s stands for %s and for %s", id, seen[id], r.text("model"))
			}
			seen[id] = r.text("model")
		}
		return nil
	})
	if len(seen) < 140 {
		t.Errorf("only %d names were read", len(seen))
	}
}

func TestWithExtendsAndReplaces(t *testing.T) {
	catalog, err := BuiltIn().With(Tables{
		Providers: "provider,pue,zone,aliases\nbasement,1.8-2.2,NLD,cellar\n",
		Models: "model,provider,total_b,active_b,aliases\n" +
			"my-model,cellar,70,,mine my/model\n" +
			"gpt-4o,openai,200,20-60,\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	mine, err := catalog.Lookup("", "my/model")
	if err != nil || mine.Name != "my-model" || mine.Active != (Range{70, 70}) ||
		mine.DataCentre.Zone != "NLD" || mine.DataCentre.PUE != (Range{1.8, 2.2}) {
		t.Errorf("got %+v (%v)", mine, err)
	}
	replaced, err := catalog.Lookup("openai", "gpt-4o")
	if err != nil || replaced.Total != (Range{200, 200}) || replaced.Active != (Range{20, 60}) || replaced.TokensPerSecond != 0 {
		t.Errorf("got %+v (%v)", replaced, err)
	}
	if before := mustLookup(t, "openai", "gpt-4o"); before.Total.Min != 440 {
		t.Error("the built-in catalog changed")
	}
	if _, err := catalog.Lookup("", "gpt-4o-mini"); err != nil {
		t.Errorf("what was not replaced is gone: %v", err)
	}
}

func TestWithNamesEveryBadRow(t *testing.T) {
	const head = "provider,model,total_b,active_b,tokens_per_second\n"
	tests := map[string]struct {
		tables Tables
		says   string
	}{
		"no number":          {Tables{Models: head + "openai,m,many,,"}, `models.csv line 2: total_b "many" must be a number from 0.001 to 100000, or a range`},
		"no size":            {Tables{Models: head + "openai,m,,,"}, `total_b "" must be a number`},
		"a range backwards":  {Tables{Models: head + "openai,m,70-20,,"}, `total_b "70-20" must be`},
		"negative":           {Tables{Models: head + "openai,m,-5,,"}, `total_b "-5" must be`},
		"not a number":       {Tables{Models: head + "openai,m,NaN,,"}, `total_b "NaN" must be`},
		"infinite speed":     {Tables{Models: head + "openai,m,5,,Inf"}, `tokens_per_second "Inf" must be a number`},
		"more active":        {Tables{Models: head + "openai,m,5,6,"}, `active_b "6" is more than total_b "5"`},
		"no provider":        {Tables{Models: head + "acme,m,5,,"}, `provider "acme" is in no table of providers: known are anthropic`},
		"no model":           {Tables{Models: head + "openai,,5,,"}, `model must not be empty`},
		"too few fields":     {Tables{Models: head + "openai,m"}, "models.csv line 2: has 2 fields, not 5"},
		"unknown column":     {Tables{Models: "provider,model,total_b,colour\n"}, `models.csv: there is no column "colour"`},
		"missing column":     {Tables{Models: "provider,model\n"}, "models.csv: the column total_b is missing"},
		"a quote too many":   {Tables{Models: head + `openai,"m,5,,`}, "models.csv: "},
		"PUE below 1":        {Tables{Providers: "provider,pue\nacme,0.9"}, `providers.csv line 2: pue "0.9" must be a number from 1 to 10`},
		"zone of two":        {Tables{Providers: "provider,pue,zone\nacme,1.1,NL"}, `zone "NL" must be an ISO 3166-1 alpha-3 code`},
		"nameless provider":  {Tables{Providers: "provider,pue\n,1.1"}, "provider must not be empty"},
		"a name without end": {Tables{Models: head + "openai," + strings.Repeat("m", 254) + ",5,,"}, "model is longer than 253 characters"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.tables.Models += "\n"
			catalog, err := BuiltIn().With(tt.tables)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("the error is %v, want it to say %q", err, tt.says)
			}
			if _, err := catalog.Lookup("openai", "gpt-4o"); err != nil {
				t.Error("a bad row took the good ones along")
			}
		})
	}
}

func TestABadRowLeavesTheOthers(t *testing.T) {
	catalog, err := BuiltIn().With(Tables{Models: "provider,model,total_b\nopenai,first,7\nopenai,second,seven\nopenai,third,9\nnone,fourth,1\n"})
	if err == nil || strings.Count(err.Error(), "models.csv line") != 2 {
		t.Errorf("want two errors, got %v", err)
	}
	for _, name := range []string{"first", "third"} {
		if _, err := catalog.Lookup("openai", name); err != nil {
			t.Error(err)
		}
	}
}

// Whatever a ConfigMap holds: no crash, every model that was taken can be found and has a sound
// energy.
func FuzzTables(f *testing.F) {
	f.Add("provider,model,total_b\nacme,m,7-9\n", "provider,pue\nacme,1.2\n")
	f.Add("provider,model,aliases,total_b,active_b\n\"acme\",m,n o,7,\"8\n", "#\nprovider,pue,zone\nacme,1-2,DEU")
	f.Fuzz(func(t *testing.T, models, providers string) {
		catalog, _ := (&Catalog{}).With(Tables{Models: models, Providers: providers})
		for _, m := range catalog.Models() {
			found, err := catalog.Lookup(m.Provider, m.Name)
			if err != nil {
				t.Fatalf("%q of %q: %v", m.Name, m.Provider, err)
			}
			if kWh := found.Inference(EcoLogits011, 10, 4000).KWh; !(kWh.Min > 0 && kWh.Min <= kWh.Max) {
				t.Fatalf("%q takes %v kWh", m.Name, kWh)
			}
		}
	})
}
