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
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func seeds(f *testing.F) {
	f.Helper()
	for _, c := range shapes {
		f.Add([]byte(c.body))
	}
	for _, s := range []string{
		`{"usage":{"prompt_tokens":1,"completion_tokens":2},"model":"m","choices":[]}`,
		`{"model" : "a\"b" , "usage" : null}`, `[{"model":"m"},{"usage":{}}]`, `{"a":[{"model":"x"}],"model":1}`,
		`{"response":{"model":"m","usage":{"input_tokens":1}}}`, `{"mod\u0065l":"m"}`, `{}`, `[`, `}`, `"`, `{"model":`,
		"data: {\"usage\":null}\n\n", "event: x\r\ndata: {\"choices\":[],\"usage\":{}}\r\n\r\n", "data:[DONE]\n\n", ":\n\ndata: 1\ndata: 2\n\n",
	} {
		f.Add([]byte(s))
	}
}

// The values that the collector finds are those that encoding/json finds, however the text is split.
func FuzzCollector(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		want := []string{"model", "usage", "response.model", "response.usage"}
		whole := newCollector(want)
		whole.write(text)
		pieces := newCollector(want)
		for i := range text {
			pieces.write(text[i : i+1])
		}
		if !reflect.DeepEqual(whole.values, pieces.values) || !reflect.DeepEqual(whole.spans, pieces.spans) {
			t.Fatalf("%q: as a whole %q, in pieces %q", text, whole.values, pieces.values)
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(text, &object) != nil || len(text) > maxValue {
			return
		}
		for _, path := range []string{"model", "usage"} {
			if expected, ok := object[path]; ok && string(whole.values[path]) != string(expected) {
				t.Fatalf("%q: %s is %q, not %q", text, path, whole.values[path], expected)
			} else if !ok && len(whole.values[path]) > 0 {
				t.Fatalf("%q: there is no %s, but found %q", text, path, whole.values[path])
			}
		}
	})
}

// A body that the meter changes stays JSON, and nothing changes but the model and the stream's options.
func FuzzRequestBody(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		change := func(source io.Reader) ([]byte, *request) {
			r := &request{op: operation{name: opChat, asksUsage: true}, ask: true, models: map[string]string{"gpt-4.1": "mini"}}
			changed, err := io.ReadAll(newBody(io.NopCloser(source), r))
			if err != nil {
				t.Fatal(err)
			}
			return changed, r
		}
		changed, r := change(bytes.NewReader(text))
		if again, _ := change(iotest.OneByteReader(bytes.NewReader(text))); !bytes.Equal(changed, again) {
			t.Fatalf("%q: as a whole %q, in pieces %q", text, changed, again)
		}
		if whole := changeWhole(text, &request{op: r.op, ask: true, models: r.models}); !bytes.Equal(changed, whole) {
			t.Fatalf("%q: streamed %q, read at once %q", text, changed, whole)
		}
		var before, after map[string]json.RawMessage
		if json.Unmarshal(text, &before) != nil || before == nil {
			return
		}
		if err := json.Unmarshal(changed, &after); err != nil {
			t.Fatalf("%q became %q: %v", text, changed, err)
		}
		for _, name := range []string{"model", "stream_options"} {
			delete(before, name)
			delete(after, name)
		}
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("%q became %q", text, changed)
		}
	})
}

// What the hider leaves is what it got, but for usages; the events are read alike however they come.
func FuzzStream(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		read := func(size int) (visible []byte, models []string) {
			hide := newHider()
			stream := &events{data: newCollector([]string{"model"}), event: func(m members) { models = append(models, string(m["model"])) }}
			for piece := range chunks(text, size) {
				visible = hide.write(visible, piece)
				stream.write(piece)
			}
			stream.finish()
			return append(visible, hide.rest()...), models
		}
		visible, models := read(len(text))
		byPiece, modelsByPiece := read(1)
		if !bytes.Equal(visible, byPiece) || !reflect.DeepEqual(models, modelsByPiece) {
			t.Fatalf("%q: as a whole %q %q, in pieces %q %q", text, visible, models, byPiece, modelsByPiece)
		}
		if !strings.Contains(string(text), "u") && !bytes.Equal(visible, text) { // no usage, escaped or not
			t.Fatalf("%q became %q", text, visible)
		}
	})
}

// Whatever an answer says, in one piece or as a stream, its tokens are numbers that can be.
func FuzzShapes(f *testing.F) {
	seeds(f)
	for _, s := range []string{
		`{"usage":{"input_tokens":1,"output_tokens":2,"cache_read_input_tokens":3},"message":{"usage":{"input_tokens":7}}}`,
		`{"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":-2,"thoughtsTokenCount":1e9},"candidates":[{}]}`,
		`{"usage":{"prompt_tokens":100000000,"completion_tokens":100000001,"prompt_tokens_details":{"cached_tokens":9}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, s := range []shape{openAI{}, openAI{azure: true}, anthropic{}, gemini{}} {
			var whole, streamed usage
			data := newCollector(s.want())
			data.write(text)
			s.read(data.values, &whole)
			stream := &events{data: newCollector(s.want()), event: func(m members) { s.read(m, &streamed) }}
			stream.write(text)
			stream.finish()
			for _, u := range []usage{whole, streamed} {
				tokens, _ := u.final()
				for _, n := range []int64{tokens.Input, tokens.Output, tokens.Cached, tokens.Reasoning} {
					if n < 0 || n > 3*maxTokens {
						t.Fatalf("%T took %q for %+v", s, text, tokens)
					}
				}
				if tokens.Cached > tokens.Input || tokens.Reasoning > tokens.Output {
					t.Fatalf("%T took %q for %+v", s, text, tokens)
				}
			}
			if op, ok := s.operation("/" + string(text)); ok && op.name == "" {
				t.Fatalf("%T has no name for %q", s, text)
			}
		}
	})
}

func chunks(text []byte, size int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(text) > 0 {
			n := min(max(size, 1), len(text))
			if !yield(text[:n]) {
				return
			}
			text = text[n:]
		}
	}
}

func FuzzDecisions(f *testing.F) {
	f.Add([]byte(downgrade + "\n" + dirty + "\n" + AnnotationBreaker + `="open"`))
	f.Add([]byte(AnnotationMaxGrams + `="1e9"`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := ParseDecisions(text)
		if (d == nil) == (err == nil) {
			t.Fatalf("%q: %v %v", text, d, err)
		}
		if err == nil && (d.Intensity < 0 || d.Intensity > maxIntensity) {
			t.Fatalf("%q: the intensity is %v", text, d.Intensity)
		}
	})
}
