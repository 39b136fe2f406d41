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
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func (s *Server) usage(text string) string {
	if s.NoUsage {
		return ""
	}
	return text
}

var chatUsage = fmt.Sprintf(`{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,`+
	`"prompt_tokens_details":{"cached_tokens":%d,"audio_tokens":0},`+
	`"completion_tokens_details":{"reasoning_tokens":%d,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`,
	Input, Output, Input+Output, Cached, Reasoning)

const toolCall = `{"id":"call_abc123","type":"function","function":{"name":"get_weather","arguments":"{\"location\":\"Paris\"}"}}`

func (s *Server) chat(w http.ResponseWriter, r *http.Request, q question) {
	if q.Model == "" { // an Azure deployment
		_, rest, _ := strings.Cut(r.URL.Path, "/deployments/")
		q.Model, _, _ = strings.Cut(rest, "/")
	}
	if q.Stream {
		s.stream(w, r, s.chatEvents(q))
		return
	}
	message, reason := `{"role":"assistant","content":"Hello, how can I help?","refusal":null,"annotations":[]}`, "stop"
	if q.Tools != nil {
		message, reason = `{"role":"assistant","content":null,"tool_calls":[`+toolCall+`],"refusal":null,"annotations":[]}`, "tool_calls"
	}
	s.json(w, r, http.StatusOK, fmt.Sprintf(`{"id":"chatcmpl-B9MBs8","object":"chat.completion","created":1741569952,"model":%q,`+
		`"choices":[{"index":0,"message":%s,"logprobs":null,"finish_reason":%q}]%s,"service_tier":"default","system_fingerprint":"fp_06737a9306"}`,
		named(q.Model), message, reason, s.usage(`,"usage":`+chatUsage)))
}

// chatEvents are those of a stream. When a usage was asked for, every event has one, null but in the
// last.
func (s *Server) chatEvents(q question) []string {
	event := func(choices, usage string) string {
		if q.StreamOptions.IncludeUsage {
			usage = `,"usage":` + usage
		} else {
			usage = ""
		}
		return fmt.Sprintf(`{"id":"chatcmpl-B9MBs8","object":"chat.completion.chunk","created":1741569952,"model":%q,"service_tier":"default",`+
			`"system_fingerprint":"fp_06737a9306","choices":[%s]%s,"obfuscation":"aB3x"}`, named(q.Model), choices, usage)
	}
	choice := func(delta, reason string) string {
		return fmt.Sprintf(`{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}`, delta, reason)
	}
	events := []string{event(choice(`{"role":"assistant","content":"","refusal":null}`, "null"), "null")}
	if q.Tools != nil {
		events = append(events,
			event(choice(`{"tool_calls":[{"index":0,"id":"call_abc123","type":"function","function":{"name":"get_weather","arguments":""}}]}`, "null"), "null"),
			event(choice(`{"tool_calls":[{"index":0,"function":{"arguments":"{\"location\":"}}]}`, "null"), "null"),
			event(choice(`{"tool_calls":[{"index":0,"function":{"arguments":"\"Paris\"}"}}]}`, "null"), "null"),
			event(choice(`{}`, `"tool_calls"`), "null"))
	} else {
		for i := range Pieces {
			events = append(events, event(choice(fmt.Sprintf(`{"content":"piece %d data: {\"usage\":null} é\n"}`, i), "null"), "null"))
		}
		events = append(events, event(choice(`{}`, `"stop"`), "null"))
	}
	if q.StreamOptions.IncludeUsage && !s.NoUsage {
		events = append(events, event("", chatUsage))
	}
	return append(events, "[DONE]")
}

