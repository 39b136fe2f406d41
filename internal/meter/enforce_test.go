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
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/llm"
)

const (
	downgrade = AnnotationModels + `="{\"gpt-4.1\":\"gpt-4.1-mini\",\"claude-sonnet-4-5\":\"claude-haiku-4-5\",\"gemini-2.5-pro\":\"gemini-2.5-flash\"}"`
	dirty     = AnnotationIntensity + `="` + intensity + `"`
)

// Only the model changes, wherever it stands, and in Observe nothing does.
func TestRewriteOfTheModel(t *testing.T) {
	for name, c := range map[string]struct{ path, body, upstreamPath, want, effective string }{
		"openai": {
			"/openai/chat/completions", `{ "messages":[{"model":"gpt-4.1"}],  "model" : "gpt-4.1" , "user":"é\u00e9"}`,
			"/v1/chat/completions", `{ "messages":[{"model":"gpt-4.1"}],  "model" : "gpt-4.1-mini" , "user":"é\u00e9"}`, "gpt-4.1-mini-2025-04-14",
		},
		"a model without a cheaper one": {
			"/openai/chat/completions", `{"model":"gpt-4o"}`, "/v1/chat/completions", `{"model":"gpt-4o"}`, "gpt-4o-2024-08-06",
		},
		"an escaped key": {
			"/openai/chat/completions", `{"mod\u0065l":"gpt-4.1"}`, "/v1/chat/completions", `{"mod\u0065l":"gpt-4.1-mini"}`, "gpt-4.1-mini-2025-04-14",
		},
		"anthropic": {
			"/anthropic/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":1}`, "/v1/messages", `{"model":"claude-haiku-4-5","max_tokens":1}`, "claude-haiku-4-5-20251001",
		},
		"gemini": {
			"/gemini/v1beta/models/gemini-2.5-pro:generateContent?alt=json", `{"model":"gemini-2.5-pro"}`,
			"/v1beta/models/gemini-2.5-flash:generateContent", `{"model":"gemini-2.5-pro"}`, "gemini-2.5-flash",
		},
		"azure": {
			"/azure/openai/deployments/gpt-4.1/chat/completions?api-version=x", `{}`,
			"/openai/deployments/gpt-4.1-mini/chat/completions", `{}`, "gpt-4.1-mini-2025-04-14",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, &llm.Server{}, Enforce, downgrade+"\n"+dirty)
			if status, text := w.post(w.via+c.path, c.body); status != http.StatusOK {
				t.Fatalf("got %d %s", status, text)
			}
			got := w.upstream.Requests()[0]
			if got.Path != c.upstreamPath || string(got.Body) != c.want || got.Length != int64(len(c.want)) {
				t.Errorf("the upstream got %s %s (%d)", got.Path, got.Body, got.Length)
			}
			w.wait(1)
			line := w.line()
			if line.Effective != c.effective || line.Downgraded != (c.effective != "gpt-4o-2024-08-06") {
				t.Errorf("counted %+v", line)
			}
			if line.Downgraded != (line.RequestedKWh > line.KWh) || line.Downgraded != (line.RequestedNanograms > line.Nanograms) {
				t.Errorf("the saving is wrong: %+v", line)
			}
			observer := newWorld(t, &llm.Server{}, Observe, downgrade)
			_, _ = observer.post(observer.via+c.path, c.body)
			if got := observer.upstream.Requests()[0]; string(got.Body) != c.body {
				t.Errorf("without Enforce the upstream got %s", got.Body)
			}
		})
	}
}

// The paper's demonstration of a downgrade: 32 output tokens at 320 g/kWh. The energies are those that
// the EcoLogits method gives for both models. (The paper's are a quarter smaller, because the method
// takes a mocked upstream's latency of nothing for a fast server; the meter does not measure latency.)
func TestDowngradeSaves(t *testing.T) {
	w := newWorld(t, &llm.Server{}, Enforce, downgrade+"\n"+dirty)
	_, _ = w.post(w.via+"/openai/chat/completions", `{"model":"gpt-4.1"}`)
	w.wait(1)
	got := w.line()
	for name, pair := range map[string][2]float64{
		"kWh":           {got.KWh, 1.39664e-5},
		"requested kWh": {got.RequestedKWh, 6.94405e-5},
		"grams":         {float64(got.Nanograms) / 1e9, 0.00446925},
		"saved grams":   {float64(got.RequestedNanograms-got.Nanograms) / 1e9, 0.0177517},
	} {
		if math.Abs(pair[0]/pair[1]-1) > 1e-5 {
			t.Errorf("%s is %v, not %v", name, pair[0], pair[1])
		}
	}
}

// The paper's demonstration of the breaker: a call of gpt-4o-mini emits 0.000964 g at 320 g/kWh. With a
// limit of 0.001 g the second call reaches it, and the third is not made.
func TestBreakerOpensAtTheLimit(t *testing.T) {
	w := newWorld(t, &llm.Server{}, Enforce, dirty+"\n"+AnnotationMaxGrams+`="0.001"`)
	for range 2 {
		if status, text := w.post(w.via+"/openai/chat/completions", `{"model":"gpt-4o-mini"}`); status != http.StatusOK {
			t.Fatalf("got %d %s", status, text)
		}
		w.wait(1)
	}
	for path, want := range map[string]string{
		"/openai/chat/completions":            `{"error":{"message":"carbon budget exceeded: 0.00192772 g of CO2e used, 0.001 g allowed`,
		"/openai/audio/speech":                `"code":"carbon_budget_exceeded"`,
		"/anthropic/v1/messages":              `{"type":"error","error":{"type":"permission_error","message":"carbon budget exceeded`,
		"/gemini/v1/models/g:generateContent": `{"error":{"code":403,"message":"carbon budget exceeded`,
	} {
		answer := w.ask(http.MethodPost, w.via+path, `{"model":"gpt-4o-mini"}`)
		if text := readAll(t, answer); answer.StatusCode != http.StatusForbidden || !strings.HasPrefix(text, want) && !strings.Contains(text, want) {
			t.Errorf("%s gave %d %s", path, answer.StatusCode, text)
		}
		if answer.Header.Get("X-Should-Retry") != "false" {
			t.Errorf("%s invites to try again", path)
		}
		w.wait(1)
	}
	if status, _ := w.post(w.via+"/openai/chat/completions", `{}`); status != http.StatusForbidden {
		t.Errorf("got %d", status)
	}
	if answer := w.ask(http.MethodGet, w.via+"/openai/models", ""); answer.StatusCode != http.StatusOK {
		t.Errorf("what costs nothing is refused as well: %d", answer.StatusCode)
	}
	if got := len(w.upstream.Requests()); got != 3 {
		t.Errorf("the upstream got %d requests, not 2 calls and the list of models", got)
	}
	w.decide(dirty, AnnotationMaxGrams+`="0.01"`)
	if status, _ := w.post(w.via+"/openai/chat/completions", `{"model":"gpt-4o-mini"}`); status != http.StatusOK {
		t.Errorf("with a higher limit the call gives %d", status)
	}
	w.decide(dirty, AnnotationBreaker+`="open"`)
	if status, text := w.post(w.via+"/openai/chat/completions", `{"model":"gpt-4o-mini"}`); status != http.StatusForbidden {
		t.Errorf("with the breaker open the call gives %d %s", status, text)
	}
}

// The limit is passed by no more than the calls that were in flight when it was reached.
func TestOverTheLimitByCallsInFlight(t *testing.T) {
	const parallel = 20
	w := newWorld(t, &llm.Server{}, Enforce, dirty+"\n"+AnnotationMaxGrams+`="0.01"`)
	var group sync.WaitGroup
	for range parallel {
		group.Go(func() {
			for range 10 {
				_, _ = w.post(w.via+"/openai/chat/completions", `{"model":"gpt-4o-mini"}`)
			}
		})
	}
	group.Wait()
	const perCall = 963_000 // nanograms, a little less than a call emits
	total := Total(w.meter.Lines())
	made := len(w.upstream.Requests())
	if total.Nanograms < 10_000_000 || made > 10_000_000/perCall+1+parallel {
		t.Errorf("%d calls were made, %s g emitted", made, total.Nanograms)
	}
}

// What is not known is never counted as nothing: the intensity is assumed, and that is said.
func TestUnknownIntensity(t *testing.T) {
	w := newWorld(t, &llm.Server{}, Enforce, "other=\"1\"")
	_, _ = w.post(w.via+"/openai/chat/completions", `{"model":"gpt-4o-mini"}`)
	w.wait(1)
	got := w.line()
	if want, _ := estimate.GramsToNano(got.KWh * 473); got.Nanograms != want || got.AssumedKWh != got.KWh || got.KWh == 0 {
		t.Errorf("counted %+v", got)
	}
	_, _ = w.post(w.via+"/openai/responses", `{"model":"my-own"}`)
	w.wait(1)
	if got := Total(w.meter.Lines()); got.UnknownEnergy != 1 || got.Calls != 2 {
		t.Errorf("counted %+v", got)
	}
}

// An answer may tell what it likes: it is believed only where it can be true.
func TestImpossibleUsage(t *testing.T) {
	for _, answer := range []string{
		`{"model":"gpt-4o","usage":{"prompt_tokens":1,"completion_tokens":-5}}`,
		`{"model":"gpt-4o","usage":{"prompt_tokens":1,"completion_tokens":9223372036854775807}}`,
		`{"model":"gpt-4o","usage":{"prompt_tokens":1,"completion_tokens":1.5}}`,
		`{"model":"gpt-4o","usage":{"prompt_tokens":1,"completion_tokens":"7"}}`,
		`{"model":"gpt-4o","usage":[1]}`,
		`{"model":"gpt-4o"`,
	} {
		var u usage
		data := newCollector(openAI{}.want())
		data.write([]byte(answer))
		openAI{}.read(data.values, &u)
		if tokens, told := u.final(); told || tokens != (Tokens{}) {
			t.Errorf("%s was taken for %+v", answer, tokens)
		}
	}
}

func TestDecisions(t *testing.T) {
	limit := estimate.Nanograms(1_500_000_000)
	for text, want := range map[string]struct {
		decisions Decisions
		err       string
	}{
		"":        {Decisions{Intensity: math.NaN(), Baseline: math.NaN()}, ""},
		"a=\"b\"": {Decisions{Intensity: math.NaN(), Baseline: math.NaN()}, ""},
		AnnotationIntensity + `="229.5"` + "\n" + AnnotationBaseline + `="300"` + "\n" + AnnotationMaxGrams + `="1.5"` + "\n" +
			AnnotationBreaker + `="open"` + "\n" + AnnotationModels + `="{\"a\":\"b\"}"` + "\nkubernetes.io/config.seen=\"x\"": {
			Decisions{Intensity: 229.5, Baseline: 300, MaxGrams: &limit, Open: true, Models: map[string]string{"a": "b"}}, "",
		},
		AnnotationIntensity + `="-1"`:   {err: "intensity: \"-1\" has to be a number from 0 to 5000"},
		AnnotationIntensity + `="NaN"`:  {err: "has to be a number"},
		AnnotationIntensity + `=229`:    {err: "is not a quoted string"},
		AnnotationMaxGrams + `="1e300"`: {err: "has to be a number"},
		AnnotationBreaker + `="yes"`:    {err: "has to be open or closed"},
		AnnotationModels + `="[\"a\"]"`: {err: "has to be a JSON object"},
	} {
		got, err := ParseDecisions([]byte(text))
		if want.err != "" {
			if err == nil || !strings.Contains(err.Error(), want.err) {
				t.Errorf("%s: got %v, want %q", text, err, want.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if diff := cmp.Diff(want.decisions, *got, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// While the file says something impossible, or is gone, the decisions from before hold.
func TestControlKeepsTheLastDecisions(t *testing.T) {
	w := newWorld(t, &llm.Server{}, Enforce, dirty)
	control := w.meter.config.Control
	for _, step := range []struct {
		text string
		want float64
	}{
		{dirty, 320},
		{AnnotationIntensity + `="100"`, 100},
		{AnnotationIntensity + `="a lot"`, 100},
		{AnnotationIntensity + `="50"`, 50},
	} {
		w.decide(step.text)
		if got := control.Current().Intensity; got != step.want {
			t.Errorf("after %s the intensity is %v", step.text, got)
		}
	}
	control.path += ".gone"
	if got := control.Current().Intensity; got != 50 {
		t.Errorf("without the file the intensity is %v", got)
	}
	if log := w.log.String(); strings.Count(log, "a lot") != 1 {
		t.Errorf("the mistake is not logged once: %s", log)
	}
}
