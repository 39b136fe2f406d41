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

package controller

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

type historian struct {
	forecast.Source
	past forecast.Series
	err  error
}

func (historian) Name() string { return "ukCarbonIntensity" }

func (h historian) History(context.Context, *http.Client, time.Time) (forecast.Series, error) {
	return h.past, h.err
}

// A source that does not tell its last days, or too little of them, leaves a trace.
func TestNoMeanDayIsCounted(t *testing.T) {
	now := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	for region, source := range map[string]historian{
		"fails":     {err: errors.New("no")},
		"an hour":   {past: forecast.Constant(200, now.Add(-time.Hour), now)},
		"nothing":   {},
		"whole day": {past: forecast.Series{Start: now, Step: time.Hour, Grams: make([]float64, 24)}},
	} {
		var p poller
		profile, _ := p.profile(t.Context(), region, source, now)
		if want := region == "whole day"; (profile != nil) != want || (historyFailures(t, region) == 1) == want {
			t.Errorf("%s: got %+v, %v failures", region, profile, historyFailures(t, region))
		}
	}
}

func historyFailures(t *testing.T, region string) float64 {
	t.Helper()
	families, err := metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == "ecotracker_source_history_failures_total" && strings.Contains(m.String(), `"`+region+`"`) {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}
