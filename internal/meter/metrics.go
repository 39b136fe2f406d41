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
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

var kindLabels = []string{"provider", "operation", "requested_model", "effective_model", "status", "downgraded"}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("ecotracker_meter_"+name, help, labels, nil)
}

// The metrics. The number of their series is bounded, as that of the lines is.
var (
	callsDesc     = describe("calls_total", "Calls to LLM providers.", kindLabels...)
	tokensDesc    = describe("tokens_total", "Tokens of calls; input includes cached, output includes reasoning.", slices.Concat(kindLabels, []string{"type"})...)
	estimatedDesc = describe("calls_with_estimated_tokens_total", "Calls whose answer did not tell its tokens to its end.", kindLabels...)
	unknownDesc   = describe("calls_with_unknown_energy_total", "Answered calls whose energy is unknown.", kindLabels...)
	energyDesc    = describe("energy_joules_total", "Energy of calls, modelled by the EcoLogits method.", kindLabels...)
	gramsDesc     = describe("emissions_grams_total", "Emissions of calls in grams of CO2e, modelled.", kindLabels...)
	inFlightDesc  = describe("calls_in_flight", "Calls that are being answered.")
	breakerDesc   = describe("breaker_open", "1 while calls are refused.")
	intensityDesc = describe("intensity_grams_per_kilowatt_hour", "Carbon intensity at which calls are priced.")
)

const joulesPerKWh = 3.6e6

// Describe implements prometheus.Collector.
func (m *Meter) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

// Collect implements prometheus.Collector.
func (m *Meter) Collect(ch chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value)
	}
	decisions := m.config.Control.Current()
	gauge(inFlightDesc, float64(m.inFlight.Load()))
	open := 0.0
	if m.refusal(&call{costs: true, decisions: decisions}) != "" {
		open = 1
	}
	gauge(breakerDesc, open)
	intensity, _ := m.intensity(m.config.Now())
	gauge(intensityDesc, intensity)
	for _, line := range m.Lines() {
		labels := []string{line.Provider, line.Operation, line.Requested, line.Effective, line.Status, strconv.FormatBool(line.Downgraded)}
		counter := func(desc *prometheus.Desc, value float64, more ...string) {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, value, slices.Concat(labels, more)...)
		}
		counter(callsDesc, float64(line.Calls))
		counter(estimatedDesc, float64(line.Estimated))
		counter(unknownDesc, float64(line.UnknownEnergy))
		counter(energyDesc, line.KWh*joulesPerKWh)
		counter(gramsDesc, float64(line.Nanograms)/nanoPerGram)
		counter(tokensDesc, float64(line.Input), "input")
		counter(tokensDesc, float64(line.Output), "output")
		counter(tokensDesc, float64(line.Cached), "cached")
		counter(tokensDesc, float64(line.Reasoning), "reasoning")
	}
}
