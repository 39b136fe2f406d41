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

package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/llm"
)

// containerLimit is the memory that the operator gives a meter, in KiB.
const containerLimit = 64 << 10

// Two hundred calls at the same time, with prompts of a megabyte that an upstream is slow to answer, do
// not outgrow the meter's container.
func TestManyLongPromptsAtOnce(t *testing.T) {
	const parallel = 200
	var waiting atomic.Int64
	together := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if waiting.Add(1) == parallel {
			close(together)
		}
		<-together
		r.Body = io.NopCloser(strings.NewReader(`{"model":"gpt-4.1"}`))
		(&llm.Server{}).ServeHTTP(w, r)
	}))
	t.Cleanup(upstream.Close)
	p := start(t, t.TempDir(), upstream.URL)
	body := `{"model":"gpt-4.1","messages":[{"role":"user","content":"` + strings.Repeat("word ", 200_000) + `"}]}`
	var group sync.WaitGroup
	for range parallel {
		group.Go(func() {
			if status := p.post(body); status != http.StatusOK {
				t.Errorf("a call gave %d", status)
			}
		})
	}
	group.Wait()
	p.fits()
	if err := p.stop(syscall.SIGTERM); err != nil || calls(p.message) != parallel {
		t.Errorf("%d calls are counted, %v", calls(p.message), err)
	}
}

// Nor do answers without an end: events, JSON, and gigabytes that are compressed to a few bytes.
func TestAnswersWithoutAnEnd(t *testing.T) {
	const size = 64 << 20
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		begin, piece := `{"usage":{"x":"`, []byte(strings.Repeat("[{\"model\":\"", 4000))
		if bytes.Contains(body, []byte("stream")) {
			w.Header().Set("Content-Type", "text/event-stream")
			begin = `data: {"usage":"`
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, begin)
		for written := 0; written < size; written += len(piece) {
			if _, err := z.Write(piece); err != nil {
				return
			}
		}
		_ = z.Close()
	}))
	t.Cleanup(upstream.Close)
	p := start(t, t.TempDir(), upstream.URL)
	for _, body := range []string{`{"model":"gpt-4.1"}`, `{"model":"gpt-4.1","stream":true}`} {
		if status := p.post(body); status != http.StatusOK {
			t.Errorf("a call gave %d", status)
		}
	}
	p.fits()
	if err := p.stop(syscall.SIGTERM); err != nil || calls(p.message) != 2 {
		t.Errorf("%d calls are counted, %v", calls(p.message), err)
	}
}

// fits checks that the process never outgrew the meter's container.
func (p *process) fits() {
	p.t.Helper()
	if rss := peakRSS(p.t, p.command.Process.Pid); rss > containerLimit {
		p.t.Errorf("the meter took %d KiB of memory, its container has %d", rss, containerLimit)
	}
}

// Killed at any moment, the meter goes on with what it had saved: nothing of that is lost, nothing is
// counted twice, and the files can always be read.
func TestKilledAtAnyMoment(t *testing.T) {
	var answered atomic.Int64
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answered.Add(1)
		(&llm.Server{Discard: true}).ServeHTTP(w, r)
	}))
	t.Cleanup(upstream.Close)
	random := rand.New(rand.NewPCG(6, 1729))
	dir := t.TempDir()
	saved := int64(0)
	for range 12 {
		p := start(t, dir, upstream.URL)
		answers := make(chan struct{}, 100_000)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for p.try() {
					answers <- struct{}{}
				}
			})
		}
		for range 1 + random.IntN(4000) { // the moment is any
			<-answers
		}
		saved = max(calls(p.state), calls(p.message))
		if err := p.stop(syscall.SIGKILL); err == nil {
			t.Error("the meter ended by itself")
		}
		group.Wait()
		if got := calls(p.state); got < saved || got > answered.Load() {
			t.Fatalf("%d calls are saved, %d were before, %d were answered", got, saved, answered.Load())
		}
		saved = calls(p.state)
	}
	last := start(t, dir, upstream.URL)
	if err := last.stop(syscall.SIGTERM); err != nil || calls(last.message) != saved || saved == 0 {
		t.Errorf("in the end %d calls are told, %d were saved, %v", calls(last.message), saved, err)
	}
	data, err := os.ReadFile(last.message)
	if err != nil || strings.Contains(string(data), `"lost"`) {
		t.Errorf("the message says %s, %v", data, err)
	}
	t.Logf("%d calls were answered, %d are counted", answered.Load(), saved)
}

// try makes a call and says whether it was answered.
func (p *process) try() bool {
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, "http://"+p.address+"/openai/chat/completions", strings.NewReader(`{"model":"gpt-4.1"}`))
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer func() { _ = answer.Body.Close() }()
	_, err = io.Copy(io.Discard, answer.Body)
	return err == nil && answer.StatusCode == http.StatusOK
}
