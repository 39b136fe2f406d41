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
	"math"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
	"github.com/ecotracker-dev/ecotracker-operator/internal/metrics"
)

// errorDigits is how many digits after the point mean errors have in status, in gCO2e/kWh.
const errorDigits = 3

// setAccuracy keeps what the source of the region has just forecast, and compares what it forecast before
// with what it has published since.
func setAccuracy(status *carbonv1alpha1.GridRegionStatus, region *carbonv1alpha1.GridRegion, seen observation, now time.Time) {
	if !isSame(region, 0) {
		status.Issued, status.Accuracy = nil, nil // they are another source's
	}
	if !seen.polled {
		return
	}
	kept := make([]forecast.Issued, 0, len(status.Issued))
	for i := range status.Issued {
		kept = append(kept, issuedOf(&status.Issued[i]))
	}
	if until := seen.recent.ActualUntil(); !until.IsZero() {
		from := seen.actual.Start
		if status.Accuracy != nil {
			from = status.Accuracy.ComparedUntil.Time
		}
		status.Accuracy = accuracyStatus(forecast.Compare(accuraciesOf(status.Accuracy), kept, seen.actual, from, until))
	}
	if issued := forecast.Issue(kept, seen.forecast, now); len(issued) > 0 && (len(kept) == 0 || issued[len(issued)-1].At.After(kept[len(kept)-1].At)) {
		status.Issued = append(status.Issued, issuedStatus(issued[len(issued)-1]))
		status.Issued = status.Issued[len(status.Issued)-len(issued):]
	}
}

func issuedOf(status *carbonv1alpha1.IssuedForecast) forecast.Issued {
	series := forecast.Series{Start: status.Start.UTC(), Step: time.Duration(status.StepSeconds) * time.Second}
	for _, g := range status.GramsPerKWh {
		series.Grams = append(series.Grams, float64(g))
	}
	return forecast.Issued{At: status.IssuedAt.UTC(), Forecast: series}
}

func issuedStatus(issued forecast.Issued) carbonv1alpha1.IssuedForecast {
	status := carbonv1alpha1.IssuedForecast{
		IssuedAt: metav1.NewTime(issued.At), Start: metav1.NewTime(issued.Forecast.Start),
		StepSeconds: int64(issued.Forecast.Step / time.Second),
	}
	for _, g := range issued.Forecast.Grams {
		status.GramsPerKWh = append(status.GramsPerKWh, int32(g))
	}
	return status
}

func accuraciesOf(status *carbonv1alpha1.ForecastAccuracy) []forecast.Accuracy {
	if status == nil {
		return nil
	}
	accuracies := make([]forecast.Accuracy, 0, len(status.LeadTimes))
	for _, l := range status.LeadTimes {
		accuracies = append(accuracies, forecast.Accuracy{
			Lead: time.Duration(l.Hours) * time.Hour, MeanAbsoluteError: parseDecimal(l.MeanAbsoluteErrorGramsPerKWh), Slots: int(l.Slots),
		})
	}
	return accuracies
}

func accuracyStatus(accuracies []forecast.Accuracy, until time.Time) *carbonv1alpha1.ForecastAccuracy {
	status := &carbonv1alpha1.ForecastAccuracy{ComparedUntil: metav1.NewTime(until)}
	for _, a := range accuracies {
		status.LeadTimes = append(status.LeadTimes, carbonv1alpha1.LeadTimeAccuracy{
			Hours:                        int32(a.Lead / time.Hour), //nolint:gosec // at most 24
			MeanAbsoluteErrorGramsPerKWh: carbonv1alpha1.Decimal(estimate.Decimal(a.MeanAbsoluteError, errorDigits)),
			Slots:                        int32(a.Slots), //nolint:gosec // at most those of two weeks
		})
	}
	return status
}

// measure tells the metrics what the region's status says.
func measure(region *carbonv1alpha1.GridRegion) {
	state := metrics.Region{Grams: math.NaN(), ForecastError: map[time.Duration]float64{}}
	status := region.Status
	if status.Intensity != nil {
		state.Grams, state.Quality = parseDecimal(status.Intensity.GramsPerKWh), string(status.Intensity.Quality)
		state.Source, state.Signal = status.Intensity.Source, string(status.Intensity.Signal)
	}
	if status.Forecast != nil {
		state.ForecastFetched = status.Forecast.FetchedAt.Time
	}
	for _, a := range accuraciesOf(status.Accuracy) {
		state.ForecastError[a.Lead] = a.MeanAbsoluteError
	}
	metrics.SetRegion(region.Name, state)
}
