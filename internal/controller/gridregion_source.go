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
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// How much of a series is kept in status.
const (
	forecastHorizon  = 72 * time.Hour
	recentHistory    = 48 * time.Hour
	maxForecastSlots = 864
	maxRecentSlots   = 576
)

// observation is what a chain of sources says at one time.
type observation struct {
	forecast forecast.Series
	recent   forecast.Past
	// polled says that the region's own source has just answered over the network; actual are its actual
	// values.
	polled bool
	actual forecast.Series
	// source that said it, fetchedAt when.
	source    string
	fetchedAt time.Time
	// profile is the source's mean day; nil leaves that in status alone.
	profile *carbonv1alpha1.ProfileStatus
	// instead is the problem of the first source when a fallback spoke for it.
	instead *sourceProblem
	// again is when a source is due next; zero when only the slots count.
	again time.Time
	// failure is that of the first source; nil when it answers or is not on the network.
	failure *carbonv1alpha1.SourceFailure
}

// sourceProblem is what keeps a source from answering: a condition, not an error, because trying
// again at once would not help.
type sourceProblem struct {
	reason, message string
}

// observe asks the region's source and, while that says nothing of the present, its fallbacks in order. When
// none does, the problem of the source itself comes back, with the first forecast that is known of later times;
// an error is one of our own API server.
func (r *GridRegionReconciler) observe(ctx context.Context, region *carbonv1alpha1.GridRegion, now time.Time) (observation, *sourceProblem, error) {
	if region.Spec.Source.Static != nil {
		return observation{}, nil, nil
	}
	var first *sourceProblem
	var later observation
	var failure *carbonv1alpha1.SourceFailure
	var again time.Time
	for place, source := range append([]carbonv1alpha1.IntensitySource{region.Spec.Source}, region.Spec.Fallbacks...) {
		seen, problem, err := r.observeSource(ctx, region, place, &source, now)
		if err != nil {
			return observation{}, nil, err
		}
		if again.IsZero() || !seen.again.IsZero() && seen.again.Before(again) {
			again = seen.again
		}
		if place == 0 {
			failure = seen.failure
		}
		seen.again, seen.failure = again, failure
		if problem == nil {
			seen.instead = first
			return seen, nil, nil
		}
		if first == nil {
			first = problem
		}
		if later.forecast.Empty() {
			later = seen
		}
	}
	later.again, later.failure = again, failure
	return later, first, nil
}

// observeSource asks one source of the chain.
func (r *GridRegionReconciler) observeSource(ctx context.Context, region *carbonv1alpha1.GridRegion, place int,
	source *carbonv1alpha1.IntensitySource, now time.Time,
) (observation, *sourceProblem, error) {
	if source.Trace != nil {
		return r.observeConfigMap(ctx, region, source.Trace, now)
	}
	remote := r.remoteSource(source)
	last := r.polls.read(ctx, region, place, remote, now)
	if last.problem != nil {
		return observation{again: last.next, failure: last.failure()}, last.problem, nil
	}
	seen := observation{source: remote.Name(), fetchedAt: last.fetchedAt, again: last.next}
	seen.forecast, seen.recent = knownOf(last.trace, now, 1)
	seen.polled, seen.actual = place == 0 && last.fetchedAt.Equal(now), last.trace.Actual
	if last.fetchedAt.Equal(now) && profileIsDue(region, remote, now) {
		var pause time.Duration
		seen.profile, pause = r.polls.profile(ctx, region.Name, remote, now)
		if until := now.Add(pause); until.After(seen.again) {
			r.polls.leaveAlone(pollKey{region.Name, place}, until)
			seen.again = until
		}
	}
	return seen, last.lackNow(remote, seen.forecast, now), nil
}

