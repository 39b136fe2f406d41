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
)

func (s *Server) messages(w http.ResponseWriter, r *http.Request, q question) {
	// Anthropic counts cached input apart.
	input := fmt.Sprintf(`"input_tokens":%d,"cache_creation_input_tokens":0,"cache_read_input_tokens":%d`, Input-Cached, Cached)
	message := func(content, reason, usage string) string {
		return fmt.Sprintf(`{"model":%q,"id":"msg_01XFDU","type":"message","role":"assistant","content":[%s],"stop_reason":%s,"stop_sequence":null,"usage":%s}`,
			named(q.Model), content, reason, usage)
	}
	block, empty, delta, reason := `{"type":"text","text":"Hello there"}`, `{"type":"text","text":""}`, `{"type":"text_delta","text":"piece"}`, `"end_turn"`
	if q.Tools != nil {
		block = `{"type":"tool_use","id":"toolu_01D7","name":"get_weather","input":{"location":"Paris"}}`
		empty, reason = `{"type":"tool_use","id":"toolu_01D7","name":"get_weather","input":{}}`, `"tool_use"`
	}
	if !q.Stream {
		s.json(w, r, http.StatusOK, message(block, reason, fmt.Sprintf(`{%s,"output_tokens":%d,"service_tier":"standard"}`, input, Output)))
		return
	}
	events := []string{
		`message_start|{"type":"message_start","message":` + message("", "null", `{`+input+`,"output_tokens":1,"service_tier":"standard"}`) + `}`,
		`content_block_start|{"type":"content_block_start","index":0,"content_block":` + empty + `}`,
		`ping|{"type": "ping"}`,
	}
	for i := range Pieces {
		if q.Tools != nil {
			delta = fmt.Sprintf(`{"type":"input_json_delta","partial_json":%q}`, []string{"", `{"location"`, `: "Par`, `is"}`}[i])
		}
		events = append(events, `content_block_delta|{"type":"content_block_delta","index":0,"delta":`+delta+`}`)
	}
	s.stream(w, r, append(events,
		`content_block_stop|{"type":"content_block_stop","index":0}`,
		fmt.Sprintf(`message_delta|{"type":"message_delta","delta":{"stop_reason":%s,"stop_sequence":null},"usage":{"output_tokens":%d}}`, reason, Output),
		`message_stop|{"type":"message_stop"}`))
}
