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
	"time"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// errNothingForNow is what is wrong with an answer that may be right about other times.
var errNothingForNow = &forecast.SourceError{Problem: "its answer has no value for now", Malformed: true}

// take keeps an answer, and what the source said before of the time before it begins.
func (p *poll) take(answer forecast.Trace, last *poll, region *carbonv1alpha1.GridRegion, source forecast.Source, now time.Time) {
	p.fetchedAt = now
	p.answer = answer.Forecast
	p.begins, _ = answer.Begins()
	earlier := last.trace
	p.stale = last.stale && now.Before(last.begins) || p.begins.Sub(now) > answer.Forecast.Step
	if last.problem != nil && isStaleFrom(region, source.Name()) {
		earlier, p.stale = traceOf(&region.Status), true
	}
	p.trace = answer.After(earlier, now.Add(-recentHistory))
}

// isStaleFrom says whether the forecast in status is the last good one of the source of the given name, and no
// other's.
func isStaleFrom(region *carbonv1alpha1.GridRegion, name string) bool {
	status := &region.Status
	if status.Forecast == nil || status.Forecast.Source != name || !stillHas(region, name) ||
		status.Intensity == nil || status.Intensity.Quality != carbonv1alpha1.QualityStale {
		return false
	}
	named := 0
	for _, s := range append([]carbonv1alpha1.IntensitySource{region.Spec.Source}, region.Spec.Fallbacks...) {
		if s.Name() == name {
			named++
		}
	}
	return named == 1
}

// lackNow is what keeps the last answer from speaking for the present: it has not begun, or it has a gap. Nil
// when it does speak.
func (p *poll) lackNow(source forecast.Source, ahead forecast.Series, now time.Time) *sourceProblem {
	_, told := p.answer.At(now)
	_, known := ahead.At(now)
	switch {
	case told:
		return nil
	case now.Before(p.begins) && (p.stale || !known):
		return &sourceProblem{
			carbonv1alpha1.ReasonForecastNotBegun, fmt.Sprintf("%s: its forecast begins at %s", source.Name(), stamp(p.begins)),
		}
	case !known:
		return problemOf(source, errNothingForNow)
	}
	return nil
}

// mayReplace says whether a forecast that knows nothing of the present takes the place of the one in status:
// not while that still covers the present.
func mayReplace(status *carbonv1alpha1.GridRegionStatus, next forecast.Series, now time.Time) bool {
	if !next.KnowsFrom(now) {
		return false
	}
	if _, ok := next.At(now); ok || status.Forecast == nil {
		return true
	}
	_, covered := seriesOf(&status.Forecast.SeriesStatus).At(now)
	return !covered
}