// remoteSource is the source on the network that a spec names.
func (r *GridRegionReconciler) remoteSource(source *carbonv1alpha1.IntensitySource) forecast.Source {
	switch {
	case source.ElectricityMaps != nil:
		return forecast.ElectricityMaps{
			Zone:  source.ElectricityMaps.Zone,
			Token: func(ctx context.Context) (string, error) { return r.token(ctx, source.ElectricityMaps.TokenSecretRef) },
		}
	case source.WattTime != nil:
		return forecast.WattTime{Region: source.WattTime.Region, Login: r.wattTimeLogin(source.WattTime.CredentialsSecretRef.Name)}
	case source.CarbonAwareSDK != nil:
		return forecast.CarbonAwareSDK{Endpoint: source.CarbonAwareSDK.Endpoint, Location: source.CarbonAwareSDK.Location}
	case source.EnergyCharts != nil:
		return forecast.EnergyCharts{Country: source.EnergyCharts.Country}
	default:
		return forecast.UK{Region: int(source.UKCarbonIntensity.RegionID)}
	}
}

// observeConfigMap reads a trace.
func (r *GridRegionReconciler) observeConfigMap(ctx context.Context, region *carbonv1alpha1.GridRegion,
	source *carbonv1alpha1.TraceSource, now time.Time,
) (observation, *sourceProblem, error) {
	var configMap corev1.ConfigMap
	key := types.NamespacedName{Namespace: r.Namespace, Name: source.ConfigMapRef.Name}
	if err := r.Get(ctx, key, &configMap); err != nil {
		if apierrors.IsNotFound(err) {
			return observation{}, &sourceProblem{
				carbonv1alpha1.ReasonConfigMapNotFound,
				fmt.Sprintf("ConfigMap %s does not exist; create it with the trace in the key %q", key, source.ConfigMapRef.Key),
			}, nil
		}
		return observation{}, nil, fmt.Errorf("reading ConfigMap %s: %w", key, err)
	}
	table, ok := configMap.Data[source.ConfigMapRef.Key]
	if !ok {
		return observation{}, &sourceProblem{
			carbonv1alpha1.ReasonConfigMapNotFound,
			fmt.Sprintf("ConfigMap %s has no key %q", key, source.ConfigMapRef.Key),
		}, nil
	}
	seen, problem := observeTrace(table, source.Replay, region.CreationTimestamp.Time, now)
	if problem != nil {
		problem.message = fmt.Sprintf("ConfigMap %s, key %q: %s", key, source.ConfigMapRef.Key, problem.message)
	}
	return seen, problem, nil
}

// observeTrace is what a trace says at now. A replayed trace happens at the given anchor, and its
// horizon shrinks with its speed.
func observeTrace(table string, replay *carbonv1alpha1.TraceReplay, anchor, now time.Time) (observation, *sourceProblem) {
	trace, err := forecast.ParseTrace(strings.NewReader(table))
	if err != nil {
		return observation{}, &sourceProblem{carbonv1alpha1.ReasonMalformedTrace, err.Error()}
	}
	speed := time.Duration(1)
	if replay != nil {
		speed = time.Duration(max(1, replay.Speed))
		trace, err = trace.Replay(forecast.Replay{From: replay.From.Time, Anchor: anchor, Speed: int64(speed)})
		if err != nil {
			return observation{}, &sourceProblem{carbonv1alpha1.ReasonMalformedTrace, err.Error()}
		}
	}
	seen := observation{source: "trace", fetchedAt: now}
	seen.forecast, seen.recent = knownOf(trace, now, speed)
	if _, ok := seen.forecast.At(now); !ok {
		return seen, &sourceProblem{
			carbonv1alpha1.ReasonTraceEnded,
			fmt.Sprintf("the trace has no value for now: it goes from %s to %s", trace.Forecast.Start.Format(time.RFC3339),
				trace.Forecast.End().Format(time.RFC3339)),
		}
	}
	return seen, nil
}

// knownOf is what a trace knows at now, as much of it as status has room for.
func knownOf(trace forecast.Trace, now time.Time, speed time.Duration) (ahead forecast.Series, recent forecast.Past) {
	step := trace.Forecast.Step
	return trace.Known(now, min(forecastHorizon/speed, maxForecastSlots*step-step), min(recentHistory/speed, maxRecentSlots*step-step))
}
