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
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/llm"
)

const tools = `"tools":[{"type":"function","function":{"name":"get_weather"}}]`

// all is what every answer of the upstream uses.
var all = Tokens{Input: llm.Input, Output: llm.Output, Cached: llm.Cached, Reasoning: llm.Reasoning}

// shapes are the requests of all APIs: the path behind the meter, the upstream's own, and what is
// counted.
var shapes = map[string]struct {
	via, direct, body string
	want              Line
}{
	"chat": {
		"/openai/chat/completions", "/v1/chat/completions", `{"model":"gpt-4.1","messages":[{"role":"user","content":"hi"}]}`,
		Line{Kind{"openai", "chat", "gpt-4.1", "gpt-4.1-2025-04-14", "200", false}, Tally{Calls: 1, Tokens: all}},
	},
	"chat stream": {
		"/openai/chat/completions", "/v1/chat/completions", `{"model":"gpt-4.1","stream":true,"messages":[]}`,
		Line{Kind{"openai", "chat", "gpt-4.1", "gpt-4.1-2025-04-14", "200", false}, Tally{Calls: 1, Tokens: all}},
	},
	"chat stream with other options": {
		"/openai/chat/completions", "/v1/chat/completions", `{"model":"gpt-4.1","stream_options":{"include_obfuscation":true},"stream":true}`,
		Line{Kind{"openai", "chat", "gpt-4.1", "gpt-4.1-2025-04-14", "200", false}, Tally{Calls: 1, Tokens: all}},
	},
	"chat stream with usage": {
		"/openai/chat/completions", "/v1/chat/completions", `{"model":"gpt-4.1","stream":true,"stream_options":{"include_usage":true}}`,
		Line{Kind{"openai", "chat", "gpt-4.1", "gpt-4.1-2025-04-14", "200", false}, Tally{Calls: 1, Tokens: all}},
	},
	"chat tools": {
		"/openai/chat/completions", "/v1/chat/completions", `{"model":"gpt-4o",` + tools + `}`,
		Line{Kind{"openai", "chat", "gpt-4o", "gpt-4o-2024-08-06", "200", false}, Tally{Calls: 1, Tokens: all}},
	},
	"chat tools stream": {
		"/openai/chat/completions", "/v1/chat/completions", `{"model":"gpt-4o","stream": true,` + tools + `}`,
		Line{Kind{"openai", "chat", "gpt-4o", "gpt-4o-2024-08-06", "200", false}, Tally{Calls: 1, Tokens: all}},
	},
	"completion": {
		"/openai/completions", "/v1/completions", `{"model":"gpt-3.5-turbo","prompt":"x"}`,
		Line{Kind{"openai", "text_completion", "gpt-3.5-turbo", "gpt-3.5-turbo", "200", false}, Tally{Calls: 1, Tokens: all}},
	},
	"completion stream": {
		"/openai/completions", "/v1/completions", `{"model":"gpt-3.5-turbo","prompt":"x","stream":true}`,
		Line{Kind{"openai", "text_completion", "gpt-3.5-turbo", "gpt-3.5-turbo", "200", false}, Tally{Calls: 1, Tokens: all}},
	},
	"responses": {
		"/openai/responses", "/v1/responses", `{"model":"gpt-4.1","input":"hi"}`,
		Line{Kind{"openai", "chat", "gpt-4.1", "gpt-4.1-2025-04-14", "200", false}, Tally{Calls: 1, Tokens: all}},
	},
	"responses stream": {
		"/openai/responses", "/v1/responses", `{"model":"gpt-4.1","input":"hi","stream":true}`,
		Line{Kind{"openai", "chat", "gpt-4.1", "gpt-4.1-2025-04-14", "200", false}, Tally{Calls: 1, Tokens: all}},
	},
	"embeddings": {
		"/openai/embeddings", "/v1/embeddings", `{"model":"text-embedding-3-small","input":"hi"}`,
		Line{Kind{"openai", "embeddings", "text-embedding-3-small", "text-embedding-3-small", "200", false}, Tally{Calls: 1, Tokens: Tokens{Input: llm.Input}, UnknownEnergy: 1}},
	},
	"azure deployment": {
		"/azure/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21", "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21", `{"messages":[],"stream":true}`,
		Line{Kind{"azure.ai.openai", "chat", "gpt-4o", "gpt-4o-2024-08-06", "200", false}, Tally{Calls: 1, Tokens: all}},
	},
	"messages": {
		"/anthropic/v1/messages", "/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":99}`,
		Line{Kind{"anthropic", "chat", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "200", false}, Tally{Calls: 1, Tokens: Tokens{Input: llm.Input, Output: llm.Output, Cached: llm.Cached}}},
	},
	"messages stream with tools": {
		"/anthropic/v1/messages", "/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":99,"stream":true,"tools":[{}]}`,
		Line{Kind{"anthropic", "chat", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "200", false}, Tally{Calls: 1, Tokens: Tokens{Input: llm.Input, Output: llm.Output, Cached: llm.Cached}}},
	},
	"gemini": {
		"/gemini/v1beta/models/gemini-2.5-flash:generateContent?key=SECRET", "/v1beta/models/gemini-2.5-flash:generateContent?key=SECRET", `{"contents":[]}`,
		Line{Kind{"gcp.gemini", "generate_content", "gemini-2.5-flash", "gemini-2.5-flash", "200", false}, Tally{Calls: 1, Tokens: all}},
	},
	"gemini with an escaped colon": {
		"/gemini/v1beta/models/gemini-2.5-flash%3AgenerateContent", "/v1beta/models/gemini-2.5-flash%3AgenerateContent", `{"contents":[]}`,
		Line{Kind{"gcp.gemini", "generate_content", "gemini-2.5-flash", "gemini-2.5-flash", "200", false}, Tally{Calls: 1, Tokens: all}},
	},
	"gemini stream": {
		"/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", `{"contents":[]}`,
		Line{Kind{"gcp.gemini", "generate_content", "gemini-2.5-flash", "gemini-2.5-flash", "200", false}, Tally{Calls: 1, Tokens: all}},
	},
	"gemini stream as an array": {
		"/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent", "/v1beta/models/gemini-2.5-flash:streamGenerateContent", `{"contents":[]}`,
		Line{Kind{"gcp.gemini", "generate_content", "gemini-2.5-flash", "gemini-2.5-flash", "200", false}, Tally{Calls: 1, Tokens: all}},
	},
	"an error of the provider": {
		"/openai/chat/completions", "/v1/chat/completions", `{"model":"gpt-4.1",`,
		Line{Kind{"openai", "chat", "gpt-4.1", "gpt-4.1", "400", false}, Tally{Calls: 1}},
	},
}

