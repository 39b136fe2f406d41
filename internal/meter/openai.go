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
	"bytes"
	"net/http"
	"strings"
)

// openAI is the OpenAI API, which Azure OpenAI, vLLM, Ollama and many others speak as well.
// See https://platform.openai.com/docs/api-reference.
type openAI struct {
	azure bool // the path may name a deployment, which stands for the model
}

func (s openAI) operation(path string) (operation, bool) {
	for _, o := range []struct {
		suffix string
		op     operation
	}{
		{"/chat/completions", operation{name: opChat, asksUsage: true}},
		{"/completions", operation{name: opCompletion, asksUsage: true}},
		{"/responses", operation{name: opChat}},
		{"/embeddings", operation{name: opEmbeddings}},
	} {
		if strings.HasSuffix(path, o.suffix) {
			if s.azure {
				o.op.model, _, _ = s.deployment(path)
			}
			return o.op, true
		}
	}
	return operation{}, false
}

const deployments = "/deployments/"

// deployment finds the deployment's name in a path, and what stands before and behind it.
func (openAI) deployment(path string) (name, before, behind string) {
	before, rest, ok := strings.Cut(path, deployments)
	if !ok {
		return "", "", ""
	}
	name, behind, _ = strings.Cut(rest, "/")
	return name, before + deployments, "/" + behind
}

func (s openAI) withModel(path, model string) string {
	_, before, behind := s.deployment(path)
	return before + model + behind
}

func (openAI) want() []string {
	return []string{"model", "usage", "choices", "type", "response.model", "response.usage"}
}

// openAIUsage has the names of Chat Completions, Completions and Embeddings (prompt, completion) and
// those of Responses (input, output).
type openAIUsage struct {
	Prompt            count   `json:"prompt_tokens"`
	Completion        count   `json:"completion_tokens"` // embeddings have none
	Input             count   `json:"input_tokens"`
	Output            count   `json:"output_tokens"`
	PromptDetails     details `json:"prompt_tokens_details"`
	InputDetails      details `json:"input_tokens_details"`
	CompletionDetails details `json:"completion_tokens_details"`
	OutputDetails     details `json:"output_tokens_details"`
}

type details struct {
	Cached    count `json:"cached_tokens"`
	Reasoning count `json:"reasoning_tokens"`
}

// tokens takes the set of names that the answer used; a server that fills in both means one thing.
func (u openAIUsage) tokens() Tokens {
	return Tokens{
		Input:     int64(max(u.Prompt, u.Input)),
		Output:    int64(max(u.Completion, u.Output)),
		Cached:    int64(max(u.PromptDetails.Cached, u.InputDetails.Cached)),
		Reasoning: int64(max(u.CompletionDetails.Reasoning, u.OutputDetails.Reasoning)),
	}
}

func (openAI) read(m members, u *usage) {
	for _, path := range []string{"model", "response.model"} {
		u.setModel(m[path])
	}
	for _, path := range []string{"usage", "response.usage"} {
		var reported openAIUsage
		if decode(m[path], &reported) {
			u.set(reported.tokens(), true)
		}
	}
	if hasElements(m["choices"]) || bytes.HasSuffix(m["type"], []byte(`.delta"`)) {
		u.pieces++
	}
}

// hasElements says whether the text is an array that is not empty.
func hasElements(raw []byte) bool {
	inside, ok := bytes.CutPrefix(raw, []byte("["))
	inside = bytes.TrimSpace(inside)
	return ok && len(inside) > 0 && inside[0] != ']'
}

func (openAI) problem(status int, message string) []byte {
	type problem struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    string  `json:"code"`
	}
	kind := problem{Message: message, Type: "server_error", Code: "upstream_unreachable"}
	if status == http.StatusForbidden {
		kind = problem{Message: message, Type: "invalid_request_error", Code: "carbon_budget_exceeded"}
	}
	return encode(map[string]problem{"error": kind})
}
