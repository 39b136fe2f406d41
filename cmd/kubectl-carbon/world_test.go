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
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/controller"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
	"github.com/ecotracker-dev/ecotracker-operator/internal/terminal"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// noon is the present of the example cluster.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// example is a cluster with two regions, 200 finished jobs of the last 30 days, one that has just
// finished and one that waits. The documentation shows what the commands print of it.
func example() []client.Object {
	objects := []client.Object{
		regionWith("gb", 210, 75, 0.3, true), regionWith("de", 290, 150, -1.4, false), constant("eu-north", 185),
		nightlyEval(), waiting(),
	}
	objects = append(objects, nightlyEvents()...)
	r := rand.New(rand.NewPCG(20261124, 1))
	for i := range 200 {
		objects = append(objects, pastJob(r, i))
	}
	return objects
}

// day is an intensity that is low around 03:00, and at noon where the sun shines.
func day(t time.Time, mean, swing, noonDip float64) float64 {
	hour := t.Sub(t.Truncate(24 * time.Hour)).Hours()
	wave := -math.Cos((hour-3)/24*2*math.Pi) - 0.35*math.Cos((hour-7)/12*2*math.Pi)
	fromNoon := (hour - 12.5) / 2.2
	dip := noonDip * math.Exp(-fromNoon*fromNoon)
	drift := 18 * math.Sin(float64(t.Unix())/86400/2.3)
	return math.Round(max(20, mean+swing*(0.8*wave+0.6*dip)+drift))
}

func regionWith(name string, mean, swing, noonDip float64, isDefault bool) *carbonv1alpha1.GridRegion {
	series := forecast.Series{Start: noon, Step: 30 * time.Minute}
	for i := range 96 {
		series.Grams = append(series.Grams, day(noon.Add(time.Duration(i)*series.Step), mean, swing, noonDip))
	}
	region := controller.TraceRegion(name, series)
	if isDefault {
		region.Annotations = map[string]string{carbonv1alpha1.AnnotationDefaultRegion: "true"}
	}
	return &region
}

func constant(name string, grams int64) *carbonv1alpha1.GridRegion {
	region := &carbonv1alpha1.GridRegion{ObjectMeta: metav1.ObjectMeta{Name: name}}
	region.Spec.Source.Static = &carbonv1alpha1.StaticSource{GramsPerKWh: *resource.NewQuantity(grams, resource.DecimalSI)}
	return region
}

var (
	exampleNamespaces = []string{"nlp", "search", "vision"}
	exampleModels     = []string{"gpt-4o", "gpt-4o-mini", "claude-haiku-4-5", "llama-3.1-70b"}
	exampleRegions    = []string{"gb", "de", "fr"}
)

// pastJob is a job that finished in the last 30 days, with a record that adds up.
func pastJob(r *rand.Rand, i int) *carbonv1alpha1.CarbonAwareJob {
	caj := build.CarbonAwareJob(fmt.Sprintf("job-%03d", i), exampleNamespaces[r.IntN(3)]).Regions("gb", "de", "fr").Obj()
	submitted := noon.Add(-time.Duration(r.IntN(29*24*60)+360) * time.Minute)
	start := submitted.Add(time.Duration(r.IntN(240)) * time.Minute)
	end := metav1.NewTime(start.Add(time.Duration(10+r.IntN(90)) * time.Minute))
	home, later := day(submitted, 210, 75, 0.3), day(start, 195, 75, 0.3)
	region, chosen := exampleRegions[min(2, r.IntN(5))], later
	if region != "gb" {
		chosen = later * (0.35 + 0.6*r.Float64())
	}
	in := estimate.Input{RequestedKWh: 0.2 + 3*r.Float64(), HomeAtSubmission: home, HomeAtRun: later, ChosenAtRun: chosen}
	in.EffectiveKWh = in.RequestedKWh
	model := exampleModels[r.IntN(4)]
	if model == "gpt-4o-mini" {
		in.EffectiveKWh *= 0.25
	}
	caj.Status = recorded(in, end)
	caj.Status.Model = &carbonv1alpha1.ModelStatus{Requested: model, Effective: model}
	caj.Status.Job = &carbonv1alpha1.JobStatus{Name: caj.Name, UID: "u", Region: region, CompletionTime: &end}
	if noon.Sub(end.Time) < 18*time.Hour {
		caj.Status.Emissions.FinalAt = nil
	}
	return caj
}

