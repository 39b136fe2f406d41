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
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/llm"
	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/responses"
)

func chat() openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model: "gpt-4.1", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("hi")},
	}
}

func withTools() openai.ChatCompletionNewParams {
	params := chat()
	params.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{Name: "get_weather"})}
	return params
}

type raw interface{ RawJSON() string }

// events reads a stream to its end and returns each event as it came.
func events[T raw](stream *ssestream.Stream[T]) ([]string, error) {
	var all []string
	for stream.Next() {
		all = append(all, stream.Current().RawJSON())
	}
	return all, stream.Err()
}

func one(answer raw, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	return []string{answer.RawJSON()}, nil
}

var scenarios = map[string]func(context.Context, openai.Client) ([]string, error){
	"plain": func(ctx context.Context, c openai.Client) ([]string, error) {
		return one(c.Chat.Completions.New(ctx, chat()))
	},
	"stream": func(ctx context.Context, c openai.Client) ([]string, error) {
		return events(c.Chat.Completions.NewStreaming(ctx, chat()))
	},
	"tools": func(ctx context.Context, c openai.Client) ([]string, error) {
		return one(c.Chat.Completions.New(ctx, withTools()))
	},
	"tools stream": func(ctx context.Context, c openai.Client) ([]string, error) {
		return events(c.Chat.Completions.NewStreaming(ctx, withTools()))
	},
	"responses": func(ctx context.Context, c openai.Client) ([]string, error) {
		return one(c.Responses.New(ctx, responses.ResponseNewParams{
			Model: "gpt-4.1", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("hi")},
		}))
	},
	"responses stream": func(ctx context.Context, c openai.Client) ([]string, error) {
		return events(c.Responses.NewStreaming(ctx, responses.ResponseNewParams{
			Model: "gpt-4.1", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("hi")},
		}))
	},
}

func embed(ctx context.Context, c openai.Client) ([]string, error) {
	return one(c.Embeddings.New(ctx, openai.EmbeddingNewParams{
		Model: "text-embedding-3-small", Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String("hi")},
	}))
}

func client(address string) openai.Client {
	return openai.NewClient(option.WithBaseURL(address), option.WithAPIKey("sk-SECRET"))
}

func TestOpenAIGo(t *testing.T) {
	w := newWorld(t, func() *llm.Server { return &llm.Server{Gzip: true} }, "")
	for name, scenario := range scenarios {
		direct, err := scenario(t.Context(), client(w.direct+"/v1"))
		via, viaErr := scenario(t.Context(), client(w.via+"/openai"))
		if err != nil || viaErr != nil {
			t.Errorf("%s: %v, through the meter %v", name, err, viaErr)
		}
		if diff := cmp.Diff(direct, via); diff != "" || len(direct) == 0 {
			t.Errorf("%s (-direct +via the meter):\n%s", name, diff)
		}
	}
	w.wait(len(scenarios))
	n := int64(len(scenarios))
	if diff := cmp.Diff(map[string]counts{"openai chat gpt-4.1 200": {Calls: n, Tokens: used(n)}}, w.counts()); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

// One call after another that fails, is long, is left, and 200 at the same time.
func TestOpenAIGoUnderStress(t *testing.T) {
	const parallel = 200
	w := newWorld(t, func() *llm.Server { return &llm.Server{Busy: 1, Discard: true} }, "")
	seen := map[string][]string{}
	for name, address := range map[string]string{"direct": w.direct + "/v1", "via": w.via + "/openai"} {
		c := client(address)
		note := func(what string, answer []string, err error) {
			if err != nil {
				t.Errorf("%s, %s: %v", name, what, err)
			}
			seen[name] = append(seen[name], answer...)
		}
		answer, err := scenarios["plain"](t.Context(), c) // tried again: the first attempt gets a 429
		note("busy", answer, err)
		answer, err = embed(t.Context(), c)
		note("embeddings", answer, err)
		long := chat()
		long.Messages = []openai.ChatCompletionMessageParamUnion{openai.UserMessage(strings.Repeat("a\"é\n", 2<<20))}
		answer, err = one(c.Chat.Completions.New(t.Context(), long))
		note("10 MB", answer, err)
		ctx, cancel := context.WithCancel(t.Context())
		stream := c.Chat.Completions.NewStreaming(ctx, chat())
		if !stream.Next() {
			t.Errorf("%s: the stream has no event: %v", name, stream.Err())
		}
		note("cancelled", []string{stream.Current().RawJSON()}, nil)
		cancel()
		_ = stream.Close()
		all := make([][]string, parallel)
		var group sync.WaitGroup
		for i := range parallel {
			group.Go(func() {
				answer, err := scenarios[[]string{"plain", "stream"}[i%2]](t.Context(), c)
				if err != nil {
					t.Errorf("%s, in parallel: %v", name, err)
				}
				all[i] = answer
			})
		}
		group.Wait()
		note("parallel", slices.Concat(all...), nil)
	}
	if diff := cmp.Diff(seen["direct"], seen["via"]); diff != "" {
		t.Errorf("(-direct +via the meter):\n%s", diff)
	}
	w.wait(5 + parallel)
	got := w.counts()
	left := got["openai chat gpt-4.1 cancelled"].Calls
	delete(got, "openai chat gpt-4.1 cancelled")
	want := map[string]counts{
		"openai chat gpt-4.1 429":                      {Calls: 1},
		"openai chat gpt-4.1 200":                      {Calls: 3 + parallel - left, Tokens: used(3 + parallel - left)},
		"openai embeddings text-embedding-3-small 200": {Calls: 1, Tokens: meter.Tokens{Input: llm.Input}},
	}
	if diff := cmp.Diff(want, got); diff != "" || left > 1 {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

// The model of the code is not the one that is used, and the answer says so.
func TestOpenAIGoDowngraded(t *testing.T) {
	w := newWorld(t, func() *llm.Server { return &llm.Server{} }, meter.AnnotationModels+`="{\"gpt-4.1\":\"gpt-4.1-mini\"}"`)
	c := client(w.via + "/openai")
	answer, err := c.Chat.Completions.New(t.Context(), chat())
	if err != nil || answer.Model != "gpt-4.1-mini-2025-04-14" {
		t.Errorf("got %+v, %v", answer, err)
	}
}

// A refused call is an error that the SDK does not try again.
func TestOpenAIGoRefused(t *testing.T) {
	w := newWorld(t, func() *llm.Server { return &llm.Server{} }, meter.AnnotationBreaker+`="open"`)
	c := client(w.via + "/openai")
	_, err := c.Chat.Completions.New(t.Context(), chat())
	var refused *openai.Error
	if !errors.As(err, &refused) || refused.StatusCode != http.StatusForbidden || refused.Code != "carbon_budget_exceeded" {
		t.Errorf("got %v", err)
	}
	w.wait(1)
	if diff := cmp.Diff(map[string]counts{"openai chat  refused": {Calls: 1}}, w.counts()); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	if got := len(w.upstream.Requests()); got != 0 {
		t.Errorf("%d calls reached the upstream", got)
	}
}
