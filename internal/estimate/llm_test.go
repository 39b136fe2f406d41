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
	"math"
	"math/rand/v2"
	"testing"
)

func mustLookup(t *testing.T, provider, name string) Model {
	t.Helper()
	m, err := BuiltIn().Lookup(provider, name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The numbers of the worked example in docs/accounting.md, step by step: gpt-4o, 400 output tokens.
func TestWorkedExample(t *testing.T) {
	gpt4o := mustLookup(t, "openai", "gpt-4o")
	// 44 billion active parameters take (5.694138870734119e-07 x 44 + 4.052928146734005e-05) Wh a token
	// on one GPU; 2 bytes x 440 billion x 1.2 need 14 GPUs of 80 GB, that is 16; a call lasts
	// 0.52 + 400 / 37.8 seconds, in which 1.2 kW x 16 / 8 are shared by 64 calls.
	gpu := 400 * (5.694138870734119e-07*44 + 4.052928146734005e-05) / 1000
	server := (0.52 + 400/37.8) / 3600 * 1.2 * 2 / 64
	byHand := 1.2 * (16*gpu + server)
	got := gpt4o.Inference(EcoLogits011, 1, 400)
	for what, pair := range map[string][2]float64{
		"least kWh by hand":    {got.KWh.Min, byHand},
		"least kWh":            {got.KWh.Min, 6.424563546641511e-4},
		"most kWh":             {got.KWh.Max, 1.0272890361038458e-3},
		"mean kWh":             {got.KWh.Mean(), 8.348726953839985e-4},
		"embodied grams":       {got.EmbodiedGrams.Mean(), 0.028911485890652557},
		"embodied grams, 0.10": {gpt4o.Inference(EcoLogits010, 1, 400).EmbodiedGrams.Mean(), 0.02571376700472549},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-9*pair[1] {
			t.Errorf("%s: %v, want %v", what, pair[0], pair[1])
		}
	}
	if got.Zone != "USA" || got.PUE != (Range{1.2, 1.2}) {
		t.Errorf("the data centre is %q with a PUE of %v", got.Zone, got.PUE)
	}
}

// So many calls with so many tokens in all take as much as the calls one by one.
func TestCallsAddUp(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	models := BuiltIn().Models()
	for range 2000 {
		m := models[random.IntN(len(models))]
		calls, sum, tokens := random.Int64N(20)+1, 0.0, int64(0)
		for range calls {
			n := random.Int64N(3000)
			sum += m.Inference(EcoLogits011, 1, n).KWh.Mean()
			tokens += n
		}
		all := m.Inference(EcoLogits011, calls, tokens)
		if math.Abs(all.KWh.Mean()-sum) > 1e-9*sum {
			t.Fatalf("%s: %d calls take %v kWh together and %v one by one", m.Name, calls, all.KWh.Mean(), sum)
		}
		if all.KWh.Min <= 0 || all.KWh.Min > all.KWh.Max || all.EmbodiedGrams.Min <= 0 || all.EmbodiedGrams.Min > all.EmbodiedGrams.Max {
			t.Fatalf("%s: %+v is no range", m.Name, all)
		}
	}
}

func TestNothingTakesNothing(t *testing.T) {
	m := mustLookup(t, "", "gpt-4o")
	for _, n := range []int64{0, -5} {
		if got := m.Inference(EcoLogits011, n, n); got.KWh != (Range{}) || got.EmbodiedGrams != (Range{}) {
			t.Errorf("%d calls take %+v", n, got)
		}
	}
	if got := m.Inference(EcoLogits011, 1, 0); got.KWh.Min <= 0 {
		t.Error("a call without an answer waits for its first token all the same")
	}
}

func TestParseMethod(t *testing.T) {
	for text, want := range map[string]Method{"0.11": EcoLogits011, "0.10": EcoLogits010} {
		if got, err := ParseMethod(text); err != nil || got != want {
			t.Errorf("%q is %q (%v)", text, got, err)
		}
	}
	for _, text := range []string{"", "0.9", "0.1", "latest"} {
		if _, err := ParseMethod(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
