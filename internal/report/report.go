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
	"time"
)

// Report is what was emitted and avoided.
type Report struct {
	// GeneratedAt is when the report was made.
	GeneratedAt time.Time `json:"generatedAt"`
	// Since bounds the report: jobs that finished before it are not in it. Absent without a bound.
	Since *time.Time `json:"since,omitempty"`
	// Scope says which jobs were looked at.
	Scope string `json:"scope"`
	// Total is the sum over all jobs.
	Total Totals `json:"total"`
	// Groupings hold the same sums by dimension.
	Groupings []Grouping `json:"groupings"`
	// Unfinished is the number of jobs that wait or run: they are in no sum.
	Unfinished int `json:"unfinished"`
	// Operator is what the operator itself emitted in the time of the report; absent when it was not
	// asked for.
	Operator *Operator `json:"operator,omitempty"`
	// Equivalents make the grams tangible.
	Equivalents []Equivalent `json:"equivalents"`
	// Notes say what to know when reading the sums.
	Notes []string `json:"notes,omitempty"`
}

// Operator is the operator's own footprint.
type Operator struct {
	// EmittedGrams is modelled from its CPU time, in gCO2e.
	EmittedGrams float64 `json:"emittedGrams"`
}

// breakEven sets the operator's own footprint against what was avoided; empty when it is not known.
func (r *Report) breakEven() string {
	if r.Operator == nil {
		return ""
	}
	own, avoided := r.Operator.EmittedGrams, r.Total.AvoidedGrams.Float64()
	text := fmt.Sprintf("the operator itself emitted %s g in that time, modelled from its CPU time", quantity(own))
	switch {
	case avoided > own && own > 0:
		return fmt.Sprintf("%s: it avoided %s times as much", text, quantity(avoided/own))
	case avoided < own:
		return text + ", more than it avoided"
	}
	return text
}

// Grouping are sums by one combination of dimensions.
type Grouping struct {
	By     []Dimension `json:"by"`
	Groups []Group     `json:"groups"`
}

// Group is one line of a grouping.
type Group struct {
	// Values of the dimensions, in their order; "-" for one that the jobs do not have.
	Values []string `json:"values"`
	Totals
}

// Build makes the report of everything added so far, in the order of the groups' values.
func (b *Builder) Build(now time.Time, scope string) *Report {
	r := &Report{GeneratedAt: now.UTC().Truncate(time.Second), Scope: scope, Total: b.total, Unfinished: b.unfinished}
	if !b.since.IsZero() {
		since := b.since.UTC()
		r.Since = &since
	}
	for _, g := range b.groupings {
		grouping := Grouping{By: g.by, Groups: make([]Group, 0, len(g.groups))}
		for _, group := range g.groups {
			grouping.Groups = append(grouping.Groups, *group)
		}
		slices.SortFunc(grouping.Groups, func(x, y Group) int { return slices.Compare(x.Values, y.Values) })
		r.Groupings = append(r.Groupings, grouping)
	}
	r.Equivalents = equivalents(&r.Total)
	r.Notes = b.notes()
	return r
}

// Note adds something to know when reading the sums.
func (b *Builder) Note(text string) { b.remarks = append(b.remarks, text) }

func (b *Builder) notes() []string {
	var notes []string
	note := func(count int, one, many string) {
		if count == 1 {
			notes = append(notes, "1 job "+one)
		} else if count > 1 {
			notes = append(notes, fmt.Sprintf("%d jobs %s", count, many))
		}
	}
	note(b.total.Provisional, "marked * has a provisional record: actual intensities are not published yet",
		"marked * have a provisional record: actual intensities are not published yet")
	note(b.total.Unknown, "ran with unknown energy or intensity and is in no sum",
		"ran with unknown energy or intensity and are in no sum")
	note(b.total.Stopped, "was stopped by its own limit or that of a budget, and counts with what it had emitted",
		"were stopped by their own limit or that of a budget, and count with what they had emitted")
	note(b.total.Deleted, "is deleted and known from a CarbonBudget only: its energy and causes are not in the sums",
		"are deleted and known from CarbonBudgets only: their energy and causes are not in the sums")
	if m := b.total.Measured; m != nil {
		notes = append(notes, m.note())
	}
	note(b.unfinished, "waits or runs and is not in the report", "wait or run and are not in the report")
	note(b.failures, "has a record that cannot be read and is left out", "have a record that cannot be read and are left out")
	notes = append(notes, b.budgetNotes()...)
	return append(notes, b.remarks...)
}