func recorded(in estimate.Input, end metav1.Time) carbonv1alpha1.CarbonAwareJobStatus {
	e, err := estimate.Account(in)
	if err != nil {
		panic(err)
	}
	grams := func(n estimate.Nanograms) carbonv1alpha1.Decimal { return carbonv1alpha1.Decimal(n.String()) }
	number := func(v float64, digits int) carbonv1alpha1.Decimal {
		return carbonv1alpha1.Decimal(estimate.Decimal(v, digits))
	}
	return carbonv1alpha1.CarbonAwareJobStatus{
		Conditions: []metav1.Condition{
			{Type: carbonv1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: carbonv1alpha1.ReasonCompleted, Message: "the Job completed", LastTransitionTime: end},
			{Type: carbonv1alpha1.ConditionComplete, Status: metav1.ConditionTrue, Reason: carbonv1alpha1.ReasonCompleted, LastTransitionTime: end},
		},
		Emissions: &carbonv1alpha1.EmissionsStatus{
			EnergyKWh: number(in.EffectiveKWh, 9), BaselineGrams: grams(e.Baseline), ActualGrams: grams(e.Actual), AvoidedGrams: grams(e.Avoided),
			AvoidedBy: carbonv1alpha1.AvoidedBy{Time: grams(e.ByTime), Region: grams(e.ByRegion), Model: grams(e.ByModel)},
			Intensity: carbonv1alpha1.EmissionsIntensity{
				HomeAtSubmission: number(in.HomeAtSubmission, 3), HomeAtRun: number(in.HomeAtRun, 3), ChosenAtRun: number(in.ChosenAtRun, 3),
			},
			Method: "Declared", Quality: carbonv1alpha1.QualityActual, FinalAt: &end,
		},
	}
}

func at(hour, minute, second int) metav1.Time {
	return metav1.NewTime(time.Date(2026, 11, 24, hour, minute, second, 0, time.UTC))
}

// nightlyEval has just finished in another region with a cheaper model.
func nightlyEval() *carbonv1alpha1.CarbonAwareJob {
	caj := build.CarbonAwareJob("nightly-eval", "nlp").Regions("gb", "de").MaxDelay(4*time.Hour).
		Model("OPENAI_MODEL", "gpt-4o", "gpt-4o-mini", 100).Obj()
	caj.Spec.LLM.Workload = &carbonv1alpha1.WorkloadSpec{Calls: 2000, OutputTokensPerCall: 400}
	caj.UID, caj.CreationTimestamp = "nightly", at(7, 30, 0)
	start, end, candidate := at(11, 0, 12), at(11, 31, 40), at(11, 30, 0)
	in := estimate.Input{RequestedKWh: 1.2, EffectiveKWh: 0.3, HomeAtSubmission: 265, HomeAtRun: 236, ChosenAtRun: 143.5}
	caj.Status = recorded(in, end)
	final := at(11, 45, 0)
	caj.Status.Emissions.FinalAt = &final
	caj.Status.Conditions = append(caj.Status.Conditions, metav1.Condition{
		Type: carbonv1alpha1.ConditionDowngraded, Status: metav1.ConditionTrue, Reason: carbonv1alpha1.ReasonDirtyGrid,
		Message: "gpt-4o-mini instead of gpt-4o: 146 g/kWh is above 100 g/kWh",
	})
	caj.Status.Plan = &carbonv1alpha1.PlanStatus{
		Region: "de", Start: at(11, 0, 11), LatestStart: at(11, 30, 0), GramsPerKWh: "145", BaselineGramsPerKWh: "265",
		Quality: carbonv1alpha1.QualityForecast, Reason: "GreenestWindow", DecidedAt: at(7, 30, 1),
		Candidates: []carbonv1alpha1.CandidateStatus{{Region: "gb", Start: &candidate, GramsPerKWh: "233"}, {Region: "de", Start: &start, GramsPerKWh: "145"}},
	}
	caj.Status.Model = &carbonv1alpha1.ModelStatus{Requested: "gpt-4o", Effective: "gpt-4o-mini"}
	caj.Status.Job = &carbonv1alpha1.JobStatus{
		Name: "nightly-eval", UID: "j", Region: "de", StartTime: &start, CompletionTime: &end,
		Runs: []carbonv1alpha1.RunInterval{{Start: start, End: &end}},
	}
	return caj
}

