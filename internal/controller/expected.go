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
	"time"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// worldMeanGrams is the carbon intensity of the world's electricity mix in gCO2e/kWh, as EcoLogits 0.11
// (https://ecologits.ai) publishes it for the zone WOR: the price of a region of which nothing is known.
const worldMeanGrams = 473.01

// expectedGrams is what a run is expected to emit that starts in the region at the given time, with
// the given model: the energy of one whole run of spec.expectedDuration, at the mean intensity of that
// time. Where no forecast reaches, the region's mean day counts, then its mean of a year, then the
// world's, so that an unknown intensity never makes a run free of charge. False when the energy is
// unknown: then nothing can be said, and it is not 0.
func expectedGrams(caj *carbonv1alpha1.CarbonAwareJob, region regionFacts, model string, start time.Time, models modelFacts) (estimate.Nanograms, bool) {
	duration := durationOr(caj.Spec.ExpectedDuration, defaultExpectedDuration)
	energy, problem := wholeRun(caj, model, duration, models)
	if problem != nil {
		return 0, false
	}
	layers := append(region.layersAt(start), region.lastResort(start)...)
	layers = append(layers, worldMean(start, start.Add(duration)))
	grams, _, known := forecast.MeanLayers(start, start.Add(duration), layers...)
	if !known {
		return 0, false
	}
	expected, err := estimate.GramsToNano(energy.kWh.Mean() * grams)
	return expected, err == nil
}

// worldMean is the world's mean, at least from one time to another.
func worldMean(from, to time.Time) forecast.Layer {
	series := forecast.Constant(worldMeanGrams, from.Truncate(time.Second), to.Add(2*time.Second).Truncate(time.Second))
	return forecast.Layer{Series: series, Quality: forecast.AnnualMean}
}

// expectedGrams is what the run is expected to emit as it is planned, with the model that the job asks
// for; see the function of the same name. False when there is no plan or the energy is unknown.
func (s *scope) expectedGrams() (estimate.Nanograms, bool) {
	plan := s.caj.Status.Plan
	if plan == nil {
		return 0, false
	}
	requested := requestedModel(s.caj.Spec.LLM, templateOf(s.caj))
	return expectedGrams(s.caj, s.region(plan.Region), requested, plan.Start.Time, s.models)
}
