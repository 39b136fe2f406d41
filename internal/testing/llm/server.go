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

// Package llm is an upstream for tests: it answers in the shapes of the OpenAI, Anthropic and Gemini
// APIs, as their public references describe them, always the same to the same question.
package llm

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// What every answer uses, in tokens.
const (
	Input     = 24
	Cached    = 8
	Output    = 32
	Reasoning = 12
	// Pieces is how many pieces of text a stream has.
	Pieces = 4
)

// Request is what a server got.
type Request struct {
	Method, Path, Query string
	Header              http.Header
	Body                []byte
	Length              int64
}

// Server answers. Set its fields before it gets its first request.
type Server struct {
	// Busy is how many requests are answered with 429 before the first that is not.
	Busy int
	// Gzip compresses answers for who accepts it.
	Gzip bool
	// CutAfter ends a stream's connection after so many events; 0 never.
	CutAfter int
	// Discard does not remember bodies.
	Discard bool
	// Gate, when set, is received from before each event of a stream but the first.
	Gate chan struct{}
	// NoUsage leaves usages out.
	NoUsage bool
	// Strict refuses a body with stream_options, as servers do that know no such field.
	Strict bool

	mu       sync.Mutex
	busy     int
	requests []Request
}

// Requests are those so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request{}, s.requests...)
}

// question is what the server looks at in a body.
type question struct {
	Model          string          `json:"model"`
	Stream         bool            `json:"stream"`
	Tools          json.RawMessage `json:"tools"`
	EncodingFormat string          `json:"encoding_format"`
	StreamOptions  struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	got := Request{Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Header: r.Header.Clone(), Length: r.ContentLength}
	if !s.Discard {
		got.Body = body
	}
	s.mu.Lock()
	s.requests = append(s.requests, got)
	s.busy++
	busy := s.busy <= s.Busy
	s.mu.Unlock()
	w.Header().Set("X-Request-Id", "req_011CSHoEeqs5C35K2UUqR7Fy")
	if busy {
		w.Header().Set("Retry-After-Ms", "1")
		s.json(w, r, http.StatusTooManyRequests, `{"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}`)
		return
	}
	var q question
	if r.Method == http.MethodPost && json.Unmarshal(body, &q) != nil {
		s.json(w, r, http.StatusBadRequest, `{"error":{"message":"We could not parse the JSON body of your request.","type":"invalid_request_error","param":null,"code":null}}`)
		return
	}
	if s.Strict && bytes.Contains(body, []byte("stream_options")) {
		s.json(w, r, http.StatusUnprocessableEntity, `{"error":{"message":"stream_options: extra inputs are not permitted","type":"invalid_request_error","param":null,"code":null}}`)
		return
	}
	s.answer(w, r, q)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, q question) {
	path := r.URL.Path
	switch {
	case strings.HasSuffix(path, "/chat/completions"):
		s.chat(w, r, q)
	case strings.HasSuffix(path, "/completions"):
		s.completion(w, r, q)
	case strings.HasSuffix(path, "/responses"):
		s.responses(w, r, q)
	case strings.HasSuffix(path, "/embeddings"):
		s.embeddings(w, r, q)
	case strings.HasSuffix(path, "/messages"):
		s.messages(w, r, q)
	case strings.Contains(path, ":"):
		s.gemini(w, r, q)
	case strings.HasSuffix(path, "/models"):
		s.json(w, r, http.StatusOK, `{"object":"list","data":[{"id":"gpt-4.1","object":"model","created":1744316542,"owned_by":"system"}]}`)
	default:
		s.json(w, r, http.StatusNotFound, `{"error":{"message":"Invalid URL","type":"invalid_request_error","param":null,"code":null}}`)
	}
}

// dated are the names that the providers' answers give to models.
var dated = map[string]string{
	"gpt-4.1":           "gpt-4.1-2025-04-14",
	"gpt-4.1-mini":      "gpt-4.1-mini-2025-04-14",
	"gpt-4o":            "gpt-4o-2024-08-06",
	"gpt-4o-mini":       "gpt-4o-mini-2024-07-18",
	"claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
	"claude-haiku-4-5":  "claude-haiku-4-5-20251001",
}

func named(model string) string {
	if name, ok := dated[model]; ok {
		return name
	}
	return model
}

func (s *Server) json(w http.ResponseWriter, r *http.Request, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	s.compressed(w, r, func(out io.Writer, _ func()) {
		w.WriteHeader(status)
		_, _ = io.WriteString(out, text)
	})
}

// compressed lets write send an answer, compressed if that is wanted; flush sends what there is.
func (s *Server) compressed(w http.ResponseWriter, r *http.Request, write func(out io.Writer, flush func())) {
	flush := func() { _ = http.NewResponseController(w).Flush() }
	if !s.Gzip || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		write(w, flush)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	write(z, func() {
		_ = z.Flush()
		flush()
	})
	_ = z.Close()
}

// stream sends events, each flushed. An event has a name when it is written "name|data".
func (s *Server) stream(w http.ResponseWriter, r *http.Request, events []string) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	s.compressed(w, r, func(out io.Writer, flush func()) {
		for i, event := range events {
			if i > 0 && s.Gate != nil {
				select {
				case <-s.Gate:
				case <-r.Context().Done():
					return
				}
			}
			if s.CutAfter > 0 && i == s.CutAfter {
				panic(http.ErrAbortHandler)
			}
			var text bytes.Buffer
			if name, data, ok := strings.Cut(event, "|"); ok {
				fmt.Fprintf(&text, "event: %s\n", name)
				event = data
			}
			fmt.Fprintf(&text, "data: %s\n\n", event)
			if _, err := out.Write(text.Bytes()); err != nil {
				return
			}
			flush()
		}
	})
}