func nightlyEvents() []client.Object {
	var events []client.Object
	for i, e := range []struct {
		at           metav1.Time
		reason, note string
	}{
		{at(7, 30, 1), "Planned", "start 2026-11-24 11:00:11 UTC: waits 3h30m for 145 g/kWh in de, 45 % below now"},
		{at(7, 30, 1), "Created", "created Job nightly-eval, suspended"},
		{at(11, 0, 12), "Downgraded", "gpt-4o-mini instead of gpt-4o: 146 g/kWh is above 100 g/kWh"},
		{at(11, 0, 12), "Started", "started Job nightly-eval in de at 146 g/kWh"},
		{at(11, 31, 41), "Completed", "the Job completed"},
	} {
		events = append(events, &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{Name: fmt.Sprintf("e%d", i), Namespace: "nlp"},
			InvolvedObject: corev1.ObjectReference{Kind: "CarbonAwareJob", UID: "nightly", Name: "nightly-eval", Namespace: "nlp"},
			Reason:         e.reason, Message: e.note, EventTime: metav1.NewMicroTime(e.at.Time),
		})
	}
	return events
}

func waiting() *carbonv1alpha1.CarbonAwareJob {
	caj := build.CarbonAwareJob("embeddings", "search").Regions("gb").MaxDelay(16 * time.Hour).Obj()
	caj.UID, caj.CreationTimestamp = types.UID("waiting"), at(11, 50, 0)
	caj.Spec.Energy = &carbonv1alpha1.EnergySpec{Watts: new(resource.MustParse("700"))}
	start := metav1.NewTime(noon.Add(14 * time.Hour))
	caj.Status.Plan = &carbonv1alpha1.PlanStatus{
		Region: "gb", Start: start, LatestStart: metav1.NewTime(noon.Add(950 * time.Minute)), GramsPerKWh: "120",
		BaselineGramsPerKWh: "224", Reason: "GreenestWindow", DecidedAt: at(11, 50, 1),
	}
	caj.Status.Conditions = []metav1.Condition{{
		Type: carbonv1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: carbonv1alpha1.ReasonWaiting, Message: "starts at 2026-11-25 02:00:00 UTC",
	}}
	return caj
}

// listOf is the list of the jobs among the objects, as an API server would write it.
func listOf(objects []client.Object) jobList {
	return func(_ context.Context, namespace string) (io.ReadCloser, error) {
		list := carbonv1alpha1.CarbonAwareJobList{}
		for _, o := range objects {
			if caj, ok := o.(*carbonv1alpha1.CarbonAwareJob); ok && (namespace == "" || namespace == caj.Namespace) {
				list.Items = append(list.Items, *caj)
			}
		}
		data, err := json.Marshal(list)
		return io.NopCloser(bytes.NewReader(data)), err
	}
}

// run runs a command line against a cluster with the given objects, on a screen of the given width
// (0: output is piped).
func run(t *testing.T, width int, objects []client.Object, args ...string) (string, error) {
	t.Helper()
	where := newCluster()
	where.clock = testclock.NewFakePassiveClock(noon)
	where.screen = func(_ io.Writer, mode string) (terminal.Screen, error) {
		s, err := terminal.ScreenOf(io.Discard, mode, func(string) string { return fmt.Sprint(width) })
		s.Charts = s.Charts || width > 0
		return s, err
	}
	where.connect = func(_ *rest.Config, o client.Options) (client.Client, error) {
		return fake.NewClientBuilder().WithScheme(o.Scheme).WithObjects(objects...).
			WithIndex(&corev1.Event{}, "involvedObject.uid", func(e client.Object) []string {
				return []string{string(e.(*corev1.Event).InvolvedObject.UID)}
			}).WithIndex(&corev1.Event{}, "involvedObject.kind", func(e client.Object) []string {
			return []string{e.(*corev1.Event).InvolvedObject.Kind}
		}).WithIndex(&corev1.Event{}, "involvedObject.name", func(e client.Object) []string {
			return []string{e.(*corev1.Event).InvolvedObject.Name}
		}).Build(), nil
	}
	where.list = func(*rest.Config) (jobList, error) { return listOf(objects), nil }
	where.flags.KubeConfig = new(writeKubeconfig(t))
	var out bytes.Buffer
	root := newRoot(genericiooptions.IOStreams{In: &bytes.Buffer{}, Out: &out, ErrOut: io.Discard}, where)
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}
