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
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/controller"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
	"github.com/ecotracker-dev/ecotracker-operator/internal/terminal"
)

// writeOutcome says what the plan gives, in grams where the energy is known.
func writeOutcome(out *bytes.Buffer, job *carbonv1alpha1.CarbonAwareJob, plan policy.Plan, regions []carbonv1alpha1.GridRegion, screen terminal.Screen) {
	say(out, screen, "Start %s UTC in %s; latest start %s after it is applied.",
		when(plan.Start), cmp.Or(plan.Region, "no region"), shortSpan(maxDelayOf(job)))
	run, err := controller.PreviewRun(job, regions, plan.Region, plan.Start)
	home := "at once at home"
	switch {
	case run.Why == "":
	case run.Downgraded():
		say(out, screen, "It would run with %s.", run.Why)
		home += " with " + run.Requested
	default:
		say(out, screen, "It would keep %s: %s.", cmp.Or(run.Model, "its model"), run.Why)
	}
	if err != nil {
		say(out, screen, "Its grams are unknown: %s.", err.Error())
		return
	}
	if math.IsNaN(plan.Grams) || math.IsNaN(plan.NowGrams) {
		fmt.Fprintln(out, "The intensity is not known, nor are its grams.")
		return
	}
	before, after := run.RequestedKWh*plan.NowGrams, run.KWh*plan.Grams
	say(out, screen, "With %s: %s g instead of %s g %s (%s).", run.Text, short(after), short(before), home, against(after, before))
}

// say writes a sentence, wrapped where a person reads it.
func say(out *bytes.Buffer, screen terminal.Screen, format string, args ...any) {
	fmt.Fprintln(out, terminal.Wrap(terminal.Clean(fmt.Sprintf(format, args...)), screen.Limit()))
}

// nameOf is the job's name, as far as it has one.
func nameOf(job *carbonv1alpha1.CarbonAwareJob) string {
	switch {
	case job.Name != "":
		return job.Name
	case job.GenerateName != "":
		return job.GenerateName + "…"
	default:
		return "a job without a name"
	}
}

// writePlanChart draws the forecast of the chosen region until the latest possible end.
func writePlanChart(out *bytes.Buffer, job *carbonv1alpha1.CarbonAwareJob, plan policy.Plan, regions []carbonv1alpha1.GridRegion, now time.Time, screen terminal.Screen) error {
	i := slices.IndexFunc(regions, func(r carbonv1alpha1.GridRegion) bool { return r.Name == plan.Region })
	if !screen.Charts || i < 0 {
		return nil
	}
	hours := int(math.Ceil((maxDelayOf(job) + durationOf(job)).Hours()))
	series, _ := ahead(&regions[i], now, max(hours, 24))
	if series.Empty() {
		return nil
	}
	window := forecast.Window{Start: plan.Start, End: plan.Start.Add(durationOf(job))}
	fmt.Fprintln(out)
	chart := &terminal.Chart{
		Start: series.Start, Step: series.Step, Values: series.Grams,
		Marked: markWindows(series, []forecast.Window{window}), Unit: "gCO2e/kWh in " + plan.Region, Mark: "the run",
	}
	return chart.Write(out, screen) //nolint:wrapcheck // it says what it could not write
}

// alternatives are the choices of a job as a table; wide has more columns.
func alternatives(choices []choice, now time.Time, wide bool) *terminal.Table {
	table := &terminal.Table{
		Header: []string{"MAX-DELAY", "REGION", "START", "G/KWH", "AGAINST-NOW", "GRAMS", "CHOSEN"},
		Right:  []bool{false, false, false, true, true, true, false},
		Keys:   2,
	}
	if wide {
		table.Header = slices.Insert(table.Header, 6, "MODEL", "NOW-G/KWH", "NOW-GRAMS")
		table.Right = slices.Insert(table.Right, 6, false, true, true)
	}
	last := ""
	for _, c := range choices {
		row := []string{"", c.Region, "-", "-", "-", "-", ""}
		if c.MaxDelay != last {
			row[0], last = c.MaxDelay, c.MaxDelay
			if c.Own {
				row[0] += " (its own)"
			}
		}
		switch {
		case c.Chosen:
			row[2], row[6] = startText(*c.Start, now), "*"
		case c.Excluded != "":
			row[2], row[6] = "cannot be chosen", c.Excluded
		case c.Start != nil:
			row[2] = startText(*c.Start, now)
		}
		if c.GramsPerKWh != nil {
			row[3], row[4] = fmt.Sprintf("%.0f", *c.GramsPerKWh), "-"
			if c.NowGramsPerKWh != nil {
				row[4] = against(*c.GramsPerKWh, *c.NowGramsPerKWh)
			}
		}
		if c.Grams != nil {
			row[5] = short(*c.Grams)
		}
		if wide {
			row = slices.Insert(row, 6, cmp.Or(c.Model, "-"), cmp.Or(cell(c.NowGramsPerKWh), "-"), cmp.Or(cell(c.NowGrams), "-"))
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

func startText(t, now time.Time) string {
	if !t.After(now.Add(time.Second)) {
		return "now"
	}
	return when(t)
}

func maxDelayOf(job *carbonv1alpha1.CarbonAwareJob) time.Duration {
	if job.Spec.MaxDelay != nil {
		return job.Spec.MaxDelay.Duration
	}
	return 4 * time.Hour // as in the API
}

func durationOf(job *carbonv1alpha1.CarbonAwareJob) time.Duration {
	if job.Spec.ExpectedDuration != nil {
		return job.Spec.ExpectedDuration.Duration
	}
	return 30 * time.Minute // as in the API
}

// short writes a number with four significant digits and no exponent.
func short(v float64) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	digits := max(0, 3-int(math.Floor(math.Log10(math.Abs(v)))))
	return estimate.Decimal(v, min(digits, 12))
}
