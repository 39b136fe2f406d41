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
	"encoding/json"
	"math"
	"time"
)

// record is the telemetry record of a session. Its first fields are those of the EcoTracker library,
// so that what reads its records reads these; the usage also has the names of the OpenTelemetry GenAI
// semantic conventions (https://github.com/open-telemetry/semantic-conventions-genai).
type record struct {
	Timestamp string         `json:"timestamp"`
	EnergyKWh float64        `json:"energy_kwh"`
	Baseline  float64        `json:"baseline_gco2eq"`
	Actual    float64        `json:"actual_gco2eq"`
	Saved     float64        `json:"saved_gco2eq"`
	Plan      plan           `json:"schedule_plan"`
	Provider  string         `json:"llm_provider,omitempty"` // when there was one only
	Model     string         `json:"model,omitempty"`        // when there was one only
	Usage     []use          `json:"model_usage,omitempty"`
	Metadata  map[string]any `json:"metadata,omitempty"`
}

// plan has the fields of the library's plan that a meter knows; the rest is in the status of the job.
type plan struct {
	Baseline *float64 `json:"baseline_intensity_gco2eq_per_kwh"`
	Optimal  *float64 `json:"optimal_intensity_gco2eq_per_kwh"`
}

type use struct {
	RequestedModel string `json:"requested_model"`
	EffectiveModel string `json:"effective_model"`
	CallCount      int64  `json:"call_count"`
	Downgraded     bool   `json:"downgraded"`

	Status        string  `json:"status"`
	EnergyKWh     float64 `json:"energy_kwh"`
	Estimated     int64   `json:"calls_with_estimated_tokens,omitempty"`
	UnknownEnergy int64   `json:"calls_with_unknown_energy,omitempty"`

	GenAIProvider  string `json:"gen_ai.provider.name"`
	GenAIOperation string `json:"gen_ai.operation.name"`
	GenAIRequest   string `json:"gen_ai.request.model"`
	GenAIResponse  string `json:"gen_ai.response.model"`
	Input          int64  `json:"gen_ai.usage.input_tokens"`
	Output         int64  `json:"gen_ai.usage.output_tokens"`
	Cached         int64  `json:"gen_ai.usage.cache_read.input_tokens"`
	Reasoning      int64  `json:"gen_ai.usage.reasoning.output_tokens"`
}

const nanoPerGram = 1e9

// Record is the telemetry record of everything counted so far, as one line of JSON. The baseline is
// the energy of the requested models at the baseline intensity, or at the intensity of the run where no
// baseline was told.
func (m *Meter) Record(now time.Time) []byte {
	lines, decisions := m.ledger.snapshot(), m.config.Control.Current()
	total := Total(lines)
	r := record{
		Timestamp: now.UTC().Format("2006-01-02T15:04:05.000000-07:00"),
		EnergyKWh: total.KWh,
		Baseline:  float64(total.RequestedNanograms) / nanoPerGram,
		Actual:    float64(total.Nanograms) / nanoPerGram,
		Plan:      plan{known(decisions.Baseline), known(decisions.Intensity)},
		Metadata:  m.metadata(total, decisions),
	}
	if r.Plan.Baseline != nil {
		r.Baseline = total.RequestedKWh * *r.Plan.Baseline
	}
	r.Saved = r.Baseline - r.Actual
	for _, l := range lines {
		r.Usage = append(r.Usage, useOf(l))
	}
	r.Provider, r.Model = only(lines)
	data, err := json.Marshal(r)
	if err != nil { // a sum that is not finite
		return encode(map[string]string{"timestamp": r.Timestamp, "error": err.Error()})
	}
	return data
}

func (m *Meter) metadata(total Tally, d *Decisions) map[string]any {
	metadata := map[string]any{"actual_gco2eq_so_far": float64(total.Nanograms) / nanoPerGram}
	if total.AssumedKWh > 0 {
		metadata["energy_kwh_at_assumed_intensity"] = total.AssumedKWh
		metadata["assumed_intensity_gco2eq_per_kwh"] = m.config.AssumedIntensity
	}
	if total.StaleKWh > 0 {
		metadata["energy_kwh_at_stale_intensity"] = total.StaleKWh
	}
	if d.Quality != "" {
		metadata["intensity_quality"] = d.Quality
	}
	if d.Run != "" {
		metadata["run"] = d.Run
	}
	exceeded := d.Open
	if d.MaxGrams != nil {
		metadata["max_session_gco2eq"] = float64(*d.MaxGrams) / nanoPerGram
		exceeded = exceeded || total.Nanograms >= *d.MaxGrams
	}
	metadata["carbon_budget_exceeded"] = exceeded
	if exceeded {
		metadata["termination_reason"] = "carbon_budget_exceeded"
	}
	return metadata
}

func useOf(l Line) use {
	return use{
		RequestedModel: l.Requested, EffectiveModel: l.Effective, CallCount: l.Calls, Downgraded: l.Downgraded,
		Status: l.Status, EnergyKWh: l.KWh, Estimated: l.Estimated, UnknownEnergy: l.UnknownEnergy,
		GenAIProvider: l.Provider, GenAIOperation: l.Operation, GenAIRequest: l.Requested, GenAIResponse: l.Effective,
		Input: l.Input, Output: l.Output, Cached: l.Cached, Reasoning: l.Reasoning,
	}
}

// only is the provider and the effective model of all lines, each empty when there were several.
func only(lines []Line) (provider, model string) {
	for i, l := range lines {
		if i == 0 {
			provider, model = l.Provider, l.Effective
		}
		if l.Provider != provider {
			provider = ""
		}
		if l.Effective != model || l.Requested != lines[0].Requested {
			model = ""
		}
	}
	return provider, model
}

func known(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}
