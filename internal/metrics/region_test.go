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
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

func ours(t *testing.T, want string) {
	t.Helper()
	names := []string{
		"ecotracker_source_polls_total", "ecotracker_source_failures_total", "ecotracker_source_last_success_timestamp_seconds",
		"ecotracker_region_intensity_grams_per_kwh", "ecotracker_region_quality",
		"ecotracker_region_forecast_fetched_timestamp_seconds", "ecotracker_region_forecast_error_grams_per_kwh",
	}
	if err := testutil.GatherAndCompare(metrics.Registry, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(metrics.Registry, names...); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}

func TestRegionMetrics(t *testing.T) {
	at := time.Unix(1783893600, 0)
	SourcePolled("gb", "ukCarbonIntensity", "", at)
	SourcePolled("gb", "ukCarbonIntensity", "SourceUnavailable", at.Add(time.Hour))
	SourcePolled("us", "wattTime", "CredentialsRefused", at)
	HistoryFailed("us", "wattTime", "SourceUnavailable")
	SetRegion("us", Region{Grams: math.NaN()})
	SetRegion("gb", Region{
		Grams: 131.5, Quality: "Forecast", Source: "ukCarbonIntensity", Signal: "Average", ForecastFetched: at,
		ForecastError: map[time.Duration]float64{time.Hour: 4.5, 24 * time.Hour: 20},
	})
	gb := `
# HELP ecotracker_region_forecast_error_grams_per_kwh Mean absolute error of the source's forecasts in gCO2e/kWh, by how long before the time they were issued.
# TYPE ecotracker_region_forecast_error_grams_per_kwh gauge
ecotracker_region_forecast_error_grams_per_kwh{lead="1h",region="gb"} 4.5
ecotracker_region_forecast_error_grams_per_kwh{lead="24h",region="gb"} 20
# HELP ecotracker_region_forecast_fetched_timestamp_seconds When the source gave the forecast in use.
# TYPE ecotracker_region_forecast_fetched_timestamp_seconds gauge
ecotracker_region_forecast_fetched_timestamp_seconds{region="gb"} 1.7838936e+09
# HELP ecotracker_region_intensity_grams_per_kwh Carbon intensity now in gCO2e/kWh; absent when it is unknown.
# TYPE ecotracker_region_intensity_grams_per_kwh gauge
ecotracker_region_intensity_grams_per_kwh{region="gb",signal="Average",source="ukCarbonIntensity"} 131.5
`
	us := `# HELP ecotracker_region_quality 1 for the quality that the intensity has now, which is the step of the chain in use, else 0.
# TYPE ecotracker_region_quality gauge
ecotracker_region_quality{quality="AnnualMean",region="us"} 0
ecotracker_region_quality{quality="Forecast",region="us"} 0
ecotracker_region_quality{quality="Profile",region="us"} 0
ecotracker_region_quality{quality="Stale",region="us"} 0
ecotracker_region_quality{quality="Unknown",region="us"} 1
# HELP ecotracker_source_failures_total How often it did not answer, or not with what can be believed, by the reason in the condition Fresh.
# TYPE ecotracker_source_failures_total counter
ecotracker_source_failures_total{reason="CredentialsRefused",region="us",source="wattTime"} 1
# HELP ecotracker_source_history_failures_total How often a region's source did not tell its last days, of which the mean day is made; it is asked again with the next forecast.
# TYPE ecotracker_source_history_failures_total counter
ecotracker_source_history_failures_total{reason="SourceUnavailable",region="us",source="wattTime"} 1
# HELP ecotracker_source_polls_total How often a region's source on the network was asked.
# TYPE ecotracker_source_polls_total counter
ecotracker_source_polls_total{region="us",source="wattTime"} 1
`
	both := gb + us + `ecotracker_source_polls_total{region="gb",source="ukCarbonIntensity"} 2
# TYPE ecotracker_source_last_success_timestamp_seconds gauge
# HELP ecotracker_source_last_success_timestamp_seconds When the source last answered a poll.
ecotracker_source_last_success_timestamp_seconds{region="gb",source="ukCarbonIntensity"} 1.7838936e+09
`
	both = strings.Replace(both, "ecotracker_source_failures_total{", `ecotracker_source_failures_total{reason="SourceUnavailable",region="gb",source="ukCarbonIntensity"} 1
ecotracker_source_failures_total{`, 1)
	both = strings.Replace(both, "ecotracker_region_quality{", `ecotracker_region_quality{quality="AnnualMean",region="gb"} 0
ecotracker_region_quality{quality="Forecast",region="gb"} 1
ecotracker_region_quality{quality="Profile",region="gb"} 0
ecotracker_region_quality{quality="Stale",region="gb"} 0
ecotracker_region_quality{quality="Unknown",region="gb"} 0
ecotracker_region_quality{`, 1)
	ours(t, both)

	DeleteRegion("gb")
	ours(t, us)
	DeleteRegion("us")
	ours(t, "")
}
