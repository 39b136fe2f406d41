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
	"maps"
	"regexp"
	"strings"
)

// defaultDowngrades maps a model to a cheaper one of its family, by the name that its provider's API
// takes. A test holds each against the energy model: it must save at least half.
var defaultDowngrades = map[string]string{
	"gpt-4":         "gpt-4o-mini",
	"gpt-4-turbo":   "gpt-4o-mini",
	"gpt-4o":        "gpt-4o-mini",
	"chatgpt-4o":    "gpt-4o-mini",
	"gpt-4.1":       "gpt-4.1-mini",
	"gpt-4.1-mini":  "gpt-4.1-nano",
	"gpt-5":         "gpt-5-mini",
	"gpt-5.1":       "gpt-5-mini",
	"gpt-5.2":       "gpt-5-mini",
	"gpt-5.4":       "gpt-5-mini",
	"gpt-5-mini":    "gpt-5-nano",
	"gpt-5-pro":     "gpt-5",
	"gpt-5.2-pro":   "gpt-5.2",
	"gpt-5.4-pro":   "gpt-5.4",
	"gpt-5-codex":   "gpt-5.1-codex-mini",
	"gpt-5.1-codex": "gpt-5.1-codex-mini",
	"gpt-5.2-codex": "gpt-5.1-codex-mini",
	"gpt-5.3-codex": "gpt-5.1-codex-mini",
	"o1":            "o4-mini",
	"gpt-oss-120b":  "gpt-oss-20b",

	"claude-sonnet-4":   "claude-haiku-4-5",
	"claude-sonnet-4-0": "claude-haiku-4-5",
	"claude-sonnet-4-5": "claude-haiku-4-5",
	"claude-sonnet-4-6": "claude-haiku-4-5",
	"claude-opus-4":     "claude-haiku-4-5",
	"claude-opus-4-0":   "claude-haiku-4-5",
	"claude-opus-4-1":   "claude-haiku-4-5",
	"claude-opus-4-5":   "claude-haiku-4-5",
	"claude-opus-4-6":   "claude-haiku-4-5",

	"gemini-2.0-flash":       "gemini-2.0-flash-lite",
	"gemini-2.5-flash":       "gemini-2.5-flash-lite",
	"gemini-2.5-pro":         "gemini-2.5-flash",
	"gemini-3-pro-preview":   "gemini-3-flash-preview",
	"gemini-3.1-pro-preview": "gemini-3-flash-preview",
	"gemini-3-flash-preview": "gemini-3.1-flash-lite-preview",

	"mistral-large":    "mistral-small-latest",
	"mistral-medium":   "mistral-small-latest",
	"magistral-medium": "magistral-small-latest",
	"devstral-medium":  "devstral-small-latest",

	"command-a":      "command-r-08-2024",
	"command-r-plus": "command-r-08-2024",

	"llama-3.1-405b-instruct":      "Llama-3.1-70B-Instruct",
	"llama-3.1-70b-instruct":       "Llama-3.1-8B-Instruct",
	"llama-3.3-70b-instruct":       "Llama-3.1-8B-Instruct",
	"meta-llama-3.1-405b-instruct": "Meta-Llama-3.1-70B-Instruct",
	"meta-llama-3.1-70b-instruct":  "Meta-Llama-3.1-8B-Instruct",

	"qwen2.5-72b-instruct":     "Qwen2.5-7B-Instruct",
	"qwen3-235b-a22b":          "Qwen3-30B-A3B",
	"qwen3-235b-a22b-instruct": "Qwen3-30B-A3B-Instruct-2507",
}

// dateSuffix is how vendors mark a version of a model: gpt-4o-2024-08-06, claude-opus-4-20250514,
// command-a-03-2025, mistral-large-2411, gemini-2.0-flash-001, mistral-large-latest.
var dateSuffix = regexp.MustCompile(`-(\d{4}-\d{2}-\d{2}|\d{2}-\d{4}|\d{8}|\d{4}|\d{3}|latest)$`)

// DefaultDowngrade is the cheaper model that is used when the job names none; dated versions count
// as their model, and what a gateway puts before a slash is kept (openai/gpt-4o). False when there is
// no default for the model.
func DefaultDowngrade(model string) (string, bool) {
	slash := strings.LastIndex(model, "/") + 1
	cheaper, ok := defaultDowngrades[strings.ToLower(dateSuffix.ReplaceAllString(model[slash:], ""))]
	if !ok {
		return "", false
	}
	return model[:slash] + cheaper, true
}

// DefaultDowngrades is every default, by the model asked for.
func DefaultDowngrades() map[string]string { return maps.Clone(defaultDowngrades) }
