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
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// Dimension is what jobs are grouped by.
type Dimension string

// The dimensions. A job counts for the region that it ran in, the model that it used, and the day
// (UTC) on which it finished.
const (
	ByNamespace Dimension = "namespace"
	ByModel     Dimension = "model"
	ByRegion    Dimension = "region"
	ByDay       Dimension = "day"
	ByJob       Dimension = "job"
)

// Dimensions are all of them.
func Dimensions() []Dimension {
	return []Dimension{ByNamespace, ByModel, ByRegion, ByDay, ByJob}
}

// ParseDimensions reads a list such as "namespace,model".
func ParseDimensions(text string) ([]Dimension, error) {
	var by []Dimension
	for word := range strings.SplitSeq(text, ",") {
		d := Dimension(strings.TrimSpace(word))
		if !slices.Contains(Dimensions(), d) {
			return nil, fmt.Errorf("--by: %q is not one of %v; several are separated by commas", word, Dimensions())
		}
		if slices.Contains(by, d) {
			return nil, fmt.Errorf("--by: %s is there twice", d)
		}
		by = append(by, d)
	}
	return by, nil
}

// none stands for a value that a job does not have.
const none = "-"

// Builder adds up jobs.
type Builder struct {
	since      time.Time
	groupings  []*grouping
	total      Totals
	unfinished int
	remarks    []string
	failures   int
	// settling are jobs that a budget has taken over already; overlapping the budgets left out, cut those
	// with a period that began before the report.
	settling         map[types.UID]bool
	overlapping, cut []string
}

// grouping holds the sums by one combination of dimensions.
type grouping struct {
	by     []Dimension
	groups map[string]*Group
}

// NewBuilder makes a builder for jobs that finished at or after the given time (zero: all of them),
// with one grouping for each list of dimensions.
func NewBuilder(since time.Time, groupings ...[]Dimension) *Builder {
	b := &Builder{since: since, settling: map[types.UID]bool{}}
	for _, by := range groupings {
		b.groupings = append(b.groupings, &grouping{by: by, groups: map[string]*Group{}})
	}
	return b
}

// Add takes a job into the sums. A record that cannot be read is left out and named in the notes.
func (b *Builder) Add(caj *carbonv1alpha1.CarbonAwareJob) {
	end, finished := finishedAt(caj)
	if !finished {
		b.unfinished++
		return
	}
	if end.Before(b.since) || b.settledAlready(caj.UID) {
		return
	}
	totals, err := jobTotals(caj)
	if err != nil {
		b.fail(caj, err)
		return
	}
	b.total.add(&totals)
	for _, g := range b.groupings {
		values := make([]string, len(g.by))
		for i, d := range g.by {
			values[i] = valueOf(caj, d, end)
		}
		g.add(values, &totals)
	}
}

func (g *grouping) add(values []string, totals *Totals) {
	key := strings.Join(values, "\x00")
	group := g.groups[key]
	if group == nil {
		group = &Group{Values: values}
		g.groups[key] = group
	}
	group.add(totals)
}

// maxNamed is how many unreadable records and budgets are named in the notes.
const maxNamed = 5

func (b *Builder) fail(caj *carbonv1alpha1.CarbonAwareJob, err error) {
	if b.failures++; b.failures <= maxNamed {
		b.Note(fmt.Sprintf("%s/%s: %s", caj.Namespace, caj.Name, strings.ReplaceAll(err.Error(), "\n", "; ")))
	}
}

// finishedAt is when the job ended; false while it has not.
func finishedAt(caj *carbonv1alpha1.CarbonAwareJob) (time.Time, bool) {
	for _, t := range []string{carbonv1alpha1.ConditionComplete, carbonv1alpha1.ConditionFailed} {
		c := meta.FindStatusCondition(caj.Status.Conditions, t)
		if c == nil || c.Status != "True" {
			continue
		}
		if job := caj.Status.Job; job != nil && job.CompletionTime != nil {
			return job.CompletionTime.UTC(), true
		}
		return c.LastTransitionTime.UTC(), true
	}
	return time.Time{}, false
}

// jobTotals are the sums over one finished job.
func jobTotals(caj *carbonv1alpha1.CarbonAwareJob) (Totals, error) {
	e := caj.Status.Emissions
	stopped := 0
	if c := meta.FindStatusCondition(caj.Status.Conditions, carbonv1alpha1.ConditionFailed); c != nil && c.Reason == carbonv1alpha1.ReasonCarbonBudgetExceeded {
		stopped = 1
	}
	if e == nil {
		totals := Totals{Jobs: 1, Stopped: stopped}
		c := meta.FindStatusCondition(caj.Status.Conditions, carbonv1alpha1.ConditionEmissionsRecorded)
		if c == nil || c.Reason != carbonv1alpha1.ReasonNeverRan {
			totals.Unknown = 1
		}
		return totals, nil
	}
	totals, err := totalsOf(e)
	totals.Jobs, totals.Stopped = 1, stopped
	if e.FinalAt == nil {
		totals.Provisional = 1
	}
	if err == nil {
		totals.Measured, err = measuredOf(caj, &totals)
	}
	return totals, err
}

func valueOf(caj *carbonv1alpha1.CarbonAwareJob, d Dimension, end time.Time) string {
	value := ""
	switch d {
	case ByNamespace:
		value = caj.Namespace
	case ByModel:
		if caj.Status.Model != nil {
			value = caj.Status.Model.Effective
		}
	case ByRegion:
		if caj.Status.Job != nil {
			value = caj.Status.Job.Region
		}
	case ByDay:
		value = end.Format(time.DateOnly)
	case ByJob:
		value = caj.Namespace + "/" + caj.Name
	}
	if value == "" {
		return none
	}
	return value
}
