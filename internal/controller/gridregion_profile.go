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
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
	"github.com/ecotracker-dev/ecotracker-operator/internal/metrics"
)

// profileAge is how old the mean day of a region gets before its source is asked again.
const profileAge = 24 * time.Hour

// errNoWholeDay is what is wrong with a history of which no mean day can be made.
var errNoWholeDay = &forecast.SourceError{Problem: "its history does not know every time of the day", Malformed: true}

// profileIsDue says whether the region's mean day is a day old, missing, or that of another source.
func profileIsDue(region *carbonv1alpha1.GridRegion, source forecast.Source, now time.Time) bool {
	p := region.Status.Profile
	return p == nil || p.Source != source.Name() || !stillHas(region, p.Source) ||
		!now.Before(p.UpdatedAt.Add(profileAge))
}

// profile asks the source for its past. Nil when it has none or does not tell: it is asked again with
// the next forecast, after the pause that it asks for.
func (p *poller) profile(ctx context.Context, region string, source forecast.Source, now time.Time) (*carbonv1alpha1.ProfileStatus, time.Duration) {
	historian, ok := source.(forecast.Historian)
	if !ok {
		return nil, 0
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	past, err := historian.History(ctx, p.client, now)
	profile, ok := forecast.ProfileOf(past)
	if err == nil && !ok {
		err = errNoWholeDay
	}
	if err != nil {
		problem := problemOf(source, err)
		metrics.HistoryFailed(region, source.Name(), problem.reason)
		ctrl.LoggerFrom(ctx).Info("Cannot read the history of a source, it is asked again with the next forecast", "reason", problem.reason, "message", problem.message)
		return nil, retryAfterOf(err)
	}
	status := &carbonv1alpha1.ProfileStatus{
		Days:        int32(min(profile.Days, forecast.HistoryDays)), //nolint:gosec // at most 14
		StepSeconds: int64(profile.Step / time.Second), Source: source.Name(), UpdatedAt: metav1.NewTime(now),
	}
	for _, g := range profile.Grams {
		status.GramsPerKWh = append(status.GramsPerKWh, gramsDecimal(g))
	}
	return status, 0
}

// leaveAlone keeps the source from being asked before the given time.
func (p *poller) leaveAlone(key pollKey, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := p.polls[key]; last != nil && last.next.Before(until) {
		last.next = until
	}
}
