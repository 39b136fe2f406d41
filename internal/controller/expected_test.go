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
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func builtIn() modelFacts {
	return modelFacts{catalog: estimate.BuiltIn(), method: estimate.EcoLogits011}
}

func staticRegion(grams string) regionFacts {
	return regionFacts{name: "gb", object: &carbonv1alpha1.GridRegion{Spec: carbonv1alpha1.GridRegionSpec{
		Source: carbonv1alpha1.IntensitySource{Static: &carbonv1alpha1.StaticSource{GramsPerKWh: resource.MustParse(grams)}},
	}}}
}

func forecastRegion(annualMean string, grams ...carbonv1alpha1.Decimal) regionFacts {
	r := regionFacts{name: "gb", object: &carbonv1alpha1.GridRegion{Spec: carbonv1alpha1.GridRegionSpec{AnnualMean: annualMean}}}
	r.object.Status.Forecast = &carbonv1alpha1.ForecastStatus{SeriesStatus: carbonv1alpha1.SeriesStatus{
		Start: metav1.NewTime(noon), StepSeconds: 1800, GramsPerKWh: grams,
	}}
	return r
}

func TestExpectedGrams(t *testing.T) {
	kWh := build.CarbonAwareJob("x", "n").Duration(time.Hour).KWh("2")
	watts := build.CarbonAwareJob("x", "n").Duration(2 * time.Hour).Watts("500")
	calls := build.CarbonAwareJob("x", "n").Model("M", "gpt-4o", "", 0).Workload(1000, 400)
	tests := []struct {
		name   string
		job    *build.Job
		region regionFacts
		model  string
		want   string
		known  bool
	}{
		{"declared, at a constant", kWh, staticRegion("100"), "", "200", true},
		{"power over the expected duration", watts, staticRegion("100"), "", "100", true},
		{"a workload with the model asked for", calls, staticRegion("200"), "gpt-4o", "166.974539077", true},
		{"a workload with the cheaper model", calls, staticRegion("200"), "gpt-4o-mini", "6.649690283", true},
		{"by the forecast of the time of the run", kWh, forecastRegion("", "100", "300"), "", "400", true},
		{"beyond the forecast by the mean of a year", kWh, forecastRegion("GBR", "100"), "", "311", true},
		{"no region at all by the mean of the world", kWh, regionFacts{}, "", "946.02", true},
		{"a region without a value by the mean of the world", kWh, forecastRegion(""), "", "946.02", true},
		{"no energy is not 0", build.CarbonAwareJob("x", "n"), staticRegion("100"), "", "0", false},
		{"an unknown model is not 0", calls, staticRegion("100"), "gpt-4.o", "0", false},
		{"no model is not 0", calls, staticRegion("100"), "", "0", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, known := expectedGrams(tt.job.Obj(), tt.region, tt.model, noon, builtIn())
			if got.String() != tt.want || known != tt.known {
				t.Errorf("got %s g (%t), want %s g", got, known, tt.want)
			}
		})
	}
}

func TestExpectedGramsOfAPlan(t *testing.T) {
	caj := build.CarbonAwareJob("x", "n").Model("M", "gpt-4o", "gpt-4o-mini", 0).Workload(1000, 400).Obj()
	s := &scope{caj: caj, regions: []regionFacts{staticRegion("200")}, models: builtIn()}
	if _, known := s.expectedGrams(); known {
		t.Error("there is no plan yet")
	}
	caj.Status.Plan = &carbonv1alpha1.PlanStatus{Region: "gb", Start: metav1.NewTime(noon)}
	if got, known := s.expectedGrams(); !known || got.String() != "166.974539077" {
		t.Errorf("got %s g (%t): the model asked for counts", got, known)
	}
}

func TestWantedPods(t *testing.T) {
	for _, tt := range []struct {
		spec batchv1.JobSpec
		want int32
	}{
		{batchv1.JobSpec{}, 1},
		{batchv1.JobSpec{Completions: new(int32(5)), Parallelism: new(int32(2))}, 5},
		{batchv1.JobSpec{Parallelism: new(int32(3))}, 3},
		{batchv1.JobSpec{Parallelism: new(int32(0))}, 1},
	} {
		if got := wantedPods(&tt.spec); got != tt.want {
			t.Errorf("%v: %d", tt.spec, got)
		}
	}
}
