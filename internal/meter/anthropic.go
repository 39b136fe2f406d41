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
	"net/http"
	"strings"
)

// anthropic is the Anthropic Messages API. See https://docs.anthropic.com/en/api/messages.
type anthropic struct{}

func (anthropic) operation(path string) (operation, bool) {
	return operation{name: opChat}, strings.HasSuffix(path, "/messages")
}

func (anthropic) withModel(path, _ string) string { return path }

func (anthropic) want() []string {
	return []string{"model", "usage", "type", "message.model", "message.usage"}
}

// anthropicUsage has pointers because the usage of a stream's end leaves out what the start told.
type anthropicUsage struct {
	Input         *count `json:"input_tokens"` // without the cached ones
	CacheCreation count  `json:"cache_creation_input_tokens"`
	CacheRead     count  `json:"cache_read_input_tokens"`
	Output        *count `json:"output_tokens"`
}

func (anthropic) read(m members, u *usage) {
	u.setModel(m["model"])
	u.setModel(m["message.model"])
	start, whole := anthropicUsage{}, anthropicUsage{}
	if decode(m["message.usage"], &start) {
		u.set(start.onto(Tokens{}), false)
	}
	if decode(m["usage"], &whole) {
		u.set(whole.onto(u.tokens), true)
	}
	if string(m["type"]) == `"content_block_delta"` {
		u.pieces++
	}
}

// onto adds what this usage tells to what was known before. The three kinds of input come together
// or not at all.
func (a anthropicUsage) onto(t Tokens) Tokens {
	if a.Input != nil {
		t.Cached = int64(a.CacheRead)
		t.Input = int64(*a.Input + a.CacheCreation + a.CacheRead)
	}
	if a.Output != nil {
		t.Output = int64(*a.Output)
	}
	return t
}

func (anthropic) problem(status int, message string) []byte {
	type problem struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	}
	kind := "api_error"
	if status == http.StatusForbidden {
		kind = "permission_error"
	}
	return encode(struct {
		Type  string  `json:"type"`
		Error problem `json:"error"`
	}{"error", problem{Type: kind, Message: message}})
}
