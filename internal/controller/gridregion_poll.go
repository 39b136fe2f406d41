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
	"fmt"
	"hash/fnv"
	"math"
	"net/http"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
	"github.com/ecotracker-dev/ecotracker-operator/internal/metrics"
)

const (
	// callTimeout bounds one call of a source.
	callTimeout = 15 * time.Second
	// A source that fails is tried again after a minute, then after ever longer pauses.
	minBackoff = time.Minute
	maxBackoff = 30 * time.Minute
)

// poller asks the sources of regions over the network, each no more often than it has news, however
// many jobs there are. What it last heard is kept, so that every slot's end needs no call.
type poller struct {
	client *http.Client
	mu     sync.Mutex
	polls  map[pollKey]*poll
}

// pollKey names one source of a region's spec, by its place in the chain.
type pollKey struct {
	region string
	place  int
}

type poll struct {
	of        asked
	next      time.Time
	failures  int
	fetchedAt time.Time
	trace     forecast.Trace
	// answer is what the source said itself, begins when its forecast begins. What the trace says besides of the
	// time before is from an earlier answer, which is stale when the source has failed since, or tells nothing of
	// the next slot either.
	answer  forecast.Series
	begins  time.Time
	stale   bool
	problem *sourceProblem
}

// asked is who was asked for which region: another source, and a region that was created again, begin anew.
type asked struct {
	region types.UID
	source string
}

// failure is a poll that failed as it stands in status.
func (p *poll) failure() *carbonv1alpha1.SourceFailure {
	return &carbonv1alpha1.SourceFailure{
		Reason: p.problem.reason, Message: truncate(p.problem.message), RetryAt: metav1.NewTime(forecast.CeilSecond(p.next)),
		Attempts: int32(min(p.failures, math.MaxInt32)), //nolint:gosec // it fits
	}
}

// read is what the source says at now: asked, if it is time, else remembered.
func (p *poller) read(ctx context.Context, region *carbonv1alpha1.GridRegion, place int, source forecast.Source, now time.Time) poll {
	key, of := pollKey{region.Name, place}, asked{region.UID, sourceIDs(&region.Spec)[place]}
	last := p.remembered(key, of, region, source)
	if !last.next.IsZero() && now.Before(last.next) {
		return last
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	next := poll{of: of}
	trace, err := source.Read(ctx, p.client, now)
	if err == nil && !trace.Forecast.KnowsFrom(now) {
		err = errNothingForNow
	}
	if err == nil {
		next.take(trace, &last, region, source, now)
		next.next = newsAt(region, source, trace, now)
	} else {
		next.problem, next.failures = problemOf(source, err), last.failures+1
		longest := maxBackoff
		if next.problem.reason == carbonv1alpha1.ReasonCredentialsRefused {
			longest = minBackoff // somebody may be about to mend the Secret
		}
		pause := min(longest, minBackoff<<min(last.failures, 10)) // doubled each time
		next.next = now.Add(max(pause, retryAfterOf(err)) + spread(region, pause/10))
	}
	reason := ""
	if next.problem != nil {
		reason = next.problem.reason
	}
	metrics.SourcePolled(region.Name, source.Name(), reason, now)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.polls == nil {
		p.polls = map[pollKey]*poll{}
	}
	p.polls[key] = &next
	return next
}

// remembered is the last poll of this source. After a restart it is what status remembers, so that
// the source is not asked again before it has news, or before the time that it asked for.
func (p *poller) remembered(key pollKey, of asked, region *carbonv1alpha1.GridRegion, source forecast.Source) poll {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := p.polls[key]; last != nil && last.of == of {
		return *last
	}
	status := region.Status
	if !isSame(region, key.place) {
		return poll{}
	}
	if failure := status.SourceFailure; failure != nil && key.place == 0 {
		return poll{of: of, next: failure.RetryAt.Time, failures: int(failure.Attempts), problem: &sourceProblem{failure.Reason, failure.Message}}
	}
	fresh := findCondition(status.Conditions, carbonv1alpha1.RegionFresh)
	fallbackSpoke := fresh != nil && fresh.Reason == carbonv1alpha1.ReasonFallbackInUse
	if (key.place > 0) != fallbackSpoke || !isFreshFrom(&status, source.Name()) {
		return poll{}
	}
	fetched := status.Forecast.FetchedAt.Time
	trace := traceOf(&status)
	return poll{of: of, trace: trace, fetchedAt: fetched, next: newsAt(region, source, trace, fetched)}
}

// isFreshFrom says whether the named source gave the forecast in status and has not failed since.
func isFreshFrom(status *carbonv1alpha1.GridRegionStatus, name string) bool {
	return status.Forecast != nil && status.Forecast.Source == name &&
		status.Intensity != nil && status.Intensity.Quality == carbonv1alpha1.QualityForecast
}

// newsAt is when a source should have more to tell than what it said at the given time: in its own rhythm,
// or when that ends.
func newsAt(region *carbonv1alpha1.GridRegion, source forecast.Source, told forecast.Trace, at time.Time) time.Time {
	next := at.Add(source.Cadence() + spread(region, source.Cadence()/10))
	if end := told.Forecast.End(); end.Before(next) {
		return end
	}
	return next
}

// forget drops what was heard for a region that is gone.
func (p *poller) forget(region string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key := range p.polls {
		if key.region == region {
			delete(p.polls, key)
		}
	}
}

// traceOf puts the series in status together again.
func traceOf(status *carbonv1alpha1.GridRegionStatus) forecast.Trace {
	ahead := seriesOf(&status.Forecast.SeriesStatus)
	if status.Recent == nil {
		return forecast.Trace{Forecast: ahead}
	}
	past := pastOf(status.Recent)
	if past.Step != ahead.Step || !past.End().Equal(ahead.Start) {
		return forecast.Trace{Forecast: ahead}
	}
	trace := forecast.Trace{Forecast: forecast.Series{Start: past.Start, Step: past.Step, Grams: append(past.Grams, ahead.Grams...)}}
	trace.Actual, trace.Estimated = past.Of(forecast.Actual), past.Of(forecast.Estimated)
	return trace
}

// spread is a pause from 0 to width that is always the same for a region, so that not all regions
// ask at the same second.
func spread(region *carbonv1alpha1.GridRegion, width time.Duration) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(region.UID)) // it never fails
	return (width * time.Duration(h.Sum32()%1000) / 1000).Truncate(time.Second)
}

func problemOf(source forecast.Source, err error) *sourceProblem {
	reason := carbonv1alpha1.ReasonSourceUnavailable
	if failure, ok := errors.AsType[*forecast.SourceError](err); ok && failure.Malformed {
		reason = carbonv1alpha1.ReasonMalformedAnswer
	} else if ok && failure.Refused {
		reason = carbonv1alpha1.ReasonCredentialsRefused
	}
	return &sourceProblem{reason, fmt.Sprintf("%s: %v", source.Name(), err)}
}

func retryAfterOf(err error) time.Duration {
	if failure, ok := errors.AsType[*forecast.SourceError](err); ok {
		return failure.RetryAfter
	}
	return 0
}
