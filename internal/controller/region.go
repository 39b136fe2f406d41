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
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// gramsDigits is how many digits after the point intensities have in status, in gCO2e/kWh.
const gramsDigits = 3

// staticSpan is how far around an instant a static intensity is taken to hold: longer than any
// delay and run together.
const staticSpan = 60 * 24 * time.Hour

// accountingSpan is how far back a mean day is repeated: to the submission of a job that has run.
const accountingSpan = 14 * 24 * time.Hour

// regionFacts is a region that a job names; object is nil when there is no such GridRegion.
type regionFacts struct {
	name   string
	object *carbonv1alpha1.GridRegion
}

// pending says that the GridRegion exists but was not read for the first time yet.
func (r regionFacts) pending() bool {
	return r.object != nil && findCondition(r.object.Status.Conditions, carbonv1alpha1.RegionReady) == nil
}

// signal is the kind of intensity that the region has; empty when there is no such GridRegion.
func (r regionFacts) signal() forecast.Signal {
	if r.object == nil {
		return ""
	}
	return forecast.Signal(r.object.Spec.Source.Signal())
}

// estimateAt is what is expected of the region's intensity from now until a later time.
func (r regionFacts) estimateAt(now, until time.Time) forecast.Estimate {
	if r.object == nil {
		return forecast.Estimate{}
	}
	if grams, ok := staticGrams(r.object); ok {
		return constantFrom(now, grams)
	}
	ahead, meanDay := aheadOf(&r.object.Status, now)
	estimate := forecast.Blend(ahead, forecastQuality(r.object.Status), meanDay, now, until)
	if _, known := estimate.Series.At(now); known {
		return estimate
	}
	grams, ok := annualMean(r.object)
	switch {
	case ok && estimate.Series.KnowsFrom(now):
		return estimate.Until(grams, forecast.AnnualMean)
	case ok:
		return constantFrom(now, grams)
	case estimate.Series.Empty():
		return forecast.Estimate{}
	}
	return estimate
}

// aheadOf is the forecast and the mean day that go together at a time: of two sources, which may count
// differently, it is the one that knows of that time.
func aheadOf(status *carbonv1alpha1.GridRegionStatus, now time.Time) (ahead forecast.Series, meanDay forecast.Profile) {
	if status.Forecast != nil {
		ahead = seriesOf(&status.Forecast.SeriesStatus)
	}
	p := status.Profile
	if p == nil {
		return ahead, meanDay
	}
	_, covered := ahead.At(now)
	same := ahead.KnowsFrom(now) && p.Source == status.Forecast.Source
	if !covered && !same {
		ahead = forecast.Series{}
	}
	if !covered || same {
		meanDay = profileOf(p)
	}
	return ahead, meanDay
}

// constantFrom is one intensity, the mean of a year, for as long as anything is planned.
func constantFrom(now time.Time, grams float64) forecast.Estimate {
	span := forecast.Constant(grams, now.Truncate(time.Second), now.Add(staticSpan).Truncate(time.Second))
	return forecast.Estimate{Series: span, Quality: forecast.AnnualMean}
}

// lastResort is the mean day around now, then the mean of a year, as far as the region has them.
func (r regionFacts) lastResort(now time.Time) []forecast.Layer {
	if r.object == nil {
		return nil
	}
	var layers []forecast.Layer
	if profile := r.object.Status.Profile; profile != nil {
		around := profileOf(profile).Series(now.Add(-accountingSpan), now.Add(profileAge))
		layers = append(layers, forecast.Layer{Series: around, Quality: forecast.MeanDay})
	}
	if grams, ok := annualMean(r.object); ok {
		span := forecast.Constant(grams, now.Add(-staticSpan).Truncate(time.Second), now.Add(staticSpan).Truncate(time.Second))
		layers = append(layers, forecast.Layer{Series: span, Quality: forecast.AnnualMean})
	}
	return layers
}

// profileOf is the mean day as it stands in status.
func profileOf(status *carbonv1alpha1.ProfileStatus) forecast.Profile {
	profile := forecast.Profile{Days: int(status.Days), Step: time.Duration(status.StepSeconds) * time.Second}
	for _, d := range status.GramsPerKWh {
		profile.Grams = append(profile.Grams, parseDecimal(d))
	}
	return profile
}

