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
	"math"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/controller"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// choice is what a region offers a job that may wait so long: a line of a plan, for people and programs.
type choice struct {
	Job       string `json:"job"`
	Namespace string `json:"namespace,omitempty"`
	MaxDelay  string `json:"maxDelay"`
	// Own says whether it is the delay that the job itself has.
	Own    bool       `json:"own"`
	Region string     `json:"region"`
	Start  *time.Time `json:"start"`
	// GramsPerKWh is the mean expected over the run, NowGramsPerKWh that of an immediate start at home;
	// Grams and NowGrams are what the run would emit. Nothing where it is not known.
	GramsPerKWh    *float64 `json:"gramsPerKWh"`
	NowGramsPerKWh *float64 `json:"nowGramsPerKWh"`
	Grams          *float64 `json:"grams"`
	NowGrams       *float64 `json:"nowGrams"`
	// Model that would be used, by the intensity that is expected at the start; empty where none is known.
	Model string `json:"model,omitempty"`
	// Chosen says whether the operator would choose it among those of its delay; Excluded, why it cannot.
	Chosen   bool   `json:"chosen"`
	Excluded string `json:"excluded,omitempty"`
}

var choiceColumns = []string{
	"job", "namespace", "max_delay", "own", "region", "start", "grams_per_kwh", "now_grams_per_kwh", "grams", "now_grams", "model", "chosen", "excluded",
}

func (c choice) cells() []string {
	return []string{
		c.Job, c.Namespace, c.MaxDelay, strconv.FormatBool(c.Own), c.Region, timeCell(c.Start), cell(c.GramsPerKWh), cell(c.NowGramsPerKWh),
		cell(c.Grams), cell(c.NowGrams), c.Model, strconv.FormatBool(c.Chosen), c.Excluded,
	}
}

// choicesOf are the greenest windows of every region for several delays and the job's own.
func choicesOf(job *carbonv1alpha1.CarbonAwareJob, regions []carbonv1alpha1.GridRegion, now time.Time) ([]choice, error) {
	own := maxDelayOf(job)
	waits := append(slices.Clone(delays), own)
	slices.Sort(waits)
	choices := []choice{}
	for _, delay := range slices.Compact(waits) {
		other := job.DeepCopy()
		other.Spec.MaxDelay = &metav1.Duration{Duration: delay}
		plan, err := controller.Preview(other, regions, now)
		if err != nil {
			return nil, err //nolint:wrapcheck // the caller names the job
		}
		for _, candidate := range plan.Candidates {
			c := choiceOf(job, regions, plan, candidate)
			c.Job, c.Namespace, c.MaxDelay, c.Own = nameOf(job), job.Namespace, shortSpan(delay), delay == own
			choices = append(choices, c)
		}
	}
	return choices, nil
}

func choiceOf(job *carbonv1alpha1.CarbonAwareJob, regions []carbonv1alpha1.GridRegion, plan policy.Plan, candidate policy.Candidate) choice {
	start, grams := candidate.Start, candidate.Grams
	chosen := candidate.Region == plan.Region
	if chosen { // the start that was chosen, which is now when waiting is not worth it
		start, grams = plan.Start, plan.Grams
	}
	run, err := controller.PreviewRun(job, regions, candidate.Region, start)
	if err != nil { // writeOutcome says why
		run.KWh, run.RequestedKWh = math.NaN(), math.NaN()
	}
	c := choice{
		Region: candidate.Region, Chosen: chosen, Excluded: candidate.Excluded, NowGramsPerKWh: known(plan.NowGrams),
		GramsPerKWh: known(grams), Grams: known(run.KWh * grams), NowGrams: known(run.RequestedKWh * plan.NowGrams),
	}
	if !start.IsZero() {
		start = start.UTC()
		c.Start, c.Model = &start, run.Model
	}
	return c
}

// writeChoices writes the choices of every job, for programs.
func writeChoices(out *bytes.Buffer, jobs []*carbonv1alpha1.CarbonAwareJob, regions []carbonv1alpha1.GridRegion, now time.Time, format string) error {
	all := []choice{}
	for _, job := range jobs {
		choices, err := choicesOf(job, regions, now)
		if err != nil {
			return err
		}
		all = append(all, choices...)
	}
	return writeRecords(out, format, choiceColumns, all)
}
