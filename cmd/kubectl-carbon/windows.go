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
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// greenestWindows are the greenest windows of the given length that do not overlap, at most count,
// the greenest first.
func greenestWindows(series forecast.Series, from time.Time, length time.Duration, count int) []forecast.Window {
	type span struct{ from, to time.Time } // of whole windows
	spans := []span{{from, series.End()}}
	var windows []forecast.Window
	for len(windows) < count {
		best, at := forecast.Window{Grams: math.Inf(1)}, -1
		for i, s := range spans {
			w, ok := series.Greenest(forecast.Search{Earliest: s.from, Latest: s.to.Add(-length), Duration: length})
			if ok && !s.to.Add(-length).Before(s.from) && w.Grams < best.Grams {
				best, at = w, i
			}
		}
		if at < 0 {
			break
		}
		windows = append(windows, best)
		rest := span{best.End, spans[at].to}
		spans[at].to = best.Start
		spans = slices.Insert(spans, at+1, rest)
	}
	return windows
}

// markWindows says for every slot whether one of the windows touches it.
func markWindows(series forecast.Series, windows []forecast.Window) []bool {
	marked := make([]bool, len(series.Grams))
	for i := range marked {
		start := series.Start.Add(time.Duration(i) * series.Step)
		marked[i] = slices.ContainsFunc(windows, func(w forecast.Window) bool {
			return start.Before(w.End) && start.Add(series.Step).After(w.Start)
		})
	}
	return marked
}

// when writes a time of the next days: "Tue 24 13:30".
func when(t time.Time) string { return t.UTC().Format("Mon 2 15:04") }

// against compares an intensity with another: "-43 %".
func against(grams, other float64) string {
	if other <= 0 || math.IsNaN(grams) || math.IsNaN(other) {
		return "-"
	}
	text := fmt.Sprintf("%+.0f %%", 100*(grams/other-1))
	if text == "-0 %" || text == "+0 %" {
		return "0 %"
	}
	return text
}

func shortSpan(d time.Duration) string { return policy.ShortDuration(d) }

func describeQuality(q forecast.Quality) string {
	return cmp.Or(map[forecast.Quality]string{
		forecast.Stale:      "by the last forecast: its source does not answer",
		forecast.MeanDay:    "by the mean day of the last two weeks",
		forecast.AnnualMean: "by a constant",
	}[q], "forecast")
}

func regionNames(regions []carbonv1alpha1.GridRegion) []string {
	names := make([]string, 0, len(regions))
	for i := range regions {
		names = append(names, regions[i].Name)
	}
	return names
}
