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

package report

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var (
	models  = []string{"gpt-4o", "gpt-4o-mini", "claude-haiku-4-5", "llama-3.1-70b"}
	regions = []string{"gb", "de", "fr"}
)

// seed makes so many finished jobs of the last 30 days, spread over the namespaces.
func seed(tb testing.TB, namespaces []string, count int) {
	tb.Helper()
	for _, name := range namespaces {
		check(tb, client.IgnoreAlreadyExists(api.Create(tb.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})))
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < count && !tb.Failed(); i = int(next.Add(1)) - 1 {
				if err := create(tb.Context(), finished(i, namespaces)); err != nil {
					tb.Errorf("job %d: %v", i, err)
				}
			}
		})
	}
	all.Wait()
	if tb.Failed() {
		tb.FailNow()
	}
}

// create makes a job with its status.
func create(ctx context.Context, caj *carbonv1alpha1.CarbonAwareJob) error {
	status := caj.Status
	if err := api.Create(ctx, caj); err != nil {
		return err
	}
	before := caj.DeepCopy()
	caj.Status = status
	return api.Status().Patch(ctx, caj, client.MergeFrom(before))
}

// finished is the i-th job: with all that a job has after its life, and a record that adds up.
func finished(i int, namespaces []string) *carbonv1alpha1.CarbonAwareJob {
	r := rand.New(rand.NewPCG(20261124, uint64(i))) // the same jobs every time
	model := models[r.IntN(len(models))]
	caj := build.CarbonAwareJob(fmt.Sprintf("job-%06d", i), namespaces[i%len(namespaces)]).
		Regions(regions...).MaxDelay(4*time.Hour).Duration(30*time.Minute).KWh("1.2").
		Model("OPENAI_MODEL", "gpt-4o", "gpt-4o-mini", 300).Env("OPENAI_MODEL", "gpt-4o").Env("DATASET", "s3://evaluations/nightly").Obj()
	submitted := time.Now().Truncate(time.Second).Add(-time.Duration(r.IntN(29*24*60)+360) * time.Minute)
	start := submitted.Add(time.Duration(r.IntN(240)) * time.Minute)
	end := start.Add(time.Duration(10+r.IntN(90)) * time.Minute)
	region := regions[r.IntN(len(regions))]
	at := metav1.NewTime
	startTime, endTime := at(start), at(end)
	caj.Status = carbonv1alpha1.CarbonAwareJobStatus{
		ObservedGeneration: 1,
		Plan: &carbonv1alpha1.PlanStatus{
			Region: region, Start: startTime, LatestStart: at(submitted.Add(4 * time.Hour)), WindowStart: &startTime, WindowEnd: &endTime,
			GramsPerKWh: "123.4", BaselineGramsPerKWh: "234.5", Signal: "Average", Quality: "Forecast", Reason: "GreenestWindow",
			Message: "waits 2h for 123 g/kWh, 47 % below now", DecidedAt: at(submitted),
		},
		Model: &carbonv1alpha1.ModelStatus{Requested: "gpt-4o", Effective: model},
		Job: &carbonv1alpha1.JobStatus{
			Name: caj.Name, UID: uuid.NewUUID(), Region: region, StartTime: &startTime, CompletionTime: &endTime,
			Runs: []carbonv1alpha1.RunInterval{{Start: startTime, End: &endTime}},
		},
		Emissions: record(r, &endTime),
	}
	for _, name := range regions {
		caj.Status.Plan.Candidates = append(caj.Status.Plan.Candidates,
			carbonv1alpha1.CandidateStatus{Region: name, Start: &startTime, GramsPerKWh: "123.4", Quality: "Forecast"})
	}
	if i%20 == 0 {
		caj.Status.Emissions.FinalAt = nil
	}
	for conditionType, reason := range map[string]string{
		"Ready": "Completed", "Planned": "Planned", "Started": "Started", "Downgraded": "GreenEnough",
		"WithinBudget": "Settled", "EmissionsRecorded": "Final", "Complete": "Completed", "EnergyKnown": "Declared",
	} {
		caj.Status.Conditions = append(caj.Status.Conditions, metav1.Condition{
			Type: conditionType, Status: metav1.ConditionTrue, Reason: reason, ObservedGeneration: 1,
			LastTransitionTime: endTime, Message: "what the operator has to say of it",
		})
	}
	return caj
}

func record(r *rand.Rand, end *metav1.Time) *carbonv1alpha1.EmissionsStatus {
	in := estimate.Input{
		RequestedKWh: 0.2 + 3*r.Float64(), HomeAtSubmission: 100 + 200*r.Float64(), HomeAtRun: 100 + 150*r.Float64(), ChosenAtRun: 50 + 150*r.Float64(),
	}
	in.EffectiveKWh = in.RequestedKWh * (0.25 + 0.75*r.Float64())
	e, err := estimate.Account(in)
	if err != nil {
		panic(err)
	}
	grams := func(n estimate.Nanograms) carbonv1alpha1.Decimal { return carbonv1alpha1.Decimal(n.String()) }
	number := func(v float64, digits int) carbonv1alpha1.Decimal {
		return carbonv1alpha1.Decimal(estimate.Decimal(v, digits))
	}
	return &carbonv1alpha1.EmissionsStatus{
		EnergyKWh: number(in.EffectiveKWh, 9), BaselineGrams: grams(e.Baseline), ActualGrams: grams(e.Actual), AvoidedGrams: grams(e.Avoided),
		AvoidedBy: carbonv1alpha1.AvoidedBy{Time: grams(e.ByTime), Region: grams(e.ByRegion), Model: grams(e.ByModel)},
		Intensity: carbonv1alpha1.EmissionsIntensity{
			HomeAtSubmission: number(in.HomeAtSubmission, 3), HomeAtRun: number(in.HomeAtRun, 3), ChosenAtRun: number(in.ChosenAtRun, 3), Signal: "Average",
		},
		Method: "Declared", Quality: carbonv1alpha1.QualityActual, FinalAt: end,
	}
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
