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

package policy

import (
	"testing"

	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
)

// Every default saves at least half of the energy, for short and for long answers, and what is saved
// is not the order of two names that mean the same model.
func TestEveryDefaultSavesHalf(t *testing.T) {
	for model, cheaper := range DefaultDowngrades() {
		from, err := estimate.BuiltIn().Lookup("", model)
		if err != nil {
			t.Errorf("%s: %v", model, err)
			continue
		}
		to, err := estimate.BuiltIn().Lookup("", cheaper)
		if err != nil {
			t.Errorf("%s: %v", cheaper, err)
			continue
		}
		if from.Provider != to.Provider {
			t.Errorf("%s is served by %s, %s by %s", model, from.Provider, cheaper, to.Provider)
		}
		for _, tokens := range []int64{50, 400, 4000} {
			before := from.Inference(estimate.EcoLogits011, 1, tokens).KWh.Mean()
			after := to.Inference(estimate.EcoLogits011, 1, tokens).KWh.Mean()
			if after > before/2 {
				t.Errorf("%s to %s saves only %.0f %% at %d tokens", model, cheaper, 100*(1-after/before), tokens)
			}
		}
	}
}

func TestDefaultDowngrade(t *testing.T) {
	tests := map[string]string{
		"gpt-4o":                                "gpt-4o-mini",
		"gpt-4o-2024-08-06":                     "gpt-4o-mini",
		"GPT-4o":                                "gpt-4o-mini",
		"openai/gpt-4o":                         "openai/gpt-4o-mini",
		"gpt-4-0613":                            "gpt-4o-mini",
		"claude-opus-4-20250514":                "claude-haiku-4-5",
		"claude-sonnet-4-5-20250929":            "claude-haiku-4-5",
		"mistral-large-latest":                  "mistral-small-latest",
		"mistral-large-2411":                    "mistral-small-latest",
		"command-a-03-2025":                     "command-r-08-2024",
		"models/gemini-2.0-flash-001":           "models/gemini-2.0-flash-lite",
		"meta-llama/Llama-3.3-70B-Instruct":     "meta-llama/Llama-3.1-8B-Instruct",
		"Qwen/Qwen3-235B-A22B-Instruct-2507":    "Qwen/Qwen3-30B-A3B-Instruct-2507",
		"gpt-4o-mini":                           "",
		"gpt-4o-mini-2024-07-18":                "",
		"anthropic.claude-opus-4-20250514-v1:0": "",
		"my-model":                              "",
		"":                                      "",
		"/":                                     "",
	}
	for model, want := range tests {
		if got, ok := DefaultDowngrade(model); got != want || ok != (want != "") {
			t.Errorf("%q is downgraded to %q (%t), want %q", model, got, ok, want)
		}
	}
}
