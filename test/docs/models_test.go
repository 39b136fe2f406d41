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

package docs

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// Every default downgrade stands in the guide and, for kubectl explain, in the CRD.
func TestEveryDefaultDowngradeIsDocumented(t *testing.T) {
	guide := strings.ToLower(read(t, filepath.Join(root, "docs/carbonawarejob.md")))
	crd := strings.ToLower(read(t, filepath.Join(root, "config/crd/bases/carbon.ecotracker.dev_carbonawarejobs.yaml")))
	for model, cheaper := range policy.DefaultDowngrades() {
		row := regexp.MustCompile(`(?m)^\| [^|]*\b` + regexp.QuoteMeta(model) + `[,| ][^|]*\|[^|]*\b` + regexp.QuoteMeta(strings.ToLower(cheaper)) + `\b`)
		if !row.MatchString(guide) {
			t.Errorf("docs/carbonawarejob.md does not say that %s becomes %s", model, cheaper)
		}
		if !strings.Contains(crd, strings.TrimPrefix(strings.ToLower(cheaper), "meta-")) {
			t.Errorf("kubectl explain does not name %s", cheaper)
		}
	}
}

// The worked example of the accounting guide has the numbers that the code has.
func TestTheWorkedExample(t *testing.T) {
	guide := read(t, filepath.Join(root, "docs/accounting.md"))
	gpt4o, err := estimate.BuiltIn().Lookup("openai", "gpt-4o")
	if err != nil {
		t.Fatal(err)
	}
	call, run := gpt4o.Inference(estimate.EcoLogits011, 1, 400), gpt4o.Inference(estimate.EcoLogits011, 1000, 400_000)
	emissions, err := estimate.Account(estimate.Input{RequestedKWh: run.KWh.Mean(), EffectiveKWh: run.KWh.Mean(), ChosenAtRun: 200, HomeAtRun: 200, HomeAtSubmission: 200})
	if err != nil {
		t.Fatal(err)
	}
	wattHours := func(kWh float64) string { return estimate.Decimal(kWh*1000, 6) + " Wh" }
	for what, text := range map[string]string{
		"the least":          "= " + wattHours(call.KWh.Min) + " at least",
		"the most":           "it is " + wattHours(call.KWh.Max),
		"the middle":         "in the middle " + wattHours(call.KWh.Mean()),
		"a thousand calls":   "take " + estimate.Decimal(run.KWh.Mean(), 9) + " kWh",
		"their grams":        "they emit " + emissions.Actual.String() + " g",
		"the embodied share": estimate.Decimal(run.EmbodiedGrams.Mean(), 9) + " g",
		"how many models":    fmt.Sprintf("\n%d models of", len(estimate.BuiltIn().Models())),
	} {
		if !strings.Contains(guide, text) {
			t.Errorf("docs/accounting.md has not %s: %q", what, text)
		}
	}
}

// The ConfigMap of the accounting guide is one that the operator takes.
func TestTheConfigMapOfModels(t *testing.T) {
	blocks := yamlBlock.FindAllStringSubmatch(read(t, filepath.Join(root, "docs/accounting.md")), -1)
	for _, block := range blocks {
		var configMap struct {
			Kind string
			Data map[string]string
		}
		if err := yaml.Unmarshal([]byte(block[1]), &configMap); err != nil {
			t.Fatal(err)
		}
		if configMap.Kind != "ConfigMap" {
			continue
		}
		catalog, err := estimate.BuiltIn().With(estimate.Tables{Models: configMap.Data["models.csv"], Providers: configMap.Data["providers.csv"]})
		if err != nil {
			t.Error(err)
		}
		if tulip, err := catalog.Lookup("", "tulip:latest"); err != nil || tulip.DataCentre.Zone != "NLD" {
			t.Errorf("got %+v (%v)", tulip, err)
		}
		return
	}
	t.Error("no ConfigMap was found")
}
