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

// gemini is the Gemini API. See https://ai.google.dev/api/generate-content.
type gemini struct{}

func (s gemini) operation(path string) (operation, bool) {
	_, model, method, ok := s.split(path)
	if !ok {
		return operation{}, false
	}
	switch method {
	case "generateContent", "streamGenerateContent":
		return operation{name: opGenerate, model: model}, true
	case "embedContent", "batchEmbedContents":
		return operation{name: opEmbeddings, model: model}, true
	}
	return operation{}, false
}

// split takes …/models/MODEL:METHOD apart, of which clients may escape the colon.
func (gemini) split(path string) (before, model, method string, ok bool) {
	slash := strings.LastIndexByte(path, '/')
	model, method, ok = strings.Cut(unescape(path[slash+1:]), ":")
	return path[:slash+1], model, method, ok
}

func (s gemini) withModel(path, model string) string {
	before, _, method, ok := s.split(path)
	if !ok {
		return path
	}
	return before + model + ":" + method
}

func (gemini) want() []string { return []string{"modelVersion", "usageMetadata", "candidates"} }

type geminiUsage struct {
	Prompt     count `json:"promptTokenCount"`
	ToolUse    count `json:"toolUsePromptTokenCount"`
	Cached     count `json:"cachedContentTokenCount"`
	Candidates count `json:"candidatesTokenCount"`
	Thoughts   count `json:"thoughtsTokenCount"`
}

// read takes the last usage of a stream: each piece tells that of the whole answer so far.
func (gemini) read(m members, u *usage) {
	u.setModel(m["modelVersion"])
	var reported geminiUsage
	if decode(m["usageMetadata"], &reported) {
		u.set(Tokens{
			Input:     int64(reported.Prompt + reported.ToolUse),
			Output:    int64(reported.Candidates + reported.Thoughts),
			Cached:    int64(reported.Cached),
			Reasoning: int64(reported.Thoughts),
		}, true)
	}
	if hasElements(m["candidates"]) {
		u.pieces++
	}
}

func (gemini) problem(status int, message string) []byte {
	type problem struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Status  string `json:"status"`
	}
	kind := "UNAVAILABLE"
	if status == http.StatusForbidden {
		kind = "PERMISSION_DENIED"
	}
	return encode(map[string]problem{"error": {Code: status, Message: message, Status: kind}})
}