// What the client gets through the meter is, byte for byte, what it gets without it; and the tokens are
// counted exactly. With compression as well.
func TestShapes(t *testing.T) {
	for name, c := range shapes {
		for _, compressed := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, &llm.Server{Gzip: compressed}, Observe, "")
				direct := w.ask(http.MethodPost, w.direct+c.direct, c.body, "Accept", "*/*", "Authorization", "Bearer SECRET")
				via := w.ask(http.MethodPost, w.via+c.via, c.body, "Accept", "*/*", "Authorization", "Bearer SECRET")
				if diff := cmp.Diff(readAll(t, direct), readAll(t, via)); diff != "" {
					t.Errorf("the answer differs (-direct +via):\n%s", diff)
				}
				for _, h := range []http.Header{direct.Header, via.Header} {
					h.Del("Date")
					h.Del("Content-Length") // compression and hiding change the length
				}
				if direct.StatusCode != via.StatusCode {
					t.Errorf("the status is %d, without the meter %d", via.StatusCode, direct.StatusCode)
				}
				if diff := cmp.Diff(direct.Header, via.Header); diff != "" {
					t.Errorf("the header differs (-direct +via):\n%s", diff)
				}
				w.wait(1)
				got := w.line()
				if got.KWh == 0 && got.UnknownEnergy == 0 && got.Status == "200" {
					t.Error("no energy")
				}
				got.KWh, got.RequestedKWh, got.Nanograms, got.RequestedNanograms = 0, 0, 0, 0
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("counted (-want +got):\n%s", diff)
				}
				sameRequest(t, w.upstream.Requests(), strings.HasPrefix(c.body, `{"model":"gpt-4.1","stream":true,"messages`))
			})
		}
	}
}

// sameRequest checks that the upstream got the same request twice, but for what the meter has to change.
func sameRequest(t *testing.T, got []llm.Request, asked bool) {
	t.Helper()
	direct, via := got[0], got[1]
	for _, r := range []*llm.Request{&direct, &via} {
		r.Header.Del("Content-Length")
		r.Header.Del("Accept-Encoding")
		r.Length = 0
		if strings.Contains(string(r.Body), `stream":true`) || strings.Contains(string(r.Body), `stream": true`) {
			r.Body = nil // stream_options
		}
	}
	if diff := cmp.Diff(direct, via); diff != "" {
		t.Errorf("the upstream got (-direct +via):\n%s", diff)
	}
	if asked && !strings.HasSuffix(string(got[1].Body), `,"stream_options":{"include_usage":true}}`) {
		t.Errorf("the usage was not asked for: %s", got[1].Body)
	}
}

func readAll(t *testing.T, answer reply) string {
	t.Helper()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Requests that cost nothing pass and are not counted; POSTs that the meter does not know are counted
// as such.
func TestOtherRequests(t *testing.T) {
	w := newWorld(t, &llm.Server{}, Observe, "")
	answer := w.ask(http.MethodGet, w.via+"/openai/models", "")
	if text := readAll(t, answer); answer.StatusCode != http.StatusOK || !strings.Contains(text, "gpt-4.1") {
		t.Errorf("listing models gave %d %s", answer.StatusCode, text)
	}
	if status, _ := w.post(w.via+"/openai/audio/speech", `{"model":"tts-1"}`); status != http.StatusNotFound {
		t.Errorf("the upstream's 404 became %d", status)
	}
	w.wait(1)
	for _, free := range []string{"/anthropic/v1/messages/count_tokens", "/gemini/v1/models/g:countTokens", "/openai/files"} {
		_, _ = w.post(w.via+free, `{}`)
	}
	if diff := cmp.Diff(Line{Kind{"openai", "other", "", "", "404", false}, Tally{Calls: 1}}, w.line()); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	if status, text := w.post(w.via+"/mistral/v1/chat/completions", `{}`); status != http.StatusNotFound || !strings.Contains(text, "/openai") {
		t.Errorf("a path without an upstream gave %d %s", status, text)
	}
}