// annualMean is the mean intensity of a year that the region falls back on; false without one. It is an
// average and never stands in for a marginal intensity.
func annualMean(region *carbonv1alpha1.GridRegion) (float64, bool) {
	if region.Spec.Source.Signal() != carbonv1alpha1.SignalAverage {
		return 0, false
	}
	grams, err := forecast.MeanOfYear(region.Spec.AnnualMean)
	return grams, err == nil
}

// layersAt are the region's intensities around now, best first: what is published, what was
// forecast for slots that ended, what is forecast.
func (r regionFacts) layersAt(now time.Time) []forecast.Layer {
	if r.object == nil {
		return nil
	}
	if grams, ok := staticGrams(r.object); ok {
		span := forecast.Constant(grams, now.Add(-staticSpan).Truncate(time.Second), now.Add(staticSpan).Truncate(time.Second))
		return []forecast.Layer{{Series: span, Quality: forecast.AnnualMean}}
	}
	var layers []forecast.Layer
	status := r.object.Status
	if status.Recent != nil {
		recent := pastOf(status.Recent)
		layers = append(layers,
			forecast.Layer{Series: recent.Of(forecast.Actual), Quality: forecast.Actual},
			forecast.Layer{Series: recent.Of(forecast.Estimated), Quality: forecast.Estimated},
			forecast.Layer{Series: recent.Series, Quality: forecast.Forecast})
	}
	if status.Forecast != nil {
		layers = append(layers, forecast.Layer{Series: seriesOf(&status.Forecast.SeriesStatus), Quality: forecastQuality(status)})
	}
	return layers
}

// intensityAt is the region's intensity at t in gCO2e/kWh; NaN when unknown.
func (r regionFacts) intensityAt(t time.Time) float64 {
	grams, _, ok := forecast.MeanLayers(t, t, append(r.layersAt(t), r.lastResort(t)...)...)
	if !ok {
		return math.NaN()
	}
	return grams
}

// mayLearn says whether waiting can make values of this region better: its source publishes actual
// values, or does not answer at the moment.
func (r regionFacts) mayLearn() bool {
	if r.object == nil || r.object.Spec.Source.Static != nil {
		return false
	}
	recent := r.object.Status.Recent
	return recent != nil && strings.ContainsAny(recent.Qualities, "AE") || !isTrue(r.object.Status.Conditions, carbonv1alpha1.RegionFresh)
}

// forecastQuality is that of the forecast in status. One that begins later than now is as good as any.
func forecastQuality(status carbonv1alpha1.GridRegionStatus) forecast.Quality {
	is := carbonv1alpha1.IntensityQuality("")
	if status.Intensity != nil {
		is = status.Intensity.Quality
	}
	if is == carbonv1alpha1.QualityStale || is != carbonv1alpha1.QualityForecast && status.SourceFailure != nil {
		return forecast.Stale
	}
	return forecast.Forecast
}

func staticGrams(region *carbonv1alpha1.GridRegion) (float64, bool) {
	if static := region.Spec.Source.Static; static != nil {
		return static.GramsPerKWh.AsApproximateFloat64(), true
	}
	return 0, false
}

func seriesOf(s *carbonv1alpha1.SeriesStatus) forecast.Series {
	series := forecast.Series{
		Start: s.Start.UTC(),
		Step:  time.Duration(s.StepSeconds) * time.Second,
		Grams: make([]float64, len(s.GramsPerKWh)),
	}
	for i, d := range s.GramsPerKWh {
		series.Grams[i] = parseDecimal(d)
	}
	return series
}

// statusOf is the series as it stands in status.
func statusOf(s forecast.Series) carbonv1alpha1.SeriesStatus {
	status := carbonv1alpha1.SeriesStatus{
		Start:       metav1.NewTime(s.Start),
		StepSeconds: int64(s.Step / time.Second),
		GramsPerKWh: make([]carbonv1alpha1.Decimal, len(s.Grams)),
	}
	for i, g := range s.Grams {
		status.GramsPerKWh[i] = gramsDecimal(g)
	}
	return status
}

// parseDecimal is the number; NaN for the empty, unknown one.
func parseDecimal(d carbonv1alpha1.Decimal) float64 {
	v, err := strconv.ParseFloat(string(d), 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

func gramsDecimal(grams float64) carbonv1alpha1.Decimal {
	return carbonv1alpha1.Decimal(estimate.Decimal(grams, gramsDigits))
}
