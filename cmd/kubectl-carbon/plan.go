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
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/controller"
	"github.com/ecotracker-dev/ecotracker-operator/internal/terminal"
)

type planOptions struct {
	file   string
	traces []string
	at     string
	chart  string
	format string
}

func newPlan(where *cluster) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan -f FILE",
		Short: "Show when and where jobs would start, before they are applied",
		Long: `Plans the CarbonAwareJobs of a file the way the operator would if they were applied now, against the
GridRegions of the cluster, or without a cluster against tables of intensities (--trace). Shows the
start, the saving, and what other delays and regions would give. Nothing is created.`,
		Example: `  kubectl carbon plan -f job.yaml
  kubectl carbon plan -f job.yaml --trace gb=gb.csv --trace de=de.csv --at 2026-02-14T08:00:00Z`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runPlan(cmd, where, o) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.file, "filename", "f", "", "file with CarbonAwareJobs; - for standard input")
	flags.StringArrayVar(&o.traces, "trace", nil, "intensities of a region as NAME=FILE, or FILE for the job's first region; instead of the cluster's. "+
		"A CSV table with the columns from, to and intensity_forecast (gCO2e/kWh)")
	flags.StringVar(&o.at, "at", "", "plan as if it were this time (RFC 3339); only with --trace, where it is the trace's first slot unless the trace covers now")
	addChartFlag(cmd, &o.chart)
	addFormatFlag(cmd, &o.format, "table (and a chart, on a terminal)")
	if err := cmd.MarkFlagRequired("filename"); err != nil {
		panic(err) // the flag does not exist
	}
	return cmd
}

func runPlan(cmd *cobra.Command, where *cluster, o planOptions) error {
	screen, err := where.screen(cmd.OutOrStdout(), o.chart)
	if err != nil {
		return err
	}
	screen.Wide = o.format == formatWide
	if err := checkFormat(o.format); err != nil {
		return err
	}
	jobs, err := readJobs(o.file, cmd.InOrStdin())
	if err != nil {
		return err
	}
	regions, now, err := o.regions(cmd, where, jobs)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if isForPeople(o.format) {
		err = writePlans(&out, jobs, regions, now, screen)
	} else {
		err = writeChoices(&out, jobs, regions, now, o.format)
	}
	if err != nil {
		return err
	}
	return printOut(cmd, &out)
}

// regions to plan with, and the time to plan at.
func (o *planOptions) regions(cmd *cobra.Command, where *cluster, jobs []*carbonv1alpha1.CarbonAwareJob) ([]carbonv1alpha1.GridRegion, time.Time, error) {
	now := where.clock.Now()
	if len(o.traces) == 0 {
		if o.at != "" {
			return nil, now, errors.New("--at needs --trace: the regions of the cluster know the present only")
		}
		regions, err := listRegions(cmd.Context(), where)
		return regions, now, err
	}
	at := time.Time{}
	if o.at != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, o.at); err != nil {
			return nil, now, fmt.Errorf("--at: %q is not a time such as 2026-02-14T08:00:00Z", o.at)
		}
	}
	return readTraces(o.traces, jobs, at, now)
}

// delays that are compared with the job's own.
var delays = []time.Duration{time.Hour, 4 * time.Hour, 12 * time.Hour, 24 * time.Hour}

func writePlans(out *bytes.Buffer, jobs []*carbonv1alpha1.CarbonAwareJob, regions []carbonv1alpha1.GridRegion, now time.Time, screen terminal.Screen) error {
	for i, job := range jobs {
		if i > 0 {
			fmt.Fprintln(out)
		}
		if err := writePlan(out, job, regions, now, screen); err != nil {
			return fmt.Errorf("%s: %w", nameOf(job), err)
		}
	}
	return nil
}

func writePlan(out *bytes.Buffer, job *carbonv1alpha1.CarbonAwareJob, regions []carbonv1alpha1.GridRegion, now time.Time, screen terminal.Screen) error {
	plan, err := controller.Preview(job, regions, now)
	if err != nil {
		return err //nolint:wrapcheck // the caller names the job
	}
	say(out, screen, "%s %s.", nameOf(job), plan.Message())
	writeOutcome(out, job, plan, regions, screen)
	if err := writePlanChart(out, job, plan, regions, now, screen); err != nil {
		return err
	}
	choices, err := choicesOf(job, regions, now)
	if err != nil {
		return err
	}
	fmt.Fprintln(out)
	return alternatives(choices, now, screen.Wide).WriteFitting(out, screen.Limit()) //nolint:wrapcheck // it says what it could not write
}
