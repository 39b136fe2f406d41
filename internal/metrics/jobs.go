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
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// Jobs are the CarbonAwareJobs that exist.
type Jobs struct {
	// ByStatus counts them by the reason of their condition Ready, which has few values.
	ByStatus map[string]int
	// Overdue is how many should have started by their latest start, and have not, although nobody
	// holds them.
	Overdue int
}

// jobCollector counts the jobs whenever it is asked; nothing when they cannot be counted, as in a
// manager that is not the leader.
type jobCollector func() (Jobs, bool)

var (
	jobsDesc = prometheus.NewDesc("ecotracker_jobs",
		"CarbonAwareJobs that exist, by their STATUS (the reason of the condition Ready). Counted by the leader.", []string{"status"}, nil)
	overdueDesc = prometheus.NewDesc("ecotracker_jobs_overdue",
		"CarbonAwareJobs whose latest start has passed without a start, those held by a person or a budget left out. Counted by the leader.", nil, nil)

	lateness = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "ecotracker_start_lateness_seconds",
		Help:    "Time from the planned start of a job to the API server's acknowledgement of the start.",
		Buckets: []float64{0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800},
	})
)

func init() { register(lateness) }

// ObserveJobs has the jobs counted at every scrape. An error if that was asked for before.
func ObserveJobs(count func() (Jobs, bool)) error {
	if err := metrics.Registry.Register(jobCollector(count)); err != nil {
		return fmt.Errorf("registering the metrics of jobs: %w", err)
	}
	return nil
}

// JobStarted records a start that was acknowledged so long after the planned time.
func JobStarted(late time.Duration) { lateness.Observe(max(0, late.Seconds())) }

// Describe tells which metrics there are.
func (c jobCollector) Describe(out chan<- *prometheus.Desc) {
	out <- jobsDesc
	out <- overdueDesc
}

// Collect counts the jobs.
func (c jobCollector) Collect(out chan<- prometheus.Metric) {
	jobs, ok := c()
	if !ok {
		return
	}
	for status, count := range jobs.ByStatus {
		out <- prometheus.MustNewConstMetric(jobsDesc, prometheus.GaugeValue, float64(count), status)
	}
	out <- prometheus.MustNewConstMetric(overdueDesc, prometheus.GaugeValue, float64(jobs.Overdue))
}
