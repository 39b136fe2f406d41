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

package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// TestTheIssuedForecastsAsATable runs the command of the documentation on what kubectl would give it.
func TestTheIssuedForecastsAsATable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/gridregion.md"))
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`(?s)kubectl get gridregion gb -o json \| jq -r '([^']+)'`).FindSubmatch(text)
	if command == nil {
		t.Fatal("docs/gridregion.md has no command for the issued forecasts")
	}
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("SKIPPED: jq is not installed, so the command for issued forecasts is not tried")
	}
	jq := exec.CommandContext(t.Context(), "jq", "-r", string(command[1]))
	jq.Stdin = strings.NewReader(`{"status":{
		"recent":{"start":"2026-11-24T07:30:00Z","stepSeconds":900,"gramsPerKWh":["150","151","130","133","129.5","128"],"qualities":"AAAAAF"},
		"issued":[
		{"issuedAt":"2026-11-24T08:05:00Z","start":"2026-11-24T08:00:00Z","stepSeconds":1800,"gramsPerKWh":[131,128]},
		{"issuedAt":"2026-11-24T09:05:00Z","start":"2026-11-24T09:00:00Z","stepSeconds":3600,"gramsPerKWh":[90]}]}}`)
	got, err := jq.CombinedOutput()
	want := `"from","to","issued_at","intensity_forecast","intensity_actual"
"2026-11-24T08:00:00Z","2026-11-24T08:30:00Z","2026-11-24T08:05:00Z",131,131.5
"2026-11-24T08:30:00Z","2026-11-24T09:00:00Z","2026-11-24T08:05:00Z",128,
"2026-11-24T09:00:00Z","2026-11-24T10:00:00Z","2026-11-24T09:05:00Z",90,
`
	if err != nil || string(got) != want {
		t.Errorf("%v:\n%s", err, got)
	}
	if _, err := forecast.ParseHistory(strings.NewReader(strings.Join(strings.SplitAfter(string(got), "\n")[:3], ""))); err != nil {
		t.Errorf("a replay does not read it: %v", err)
	}

	jq = exec.CommandContext(t.Context(), "jq", "-r", string(command[1]))
	jq.Stdin = strings.NewReader(`{"status":{"issued":[{"issuedAt":"2026-11-24T08:05:00Z","start":"2026-11-24T08:00:00Z","stepSeconds":1800,"gramsPerKWh":[131]}]}}`)
	if got, err := jq.CombinedOutput(); err != nil || !strings.HasSuffix(string(got), "Z\",131,\n") {
		t.Errorf("without actual values: %v:\n%s", err, got)
	}
}
