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
	"fmt"
	"math"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// regionStatus is the status that follows from what the source said. When it said nothing of the present, the
// last good forecast stays, marked as stale, for as long as it covers that.
func regionStatus(region *carbonv1alpha1.GridRegion, seen observation, problem *sourceProblem, now time.Time) carbonv1alpha1.GridRegionStatus {
	status := *region.Status.DeepCopy()
	status.ObservedGeneration = region.Generation
	status.Sources, status.SourceFailure = sourceIDs(&region.Spec), seen.failure
	if grams, ok := staticGrams(region); ok {
		setStatic(&status, grams, region, now)
		return status
	}
	dropForeign(&status, region)
	if problem == nil || mayReplace(&status, seen.forecast, now) {
		setSeries(&status, seen)
	} else if problem.reason == carbonv1alpha1.ReasonTraceEnded && status.Forecast != nil && status.Forecast.Source == region.Spec.Source.Name() {
		status.Forecast, status.Greenest = nil, nil
	}
	if seen.profile != nil {
		status.Profile = seen.profile
	}
	setAccuracy(&status, region, seen, now)
	setIntensity(&status, region, problem, now)
	if status.Intensity == nil {
		setLastResort(&status, region, now)
	}
	setRegionConditions(&status, region, seen, problem, now)
	return status
}

// dropForeign leaves out what sources have said that the spec does not have any more: it may be about
// another grid.
func dropForeign(status *carbonv1alpha1.GridRegionStatus, region *carbonv1alpha1.GridRegion) {
	if f := status.Forecast; f != nil && !stillHas(region, f.Source) {
		status.Forecast, status.Recent, status.Greenest = nil, nil, nil
	}
	if p := status.Profile; p != nil && !stillHas(region, p.Source) {
		status.Profile = nil
	}
}

// setLastResort takes the region's mean day for the present intensity, else the mean of a year.
func setLastResort(status *carbonv1alpha1.GridRegionStatus, region *carbonv1alpha1.GridRegion, now time.Time) {
	facts := regionFacts{name: region.Name, object: &carbonv1alpha1.GridRegion{Spec: region.Spec, Status: *status}}
	grams, quality, ok := forecast.MeanLayers(now, now, facts.lastResort(now)...)
	if !ok {
		return
	}
	status.Intensity = &carbonv1alpha1.IntensityStatus{
		GramsPerKWh: gramsDecimal(grams), Quality: carbonv1alpha1.IntensityQuality(quality), Source: "annualMean",
		Signal: region.Spec.Source.Signal(), ObservedAt: region.CreationTimestamp,
	}
	if quality == forecast.MeanDay {
		step := time.Duration(status.Profile.StepSeconds) * time.Second
		status.Intensity.Source, status.Intensity.ObservedAt = status.Profile.Source, metav1.NewTime(now.UTC().Truncate(step))
	}
	status.Greenest = nil
	if status.Forecast != nil { // of later times only
		series := seriesOf(&status.Forecast.SeriesStatus)
		status.Greenest = greenestSlot(series.Clip(now, series.End()))
	}
}

func setStatic(status *carbonv1alpha1.GridRegionStatus, grams float64, region *carbonv1alpha1.GridRegion, now time.Time) {
	status.Forecast, status.Recent, status.Greenest, status.Profile = nil, nil, nil, nil
	status.Issued, status.Accuracy = nil, nil
	status.Intensity = &carbonv1alpha1.IntensityStatus{
		GramsPerKWh: gramsDecimal(grams), Quality: carbonv1alpha1.QualityAnnualMean, Source: "static",
		Signal: region.Spec.Source.Signal(), ObservedAt: region.CreationTimestamp,
	}
	for _, conditionType := range []string{carbonv1alpha1.RegionReady, carbonv1alpha1.RegionFresh} {
		setCondition(&status.Conditions, now, region.Generation, conditionType, metav1.ConditionTrue,
			carbonv1alpha1.ReasonStaticIntensity, fmt.Sprintf("always %s g/kWh", status.Intensity.GramsPerKWh))
	}
}

func setSeries(status *carbonv1alpha1.GridRegionStatus, seen observation) {
	next := statusOf(seen.forecast)
	if was := status.Forecast; was == nil || was.Source != seen.source || !sameSeries(was.SeriesStatus, next) {
		status.Forecast = &carbonv1alpha1.ForecastStatus{SeriesStatus: next, Source: seen.source, FetchedAt: metav1.NewTime(seen.fetchedAt)}
	}
	status.Recent = nil
	if len(seen.recent.Grams) > 0 {
		status.Recent = recentStatus(seen.recent)
	}
	status.Greenest = greenestSlot(seen.forecast)
}

