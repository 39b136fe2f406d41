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
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/llm"
)

// A report fits into a termination message whatever was counted, and its totals are right.
func TestReportIsBounded(t *testing.T) {
	l := newLedger(nil)
	for i := range 500 {
		for range 500 - i {
			name := strings.Repeat(fmt.Sprintf("\"\\é%d", i), 40)
			l.add(Kind{"openai", "chat", name, name, "200", true}, Tally{Calls: 1, Tokens: all, KWh: 0.1, Nanograms: 1})
		}
	}
	lines := l.snapshot()
	if len(lines) > maxLines {
		t.Errorf("there are %d lines", len(lines))
	}
	report := Report{Lines: lines}
	message := report.encode(maxMessage)
	if len(message) > maxMessage || len(message) < maxMessage/2 {
		t.Errorf("the message has %d bytes", len(message))
	}
	got, err := ParseReport(append(message, `,"x":1}]}`...)) // what a kill may leave behind
	if err != nil {
		t.Fatal(err)
	}
	total, want := Total(got.Lines), Total(lines)
	total.KWh, want.KWh = 0, 0 // rounded
	if diff := cmp.Diff(want, total); diff != "" || want.Calls != 500*501/2 {
		t.Errorf("the totals changed (-want +got):\n%s", diff)
	}
	for _, bad := range []string{
		"", "OOMKilled", `{"v":9}`, `{"lines":[]}`,
		`{"v":1,"lines":[{"calls":-1}]}`, `{"v":1,"lines":[{"calls":1,"ng":-5}]}`, `{"v":1,"lines":[{"calls":1,"kWh":-0.1}]}`,
		`{"v":1,"lines":[{"calls":9000000000000000000}]}`, `{"v":1,"lines":[{"calls":1,"estimated":2}]}`,
		`{"v":1,"lines":[{"calls":1,"req":"` + strings.Repeat("x", maxName+1) + `"}]}`, `{"v":1,"lines":[{"calls":1,"status":"a b"}]}`,
	} {
		if _, err := ParseReport([]byte(bad)); err == nil {
			t.Errorf("%q was taken for a report", bad)
		}
	}
}

