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
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// The letters of RecentStatus.Qualities.
var (
	qualityLetters = map[forecast.Quality]byte{forecast.Actual: 'A', forecast.Estimated: 'E', forecast.Forecast: 'F'}
	letterQuality  = map[rune]forecast.Quality{'A': forecast.Actual, 'E': forecast.Estimated, 'F': forecast.Forecast}
)

// recentStatus is the past as it stands in status.
func recentStatus(past forecast.Past) *carbonv1alpha1.RecentStatus {
	var letters strings.Builder
	for _, q := range past.Qualities {
		letters.WriteByte(qualityLetters[q])
	}
	status := &carbonv1alpha1.RecentStatus{SeriesStatus: statusOf(past.Series), Qualities: letters.String()}
	if until := past.ActualUntil(); !until.IsZero() {
		t := metav1.NewTime(until)
		status.ActualUntil = &t
	}
	return status
}

// pastOf is the past that stands in status. A value without a letter counts as forecast.
func pastOf(status *carbonv1alpha1.RecentStatus) forecast.Past {
	past := forecast.Past{Series: seriesOf(&status.SeriesStatus)}
	for _, letter := range status.Qualities[:min(len(status.Qualities), len(past.Grams))] {
		past.Qualities = append(past.Qualities, letterQuality[letter])
	}
	return past
}
