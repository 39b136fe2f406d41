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
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// Preview is the plan that the reconciler would make for the job if it were created at the given
// time with these regions: the same facts, translated by the same code, and the same policy. Regions
// that the job names and that are not among them do not exist. The phase by which jobs of the same
// slot are spread follows from the UID, which only a created job has: the plan is without it. An
// error says what in the spec makes a start impossible.
func Preview(caj *carbonv1alpha1.CarbonAwareJob, regions []carbonv1alpha1.GridRegion, now time.Time) (policy.Plan, error) {
	job := caj.DeepCopy()
	job.CreationTimestamp = metav1.NewTime(now)
	job.Spec.Jitter = &metav1.Duration{}
	s := &scope{caj: job, now: now}
	for _, name := range previewRegions(caj.Spec.Regions, regions) {
		i := slices.IndexFunc(regions, func(r carbonv1alpha1.GridRegion) bool { return r.Name == name })
		facts := regionFacts{name: name}
		if i >= 0 {
			facts.object = &regions[i]
		}
		s.regions = append(s.regions, facts)
	}
	if len(s.regions) == 0 {
		return policy.Plan{}, errors.New("spec.regions is empty and no GridRegion is annotated as the default one: name a region")
	}
	if blocked := s.checkTemplate(); blocked != nil {
		return policy.Plan{}, fmt.Errorf("%s: %s", blocked.planned, blocked.message)
	}
	if conflict := meterConflict(caj, "the operator's"); conflict != "" {
		return policy.Plan{}, fmt.Errorf("%s: %s", carbonv1alpha1.ReasonMeterConflict, conflict)
	}
	return policy.Choose(s.request(anyNumber)), nil
}

// previewRegions are the names of the job's regions: those that it names, else the default one.
func previewRegions(named []string, regions []carbonv1alpha1.GridRegion) []string {
	if len(named) > 0 {
		return named
	}
	var defaults []string
	for i := range regions {
		if isDefaultRegion(&regions[i]) {
			defaults = append(defaults, regions[i].Name)
		}
	}
	slices.Sort(defaults)
	return defaults[:min(1, len(defaults))]
}

// RegionEstimate is what is expected of the region's carbon intensity from now until a later time, the
// way jobs are planned by it.
func RegionEstimate(region *carbonv1alpha1.GridRegion, now, until time.Time) forecast.Estimate {
	return regionFacts{name: region.Name, object: region}.estimateAt(now, until)
}

// TraceRegion is a GridRegion with the given forecast, for previews without a cluster.
func TraceRegion(name string, series forecast.Series) carbonv1alpha1.GridRegion {
	region := carbonv1alpha1.GridRegion{ObjectMeta: metav1.ObjectMeta{Name: name}}
	region.Status.Forecast = &carbonv1alpha1.ForecastStatus{SeriesStatus: statusOf(series)}
	region.Status.Intensity = &carbonv1alpha1.IntensityStatus{Quality: carbonv1alpha1.QualityForecast, Source: "trace"}
	return region
}

// PreviewedRun is how a run would be, as far as that is known before it.
type PreviewedRun struct {
	// Requested is the model asked for, Model the one that would be used; empty where none is known.
	Requested, Model string
	// Why the model is that one, in words; empty without spec.llm.downgrade.
	Why string
	// KWh of one whole run with Model, RequestedKWh with Requested; Text says in words how KWh is known.
	KWh, RequestedKWh float64
	Text              string
}

// Downgraded says whether a cheaper model than the one asked for would be used.
func (r PreviewedRun) Downgraded() bool { return r.Model != r.Requested }

// PreviewRun is how a run would be that starts at the given time in the named region: its model by the
// intensity that is expected then, as at a start, and its energy by the built-in table of models. An error
// says why the energy is unknown; the model is told all the same.
func PreviewRun(caj *carbonv1alpha1.CarbonAwareJob, regions []carbonv1alpha1.GridRegion, region string, start time.Time) (PreviewedRun, error) {
	facts := regionFacts{name: region}
	if i := slices.IndexFunc(regions, func(r carbonv1alpha1.GridRegion) bool { return r.Name == region }); i >= 0 {
		facts.object = &regions[i]
	}
	decided := decideStart(caj, facts, start)
	run := PreviewedRun{Requested: decided.RequestedModel, Model: decided.Model, Why: decided.DowngradeMessage}
	models := modelFacts{catalog: estimate.BuiltIn(), method: estimate.EcoLogits011}
	duration := durationOr(caj.Spec.ExpectedDuration, defaultExpectedDuration)
	energy, problem := wholeRun(caj, run.Requested, duration, models)
	if problem == nil {
		run.RequestedKWh = energy.kWh.Mean()
		energy, problem = wholeRun(caj, run.Model, duration, models)
	}
	if problem != nil {
		return run, errors.New(problem.message)
	}
	run.KWh, run.Text = energy.kWh.Mean(), energy.text
	return run, nil
}