func (s *Server) completion(w http.ResponseWriter, r *http.Request, q question) {
	answer := func(text, reason, usage string) string {
		return fmt.Sprintf(`{"id":"cmpl-uqkvl","object":"text_completion","created":1589478378,"model":%q,`+
			`"choices":[{"text":%q,"index":0,"logprobs":null,"finish_reason":%s}]%s}`, named(q.Model), text, reason, usage)
	}
	if !q.Stream {
		s.json(w, r, http.StatusOK, answer("This is a test", `"length"`, s.usage(`,"usage":`+chatUsage)))
		return
	}
	null, last := "", []string{}
	if q.StreamOptions.IncludeUsage {
		null = `,"usage":null`
		last = []string{fmt.Sprintf(`{"id":"cmpl-uqkvl","object":"text_completion","created":1589478378,"model":%q,"choices":[],"usage":%s}`, named(q.Model), chatUsage)}
	}
	events := []string{answer("This", "null", null), answer(" is", "null", null), answer("", `"stop"`, null)}
	s.stream(w, r, slices.Concat(events, last, []string{"[DONE]"}))
}

func (s *Server) responses(w http.ResponseWriter, r *http.Request, q question) {
	usage := s.usage(fmt.Sprintf(`{"input_tokens":%d,"input_tokens_details":{"cached_tokens":%d},"output_tokens":%d,`+
		`"output_tokens_details":{"reasoning_tokens":%d},"total_tokens":%d}`, Input, Cached, Output, Reasoning, Input+Output))
	if usage == "" {
		usage = "null"
	}
	text := `{"type":"output_text","text":"Hello there","annotations":[],"logprobs":[]}`
	item := func(status, content string) string {
		return fmt.Sprintf(`{"id":"msg_67ccd2bf","type":"message","status":%q,"role":"assistant","content":[%s]}`, status, content)
	}
	response := func(status, output, usage string) string {
		return fmt.Sprintf(`{"id":"resp_67ccd2be","object":"response","created_at":1741476542,"status":%q,"error":null,"incomplete_details":null,`+
			`"instructions":null,"max_output_tokens":null,"model":%q,"output":[%s],"parallel_tool_calls":true,"previous_response_id":null,`+
			`"reasoning":{"effort":null,"summary":null},"store":true,"temperature":1.0,"text":{"format":{"type":"text"}},"tool_choice":"auto",`+
			`"tools":[],"top_p":1.0,"truncation":"disabled","usage":%s,"user":null,"metadata":{}}`, status, named(q.Model), output, usage)
	}
	if !q.Stream {
		s.json(w, r, http.StatusOK, response("completed", item("completed", text), usage))
		return
	}
	n := 0
	event := func(kind, members string) string {
		n++
		return fmt.Sprintf(`%s|{"type":%q,"sequence_number":%d,%s}`, kind, kind, n-1, members)
	}
	const where = `"item_id":"msg_67ccd2bf","output_index":0,"content_index":0,`
	s.stream(w, r, []string{
		event("response.created", `"response":`+response("in_progress", "", "null")),
		event("response.in_progress", `"response":`+response("in_progress", "", "null")),
		event("response.output_item.added", `"output_index":0,"item":`+item("in_progress", "")),
		event("response.content_part.added", where+`"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]}`),
		event("response.output_text.delta", where+`"delta":"Hello","logprobs":[],"obfuscation":"x9"`),
		event("response.output_text.delta", where+`"delta":" there","logprobs":[],"obfuscation":"y1"`),
		event("response.output_text.done", where+`"text":"Hello there","logprobs":[]`),
		event("response.content_part.done", where+`"part":`+text),
		event("response.output_item.done", `"output_index":0,"item":`+item("completed", text)),
		event("response.completed", `"response":`+response("completed", item("completed", text), usage)),
	})
}

func (s *Server) embeddings(w http.ResponseWriter, r *http.Request, q question) {
	vector := make([]float32, 256)
	for i := range vector {
		vector[i] = float32(i) / 1024
	}
	text, _ := json.Marshal(vector)
	if q.EncodingFormat == "base64" {
		text, _ = json.Marshal(base64.StdEncoding.EncodeToString(make([]byte, 4*len(vector))))
	}
	s.json(w, r, http.StatusOK, fmt.Sprintf(`{"object":"list","data":[{"object":"embedding","index":0,"embedding":%s}],"model":%q,`+
		`"usage":{"prompt_tokens":%d,"total_tokens":%d}}`, text, named(q.Model), Input, Input))
}
