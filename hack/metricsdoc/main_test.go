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
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ecotracker-dev/ecotracker-operator/internal/metrics"
)

// The reference in the repository is the one of the metrics as they are.
func TestTheReferenceIsUpToDate(t *testing.T) {
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != document(metrics.Collectors()) {
		t.Error("docs/metrics.md is not what the metrics say of themselves: run make docs")
	}
}

// Another name, help or label is another reference, whatever it says.
func TestTheReferenceSaysWhatTheMetricsAre(t *testing.T) {
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "a_total", Help: "Says \"a|b\"."}, []string{"x", "y"})
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "b_seconds", Help: "B."})
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "c", Help: "C."})
	text := document([]prometheus.Collector{gauge, counter, histogram})
	for _, want := range []string{
		"| `a_total` | counter | x, y | Says \"a\\|b\". |\n", "| `b_seconds` | histogram |  | B. |\n", "| `c` | gauge |  | C. |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not have %q:\n%s", want, text)
		}
	}
}
