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
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestLookup(t *testing.T) {
	tests := []struct{ provider, model, want, centre string }{
		{"openai", "gpt-4o", "gpt-4o", "openai"},
		{"", "gpt-4o", "gpt-4o", "openai"},
		{"azure", "GPT-4o ", "gpt-4o", "openai"},
		{"", "gpt-4o-2024-08-06", "gpt-4o", "openai"},
		{"", "gpt-4o-mini-2024-07-18", "gpt-4o-mini", "openai"},
		{"", "gpt-4-0613", "gpt-4", "openai"},
		{"", "gpt-35-turbo", "gpt-3.5-turbo", "openai"},
		{"", "openai/gpt-4o", "gpt-4o", "openai"},
		{"anthropic", "claude-sonnet-4-20250514", "claude-sonnet-4-0", "anthropic"},
		{"", "claude-opus-4-5-20251101", "claude-opus-4-5", "anthropic"},
		{"", "claude-haiku-4-5@20251001", "claude-haiku-4-5", "anthropic"},
		{"", "anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4-0", "anthropic"},
		{"", "us.anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku", "anthropic"},
		{"", "claude-3-7-sonnet-latest", "claude-3-7-sonnet", "anthropic"},
		{"mistralai", "mistral-large-2411", "mistral-large", "mistral"},
		{"google_genai", "models/gemini-2.5-flash", "gemini-2.5-flash", "google"},
		{"", "gemini-2.0-flash-001", "gemini-2.0-flash", "google"},
		{"", "command-a-03-2025", "command-a", "cohere"},
		{"", "command-r-08-2024", "command-r-08-2024", "cohere"}, // has a row of its own
		{"", "Meta-Llama-3.1-8B-Instruct", "meta-llama/Meta-Llama-3.1-8B-Instruct", "huggingface"},
		{"", "Qwen3-8B", "Qwen/Qwen3-8B", "huggingface"},
		{"", "llama3.1:8b", "meta-llama/Meta-Llama-3.1-8B-Instruct", "huggingface"},
		{"", "llama3.1:70b-instruct-q4_K_M", "meta-llama/Meta-Llama-3.1-70B-Instruct", "huggingface"},
		{"", "deepseek-coder-v2", "deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct", "huggingface"}, // Ollama's default
		{"", "deepseek-coder-v2:latest", "deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct", "huggingface"},
		{"", "deepseek-coder-v2:16b-lite-instruct-q4_0", "deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct", "huggingface"},
		{"", "deepseek-coder-v2:236b-instruct-q4_0", "deepseek-ai/DeepSeek-Coder-V2-Instruct", "huggingface"},
		{"", "deepseek-r1:7b", "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "huggingface"},
		{"", "qwen3:30b-a3b", "Qwen/Qwen3-30B-A3B", "huggingface"},
		{"", "qwen/qwen3-235b-a22b", "Qwen/Qwen3-235B-A22B", "huggingface"},
		{"", "deepseek/deepseek-chat", "deepseek-ai/DeepSeek-V3", "huggingface"},
		{"", "Qwen/Qwen3-30B-A3B-Instruct-2507", "Qwen/Qwen3-30B-A3B", "huggingface"},
		// A model of one maker in the data centre of another.
		{"openai", "mistral-small-latest", "mistral-small", "openai"},
	}
	for _, tt := range tests {
		m, err := BuiltIn().Lookup(tt.provider, tt.model)
		if err != nil || m.Name != tt.want || m.DataCentre.Provider != tt.centre {
			t.Errorf("%s at %q is %q at %q (%v), want %q at %q", tt.model, tt.provider, m.Name, m.DataCentre.Provider, err, tt.want, tt.centre)
		}
	}
}

func TestLookupOfUnknownNames(t *testing.T) {
	tests := []struct{ provider, model, nearest string }{
		{"", "gpt-4.o", "gpt-4o"},
		{"", "gpt4o", "gpt-4o"},
		{"openai", "gpt-4o-minni", "gpt-4o-mini"},
		{"", "gpt-6", "gpt-5"},
		{"", "claude-4-5-sonnet", "claude-sonnet-4-5"},
		{"", "sonnet-4-5", "claude-sonnet-4-5"},
		{"mistral", "mistral-larg", "mistral-large"},
		{"", "deepseek-r1:3b", "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B"}, // a size that the table does not have is no other size
		{"", "Llama-3.1-8B", "meta-llama/Meta-Llama-3.1-8B-Instruct"},
	}
	for _, tt := range tests {
		_, err := BuiltIn().Lookup(tt.provider, tt.model)
		unknown := &UnknownModelError{}
		if !errors.As(err, &unknown) || !slices.Contains(unknown.Nearest, tt.nearest) || len(unknown.Nearest) > nearestNames {
			t.Errorf("%s: %v, want it to propose %s", tt.model, err, tt.nearest)
		}
		if err != nil && !strings.Contains(err.Error(), tt.nearest) {
			t.Errorf("the message does not say %s: %v", tt.nearest, err)
		}
	}
	for _, model := range []string{"", "x", "my-own-model-of-last-night", strings.Repeat("gpt-4o", 1000)} {
		if _, err := BuiltIn().Lookup("", model); err == nil {
			t.Errorf("%.20q is known", model)
		}
	}
	_, err := BuiltIn().Lookup("open-ai", "gpt-4o")
	if err == nil || !strings.Contains(err.Error(), `the provider "open-ai" is not known: known are anthropic, cohere, google`) {
		t.Errorf("an unknown provider: %v", err)
	}
}

func TestEditDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"gpt-4o", "gpt4o", 1}, {"same", "same", 0}} {
		if got := editDistance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q to %q are %d edits, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