func sameSeries(a, b carbonv1alpha1.SeriesStatus) bool {
	return a.Start.Equal(&b.Start) && a.StepSeconds == b.StepSeconds && slices.Equal(a.GramsPerKWh, b.GramsPerKWh)
}

func greenestSlot(s forecast.Series) *carbonv1alpha1.GreenestStatus {
	best := -1
	for i, g := range s.Grams {
		if !math.IsNaN(g) && (best < 0 || g < s.Grams[best]) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	return &carbonv1alpha1.GreenestStatus{
		Start:       metav1.NewTime(s.Start.Add(time.Duration(best) * s.Step)),
		GramsPerKWh: gramsDecimal(s.Grams[best]),
	}
}

// setIntensity takes the present intensity from the forecast, or removes it when it is unknown.
func setIntensity(status *carbonv1alpha1.GridRegionStatus, region *carbonv1alpha1.GridRegion, problem *sourceProblem, now time.Time) {
	status.Intensity = nil
	if status.Forecast == nil {
		return
	}
	series := seriesOf(&status.Forecast.SeriesStatus)
	grams, ok := series.At(now)
	if !ok {
		return
	}
	quality := carbonv1alpha1.QualityForecast
	if problem != nil {
		quality = carbonv1alpha1.QualityStale
		status.Greenest = greenestSlot(series.Clip(now, series.End()))
	}
	end, _ := series.SlotEnd(now)
	status.Intensity = &carbonv1alpha1.IntensityStatus{
		GramsPerKWh: gramsDecimal(grams), Quality: quality, Source: status.Forecast.Source,
		Signal: region.Spec.Source.Signal(), ObservedAt: metav1.NewTime(end.Add(-series.Step)),
	}
}

func setRegionConditions(status *carbonv1alpha1.GridRegionStatus, region *carbonv1alpha1.GridRegion,
	seen observation, problem *sourceProblem, now time.Time,
) {
	set := func(conditionType string, value metav1.ConditionStatus, reason, message string) {
		setCondition(&status.Conditions, now, region.Generation, conditionType, value, reason, message)
	}
	switch {
	case problem != nil:
		set(carbonv1alpha1.RegionFresh, metav1.ConditionFalse, problem.reason, problem.message)
	case seen.instead != nil:
		set(carbonv1alpha1.RegionFresh, metav1.ConditionTrue, carbonv1alpha1.ReasonFallbackInUse,
			fmt.Sprintf("%s speaks for the source: %s", seen.source, seen.instead.message))
	default:
		set(carbonv1alpha1.RegionFresh, metav1.ConditionTrue, carbonv1alpha1.ReasonForecastAvailable, "the source covers the present")
	}
	switch {
	case status.Intensity == nil:
		message := problem.message
		if _, err := forecast.MeanOfYear(region.Spec.AnnualMean); region.Spec.AnnualMean != "" && err != nil {
			message += "; " + err.Error()
		}
		set(carbonv1alpha1.RegionReady, metav1.ConditionFalse, problem.reason, message)
	case status.Intensity.Quality == carbonv1alpha1.QualityProfile:
		set(carbonv1alpha1.RegionReady, metav1.ConditionTrue, carbonv1alpha1.ReasonProfileInUse,
			fmt.Sprintf("no forecast is left: the mean day of %d days up to %s is used", status.Profile.Days, stamp(status.Profile.UpdatedAt.Time)))
	case status.Intensity.Quality == carbonv1alpha1.QualityAnnualMean:
		set(carbonv1alpha1.RegionReady, metav1.ConditionTrue, carbonv1alpha1.ReasonAnnualMeanInUse,
			fmt.Sprintf("nothing better is known than the mean of a year of %s", region.Spec.AnnualMean))
	case problem != nil:
		set(carbonv1alpha1.RegionReady, metav1.ConditionTrue, carbonv1alpha1.ReasonForecastAvailable, "the last good forecast still covers the present")
	default:
		set(carbonv1alpha1.RegionReady, metav1.ConditionTrue, carbonv1alpha1.ReasonForecastAvailable, "a forecast covers the present")
	}
}
