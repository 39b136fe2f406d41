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
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/llm"
	"github.com/google/go-cmp/cmp"
)

// The npm packages openai, @anthropic-ai/sdk and @google/genai, at the versions of node/package-lock.json.
func TestNodeSDKs(t *testing.T) {
	dir := install(t)
	plain := newWorld(t, func() *llm.Server { return &llm.Server{Discard: true, Gzip: true} }, "")
	refused := newWorld(t, func() *llm.Server { return &llm.Server{} }, meter.AnnotationBreaker+`="open"`)
	var busy [3]*world
	for i := range busy {
		busy[i] = newWorld(t, func() *llm.Server { return &llm.Server{Busy: 1} }, "")
	}
	addresses, err := json.Marshal(map[string][]string{
		"openai":           {plain.direct + "/v1", plain.via + "/openai"},
		"anthropic":        {plain.direct, plain.via + "/anthropic"},
		"gemini":           {plain.direct, plain.via + "/gemini"},
		"azure":            {plain.direct, plain.via + "/azure"},
		"busyOpenAI":       {busy[0].direct + "/v1", busy[0].via + "/openai"},
		"busyAnthropic":    {busy[1].direct, busy[1].via + "/anthropic"},
		"busyGemini":       {busy[2].direct, busy[2].via + "/gemini"},
		"refusedOpenAI":    {refused.via + "/openai", refused.via + "/openai"},
		"refusedAnthropic": {refused.via + "/anthropic", refused.via + "/anthropic"},
		"refusedGemini":    {refused.via + "/gemini", refused.via + "/gemini"},
	})
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "node", "sdk.mjs")
	command.Dir = dir
	command.Env = append(os.Environ(), "ADDRESSES="+string(addresses))
	var out, log bytes.Buffer
	command.Stdout, command.Stderr = &out, &log
	if err := command.Run(); err != nil {
		t.Fatalf("%v: %s", err, log.String())
	}
	var seen map[string][2]any
	if err := json.Unmarshal(out.Bytes(), &seen); err != nil {
		t.Fatalf("%v: %.500s", err, out.String())
	}
	if len(seen) != 39 {
		t.Errorf("there were %d scenarios", len(seen))
	}
	for name, pair := range seen {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" || pair[0] == nil {
			t.Errorf("%s (-direct +via the meter):\n%s", name, diff)
		}
	}
	checkRefusals(t, seen)
	if got := len(refused.upstream.Requests()); got != 0 {
		t.Errorf("%d calls went through an open breaker", got)
	}

	// All of the scenarios but models, notFound, countTokens and unknownMethod, which cost nothing.
	plain.wait(10 + 200 + 6 + 200 + 1 + 9 + 200)
	got := plain.counts()
	want := map[string]counts{
		"openai chat gpt-4.1 200":                          {Calls: 209, Tokens: used(209)},
		"openai embeddings text-embedding-3-small 200":     {Calls: 1, Tokens: meter.Tokens{Input: llm.Input}},
		"anthropic chat claude-sonnet-4-5 200":             {Calls: 206, Tokens: untold(used(206))},
		"azure.ai.openai chat gpt-4o 200":                  {Calls: 1, Tokens: used(1)},
		"gcp.gemini generate_content gemini-2.5-flash 200": {Calls: 208, Tokens: used(208)},
		"gcp.gemini embeddings gemini-embedding-001 200":   {Calls: 1, Estimated: 1}, // tells no tokens
	}
	// What a cancelled stream had brought before the SDK left depends on the moment.
	for _, kind := range []string{"openai chat gpt-4.1 ", "anthropic chat claude-sonnet-4-5 ", "gcp.gemini generate_content gemini-2.5-flash "} {
		left, was := got[kind+"cancelled"]
		if !was {
			continue
		}
		if left.Calls != 1 || left.Estimated > 1 {
			t.Errorf("the cancelled call is counted as %+v", left)
		}
		delete(got, kind+"cancelled")
		answered, one := want[kind+"200"], used(1)
		answered.Calls--
		answered.Tokens.Input -= one.Input
		answered.Tokens.Output -= one.Output
		answered.Tokens.Cached -= one.Cached
		answered.Tokens.Reasoning = max(0, answered.Tokens.Reasoning-one.Reasoning)
		want[kind+"200"] = answered
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	for i, kind := range []string{"openai chat gpt-4.1 ", "anthropic chat claude-sonnet-4-5 ", "gcp.gemini generate_content gemini-2.5-flash "} {
		busy[i].wait(2)
		tokens := used(1)
		if i == 1 {
			tokens = untold(tokens)
		}
		want := map[string]counts{kind + "429": {Calls: 1}, kind + "200": {Calls: 1, Tokens: tokens}}
		if diff := cmp.Diff(want, busy[i].counts()); diff != "" {
			t.Errorf("with a retry counted (-want +got):\n%s", diff)
		}
	}
}

// untold are tokens of a provider that tells no reasoning.
func untold(t meter.Tokens) meter.Tokens {
	t.Reasoning = 0
	return t
}

// checkRefusals checks that the SDKs take an open breaker for what it is, and do not try again.
func checkRefusals(t *testing.T, seen map[string][2]any) {
	t.Helper()
	const message = "carbon budget exceeded: this job has used up its grams of CO2e (0 g in this pod), further calls are refused"
	openAI := map[string]any{"message": message, "type": "invalid_request_error", "param": nil, "code": "carbon_budget_exceeded"}
	for name, body := range map[string]any{
		"openai refused": openAI, "openai refused with a long prompt": openAI,
		"anthropic refused": map[string]any{
			"type": "error", "error": map[string]any{"type": "permission_error", "message": message},
		},
	} {
		got, ok := seen[name][1].(map[string]any)
		if !ok || got["class"] != "PermissionDeniedError" || got["status"] != 403.0 || cmp.Diff(body, got["body"]) != "" {
			t.Errorf("%s: got %v", name, seen[name][1])
		}
	}
	gemini, ok := seen["gemini refused"][1].(map[string]any)
	text := `{"error":{"code":403,"message":"` + message + `","status":"PERMISSION_DENIED"}}`
	if !ok || gemini["class"] != "ApiError" || gemini["status"] != 403.0 || gemini["message"] != text {
		t.Errorf("gemini refused: got %v", seen["gemini refused"][1])
	}
}

// install puts the SDKs into a folder of its own.
func install(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("SKIPPED: the tests with the npm SDKs need %s on the PATH (Node.js 20 or newer)", program)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "sdk.mjs"} {
		data, err := os.ReadFile(filepath.Join("node", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: npm cannot install the SDKs: %v\n%s", err, out)
	}
	return dir
}
