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

package metrics

import (
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Region is what is known of a GridRegion now.
type Region struct {
	// Grams is the carbon intensity in gCO2e/kWh; NaN when unknown.
	Grams float64
	// Quality of the intensity, the Source that gave it and its Signal, as they stand in status; empty
	// when the intensity is unknown.
	Quality, Source, Signal string
	// ForecastFetched is when the source gave the forecast; zero when there is none.
	ForecastFetched time.Time
	// ForecastError is the mean absolute error of the source's forecasts in gCO2e/kWh by lead
	// time, in whole hours.
	ForecastError map[time.Duration]float64
}

// unknownQuality is the quality of a region whose intensity is unknown.
const unknownQuality = "Unknown"

var qualities = []string{"Forecast", "Stale", "Profile", "AnnualMean", unknownQuality}

var (
	polls = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ecotracker_source_polls_total", Help: "How often a region's source on the network was asked.",
	}, []string{"region", "source"})
	failures = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ecotracker_source_failures_total", Help: "How often it did not answer, or not with what can be believed, by the reason in the condition Fresh.",
	}, []string{"region", "source", "reason"})
	historyFailures = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ecotracker_source_history_failures_total",
		Help: "How often a region's source did not tell its last days, of which the mean day is made; it is asked again with the next forecast.",
	}, []string{"region", "source", "reason"})
	lastSuccess = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "ecotracker_source_last_success_timestamp_seconds", Help: "When the source last answered a poll.",
	}, []string{"region", "source"})
	regions = &regionCollector{states: map[string]Region{}}
)

func init() { register(polls, failures, historyFailures, lastSuccess, regions) }

// SourcePolled counts a poll of a region's source at now; reason is why it failed, empty when it did not.
func SourcePolled(region, source, reason string, now time.Time) {
	polls.WithLabelValues(region, source).Inc()
	if reason != "" {
		failures.WithLabelValues(region, source, reason).Inc()
		return
	}
	lastSuccess.WithLabelValues(region, source).Set(float64(now.Unix()))
}

// HistoryFailed counts a call for a source's last days that failed for the given reason.
func HistoryFailed(region, source, reason string) {
	historyFailures.WithLabelValues(region, source, reason).Inc()
}

// SetRegion says what is known of a GridRegion now.
func SetRegion(name string, state Region) {
	regions.mu.Lock()
	defer regions.mu.Unlock()
	regions.states[name] = state
}

// DeleteRegion forgets a GridRegion.
func DeleteRegion(name string) {
	of := prometheus.Labels{"region": name}
	polls.DeletePartialMatch(of)
	failures.DeletePartialMatch(of)
	historyFailures.DeletePartialMatch(of)
	lastSuccess.DeletePartialMatch(of)
	regions.mu.Lock()
	defer regions.mu.Unlock()
	delete(regions.states, name)
}

// regionCollector gives a region's state as one, never half of it.
type regionCollector struct {
	mu     sync.Mutex
	states map[string]Region
}

var (
	intensityDesc = prometheus.NewDesc("ecotracker_region_intensity_grams_per_kwh",
		"Carbon intensity now in gCO2e/kWh; absent when it is unknown.", []string{"region", "source", "signal"}, nil)
	qualityDesc = prometheus.NewDesc("ecotracker_region_quality",
		"1 for the quality that the intensity has now, which is the step of the chain in use, else 0.", []string{"region", "quality"}, nil)
	fetchedDesc = prometheus.NewDesc("ecotracker_region_forecast_fetched_timestamp_seconds",
		"When the source gave the forecast in use.", []string{"region"}, nil)
	errorDesc = prometheus.NewDesc("ecotracker_region_forecast_error_grams_per_kwh",
		"Mean absolute error of the source's forecasts in gCO2e/kWh, by how long before the time they were issued.", []string{"region", "lead"}, nil)
)

// Describe tells which metrics there are.
func (c *regionCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{intensityDesc, qualityDesc, fetchedDesc, errorDesc} {
		out <- d
	}
}

// Collect gives the metrics of all regions.
func (c *regionCollector) Collect(out chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for name, s := range c.states {
		quality := s.Quality
		if math.IsNaN(s.Grams) || quality == "" {
			quality = unknownQuality
		} else {
			gauge(intensityDesc, s.Grams, name, s.Source, s.Signal)
		}
		for _, q := range qualities {
			is := 0.0
			if q == quality {
				is = 1
			}
			gauge(qualityDesc, is, name, q)
		}
		if !s.ForecastFetched.IsZero() {
			gauge(fetchedDesc, float64(s.ForecastFetched.Unix()), name)
		}
		for lead, grams := range s.ForecastError {
			gauge(errorDesc, grams, name, leadLabel(lead))
		}
	}
}

// leadLabel writes whole hours the way people do: 4h.
func leadLabel(lead time.Duration) string {
	return strconv.Itoa(int(lead/time.Hour)) + "h"
}
