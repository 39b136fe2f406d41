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

package llm

import (
	"fmt"
	"net/http"
	"strings"
)

func (s *Server) gemini(w http.ResponseWriter, r *http.Request, q question) {
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	model, method, _ := strings.Cut(name, ":")
	part := `{"text":"piece"}`
	if q.Tools != nil {
		part = `{"functionCall":{"name":"get_weather","args":{"location":"Paris"}}}`
	}
	piece := func(output int, reason string) string {
		return fmt.Sprintf(`{"candidates":[{"content":{"parts":[%s],"role":"model"}%s,"index":0}],`+
			`"usageMetadata":{"promptTokenCount":%d,"candidatesTokenCount":%d,"totalTokenCount":%d,"cachedContentTokenCount":%d,"thoughtsTokenCount":%d},`+
			`"modelVersion":%q,"responseId":"abc"}`, part, reason, Input, output, Input+Output, Cached, Reasoning, model)
	}
	const done = `,"finishReason":"STOP"`
	last := piece(Output-Reasoning, done)
	switch {
	case method == "generateContent":
		s.json(w, r, http.StatusOK, last)
	case method == "streamGenerateContent" && r.URL.Query().Get("alt") == "sse":
		s.stream(w, r, []string{piece(1, ""), piece(2, ""), last})
	case method == "streamGenerateContent":
		s.json(w, r, http.StatusOK, "["+piece(1, "")+"\n,\n"+last+"\n]")
	case method == "countTokens":
		s.json(w, r, http.StatusOK, fmt.Sprintf(`{"totalTokens":%d}`, Input))
	case method == "batchEmbedContents":
		s.json(w, r, http.StatusOK, `{"embeddings":[{"values":[0.1,0.2]},{"values":[0.3,0.4]}]}`)
	default:
		s.json(w, r, http.StatusOK, `{"embedding":{"values":[0.1,0.2]}}`)
	}
}