// What was counted outlives a restart, and when it does not, that is said.
func TestStore(t *testing.T) {
	dir := t.TempDir()
	state, message := filepath.Join(dir, "state"), filepath.Join(dir, "message")
	store := NewStore(state, message)
	if lines, err := store.Load(); err != nil || lines != nil {
		t.Fatalf("without a file: %v %v", lines, err)
	}
	lines := []Line{{Kind{"openai", "chat", "a", "b", "200", true}, Tally{Calls: 3, Tokens: all, KWh: 0.25, Nanograms: 7}}}
	if err := os.WriteFile(message, []byte(strings.Repeat("x", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.Save(Report{Lines: lines}); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{state, message} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		report, err := ParseReport(data)
		if err != nil || report.Lost || cmp.Diff(lines, report.Lines) != "" || strings.Contains(string(data), "x") {
			t.Errorf("%s has %s (%v)", file, data, err)
		}
	}
	again := NewStore(state, message)
	loaded, err := again.Load()
	if err != nil || cmp.Diff(lines, loaded) != "" {
		t.Errorf("loaded %+v, %v", loaded, err)
	}
	if l := newLedger(loaded); l.emitted() != 7 {
		t.Errorf("the grams start at %s", l.emitted())
	}
	if err := os.WriteFile(state, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Store{NewStore(state, message)} {
		if _, err := s.Load(); err == nil {
			t.Error("a broken file is no error")
		}
		if err := s.Save(Report{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := again.Load(); err != nil || !again.lost {
		t.Errorf("the loss is forgotten after the next restart (%v)", err)
	}
}

// Every change is saved before Run waits again.
func TestStoreSavesChanges(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	store := NewStore(state, "")
	ctx, stop := context.WithCancel(t.Context())
	asked, done := make(chan int64), make(chan struct{})
	go func() {
		defer close(done)
		store.Run(ctx, func() Report { return Report{Lines: []Line{{Tally: Tally{Calls: <-asked}}}} }, func(err error) { t.Error(err) })
	}()
	for n := range int64(3) {
		store.Changed()
		store.Changed()
		asked <- n + 1
	}
	close(asked) // a change that was left is saved with 0 calls
	stop()
	<-done
	if _, err := os.Stat(state); err != nil {
		t.Error(err)
	}
}

// Credentials are in nothing that the meter writes.
func TestCredentialsStayOut(t *testing.T) {
	w := newWorld(t, &llm.Server{}, Observe, "")
	const secret = "sk-SECRET"
	_, _ = w.post(w.via+"/openai/chat/completions", `{"model":"gpt-4.1","user":"`+secret+`"}`, "Authorization", "Bearer "+secret)
	_, _ = w.post(w.via+"/anthropic/v1/messages", `{"model":"claude-sonnet-4-5"}`, "X-Api-Key", secret)
	_, _ = w.post(w.via+"/gemini/v1/models/gemini-2.5-pro:generateContent?key="+secret, `{}`)
	for i, place := range []string{w.upstream.Requests()[0].Header.Get("Authorization"), w.upstream.Requests()[1].Header.Get("X-Api-Key"), w.upstream.Requests()[2].Query} {
		if !strings.Contains(place, secret) {
			t.Errorf("the credential of request %d did not reach the upstream", i)
		}
	}
	w.wait(3)
	metrics, err := testutil.CollectAndFormat(w.meter, expfmt.TypeTextPlain)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"log": w.log.String(), "record": string(w.meter.Record(time.Now())), "metrics": string(metrics),
		"report": string(Report{Lines: w.meter.Lines()}.encode(maxMessage)),
	} {
		if strings.Contains(text, "SECRET") {
			t.Errorf("the %s has a credential: %s", name, text)
		}
	}
}

func TestRecord(t *testing.T) {
	w := newWorld(t, &llm.Server{}, Enforce, downgrade+"\n"+dirty+"\n"+AnnotationBaseline+`="420"`+"\n"+AnnotationMaxGrams+`="0.001"`)
	for range 2 { // the second one is refused
		_, _ = w.post(w.via+"/openai/chat/completions", `{"model":"gpt-4.1"}`)
	}
	w.wait(2)
	var got map[string]any
	if err := json.Unmarshal(w.meter.Record(time.Date(2026, 3, 1, 10, 0, 0, 123456789, time.UTC)), &got); err != nil {
		t.Fatal(err)
	}
	lines := w.meter.Lines()
	served := lines[0]
	if served.Status != "200" {
		served = lines[1]
	}
	actual := float64(served.Nanograms) / 1e9
	want := map[string]any{
		"timestamp": "2026-03-01T10:00:00.123456+00:00", "energy_kwh": served.KWh,
		"baseline_gco2eq": served.RequestedKWh * 420, "actual_gco2eq": actual, "saved_gco2eq": served.RequestedKWh*420 - actual,
		"schedule_plan": map[string]any{"baseline_intensity_gco2eq_per_kwh": 420.0, "optimal_intensity_gco2eq_per_kwh": 320.0},
		"llm_provider":  "openai",
		"metadata": map[string]any{
			"max_session_gco2eq": 0.001, "actual_gco2eq_so_far": actual,
			"carbon_budget_exceeded": true, "termination_reason": "carbon_budget_exceeded",
		},
	}
	usage := got["model_usage"].([]any)
	delete(got, "model_usage")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the record is wrong (-want +got):\n%s", diff)
	}
	if len(usage) != 2 {
		t.Fatalf("the usage is %v", usage)
	}
	for _, u := range usage {
		use := u.(map[string]any)
		if use["status"] == "refused" {
			continue
		}
		wantUse := map[string]any{
			"requested_model": "gpt-4.1", "effective_model": "gpt-4.1-mini-2025-04-14", "call_count": 1.0, "downgraded": true,
			"status": "200", "energy_kwh": served.KWh,
			"gen_ai.provider.name": "openai", "gen_ai.operation.name": "chat",
			"gen_ai.request.model": "gpt-4.1", "gen_ai.response.model": "gpt-4.1-mini-2025-04-14",
			"gen_ai.usage.input_tokens": 24.0, "gen_ai.usage.output_tokens": 32.0,
			"gen_ai.usage.cache_read.input_tokens": 8.0, "gen_ai.usage.reasoning.output_tokens": 12.0,
		}
		if diff := cmp.Diff(wantUse, use); diff != "" {
			t.Errorf("the usage is wrong (-want +got):\n%s", diff)
		}
	}
}

func TestMetrics(t *testing.T) {
	w := newWorld(t, &llm.Server{}, Enforce, downgrade+"\n"+dirty)
	_, _ = w.post(w.via+"/openai/chat/completions", `{"model":"gpt-4.1"}`)
	w.wait(1)
	const kind = `downgraded="true",effective_model="gpt-4.1-mini-2025-04-14",operation="chat",provider="openai",requested_model="gpt-4.1",status="200"`
	want := `# HELP ecotracker_meter_calls_total Calls to LLM providers.
# TYPE ecotracker_meter_calls_total counter
ecotracker_meter_calls_total{` + kind + `} 1
# HELP ecotracker_meter_tokens_total Tokens of calls; input includes cached, output includes reasoning.
# TYPE ecotracker_meter_tokens_total counter
ecotracker_meter_tokens_total{` + kind + `,type="cached"} 8
ecotracker_meter_tokens_total{` + kind + `,type="input"} 24
ecotracker_meter_tokens_total{` + kind + `,type="output"} 32
ecotracker_meter_tokens_total{` + kind + `,type="reasoning"} 12
# HELP ecotracker_meter_breaker_open 1 while calls are refused.
# TYPE ecotracker_meter_breaker_open gauge
ecotracker_meter_breaker_open 0
# HELP ecotracker_meter_intensity_grams_per_kilowatt_hour Carbon intensity at which calls are priced.
# TYPE ecotracker_meter_intensity_grams_per_kilowatt_hour gauge
ecotracker_meter_intensity_grams_per_kilowatt_hour 320
`
	err := testutil.CollectAndCompare(w.meter, strings.NewReader(want), "ecotracker_meter_calls_total", "ecotracker_meter_tokens_total",
		"ecotracker_meter_breaker_open", "ecotracker_meter_intensity_grams_per_kilowatt_hour")
	if err != nil {
		t.Error(err)
	}
	w.decide(AnnotationBreaker + `="open"`)
	if got, err := testutil.CollectAndFormat(w.meter, expfmt.TypeTextPlain, "ecotracker_meter_breaker_open"); err != nil || !strings.Contains(string(got), "breaker_open 1") {
		t.Errorf("with the breaker open: %s %v", got, err)
	}
}

// A hostile upstream grows neither the memory nor the number of series.
func TestHostileUpstream(t *testing.T) {
	l := newLedger(nil)
	for i := range 10_000 {
		l.add(Kind{Provider: "openai", Effective: fmt.Sprint(i), Status: "200"}, Tally{Calls: 1})
	}
	if lines := l.snapshot(); len(lines) != maxLines || Total(lines).Calls != 10_000 {
		t.Errorf("there are %d lines of %d calls", len(lines), Total(lines).Calls)
	}
	data := newCollector(openAI{}.want())
	stream := &events{data: data, event: func(members) {}}
	hide := newHider()
	long := []byte(strings.Repeat(`{"model":"`, 1000) + strings.Repeat("[", 1000))
	grown := 0
	for range 2000 { // 14 MB without an end
		stream.write([]byte("data:"))
		stream.write(long)
		out := hide.write(nil, long)
		grown = max(grown, len(hide.pending), len(data.values["model"]), cap(data.scanner.key))
		if len(out) > maxEvent+len(long) {
			t.Fatalf("%d bytes were held back", len(out))
		}
	}
	if grown > maxEvent+len(long) {
		t.Errorf("%d bytes are kept", grown)
	}
}

// Nor can it make the emissions negative.
func TestEmissionsDoNotOverflow(t *testing.T) {
	l := newLedger(nil)
	for range 10 {
		n := nanograms(1e6, 5000)
		l.add(Kind{Provider: "openai"}, Tally{Nanograms: n, RequestedNanograms: n})
	}
	if total := Total(l.snapshot()); l.emitted() != math.MaxInt64 || total.Nanograms != math.MaxInt64 || total.RequestedNanograms != math.MaxInt64 {
		t.Errorf("%s g were emitted, in all lines %+v", l.emitted(), total)
	}
	if n := nanograms(math.Inf(1), 1); n != math.MaxInt64 {
		t.Errorf("infinity is %s g", n)
	}
}

func TestUpstreamHasToBeAURL(t *testing.T) {
	w := newWorld(t, &llm.Server{}, Observe, "")
	config := w.meter.config
	config.Upstreams[PathOpenAI].Scheme = "ftp"
	if _, err := New(config); err == nil || !strings.Contains(err.Error(), "/openai") {
		t.Errorf("got %v", err)
	}
}

// Both halves of a body that is sent in two pieces, with a model that is split between them.
func TestChunkedRequest(t *testing.T) {
	w := newWorld(t, &llm.Server{}, Enforce, downgrade)
	in, out := io.Pipe()
	go func() {
		_, _ = io.WriteString(out, `{"messages":[],"model":"gpt-`)
		_, _ = io.WriteString(out, `4.1"}`)
		_ = out.Close()
	}()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.via+"/openai/chat/completions", in)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if got := w.upstream.Requests()[0]; string(got.Body) != `{"messages":[],"model":"gpt-4.1-mini"}` || got.Length != -1 {
		t.Errorf("the upstream got %s (%d)", got.Body, got.Length)
	}
}
