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
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// deleted stands for the model, region, day and name of jobs that are gone: a budget keeps their grams
// and nothing else.
const deleted = "(deleted)"

// AddBudgets takes in what deleted jobs have left in CarbonBudgets. It must be called before Add, with
// budgets that were read before the jobs: a job that is deleted in between is then missed, and never
// counted twice.
//
// A deleted job is in the settled total of every budget that matched it. So of the budgets of a
// namespace only such are counted as no job can have matched two of: those without a selector first,
// then those that know of most. A period counts if it began within the time of the report.
func (b *Builder) AddBudgets(budgets []carbonv1alpha1.CarbonBudget) {
	candidates := make([]settled, 0, len(budgets))
	for i := range budgets {
		for _, s := range budgets[i].Status.Settling {
			b.settling[s.UID] = true
		}
		s, err := b.settledOf(&budgets[i])
		if err != nil {
			b.Note(fmt.Sprintf("CarbonBudget %s/%s: %s", budgets[i].Namespace, budgets[i].Name, err))
			continue
		}
		if s.totals.Jobs > 0 {
			candidates = append(candidates, s)
		}
	}
	slices.SortStableFunc(candidates, func(x, y settled) int {
		return cmp.Or(cmp.Compare(len(x.selector), len(y.selector)), cmp.Compare(y.totals.Jobs, x.totals.Jobs), cmp.Compare(x.name, y.name))
	})
	var counted []settled
	for _, s := range candidates {
		if i := slices.IndexFunc(counted, s.overlaps); i >= 0 {
			b.overlapping = append(b.overlapping, s.name)
			continue
		}
		counted = append(counted, s)
		b.addSettled(s)
	}
}

// settled is what deleted jobs have left in one budget.
type settled struct {
	namespace, name string
	selector        map[string]string
	totals          Totals
}

// overlaps says whether a job can have matched both budgets.
func (s settled) overlaps(other settled) bool {
	if s.namespace != other.namespace {
		return false
	}
	for key, value := range s.selector {
		if theirs, has := other.selector[key]; has && theirs != value {
			return false
		}
	}
	return true
}

// settledOf adds up the periods of a budget that began within the time of the report.
func (b *Builder) settledOf(budget *carbonv1alpha1.CarbonBudget) (settled, error) {
	s := settled{namespace: budget.Namespace, name: budget.Namespace + "/" + budget.Name}
	if budget.Spec.Selector != nil {
		s.selector = budget.Spec.Selector.MatchLabels
	}
	start := budget.CreationTimestamp.Time // a budget without periods counts from then on
	if budget.Status.Period != nil {
		start = budget.Status.Period.Start.Time
	}
	periods := []carbonv1alpha1.PeriodTotal{{Settled: budget.Status.Settled}}
	periods[0].Start.Time = start
	for _, p := range append(periods, budget.Status.History...) {
		if p.Settled == nil {
			continue
		}
		if p.Start.Time.Before(b.since) {
			if p.Settled.Jobs > 0 && (p.End.IsZero() || p.End.After(b.since)) { // it reaches into the time of the report
				b.cut = append(b.cut, fmt.Sprintf("%s (%d since %s)", s.name, p.Settled.Jobs, p.Start.UTC().Format("2006-01-02 15:04")))
			}
			continue
		}
		consumed, err := ParseAmount(p.Settled.ConsumedGrams)
		if err != nil {
			return s, fmt.Errorf("settled.consumedGrams: %w", err)
		}
		avoided, err := ParseAmount(p.Settled.AvoidedGrams)
		if err != nil {
			return s, fmt.Errorf("settled.avoidedGrams: %w", err)
		}
		t := Totals{Jobs: int(p.Settled.Jobs), Deleted: int(p.Settled.Jobs), EmittedGrams: consumed, AvoidedGrams: avoided}
		t.BaselineGrams.Add(consumed)
		t.BaselineGrams.Add(avoided)
		s.totals.add(&t)
	}
	return s, nil
}

func (b *Builder) addSettled(s settled) {
	b.total.add(&s.totals)
	for _, g := range b.groupings {
		values := make([]string, len(g.by))
		for i, d := range g.by {
			values[i] = deleted
			if d == ByNamespace {
				values[i] = s.namespace
			}
		}
		g.add(values, &s.totals)
	}
}

// settledAlready says whether a budget has taken over the job, which is being deleted.
func (b *Builder) settledAlready(uid types.UID) bool { return b.settling[uid] }

// budgetNotes name the budgets that were left out, and those of which a period was.
func (b *Builder) budgetNotes() []string {
	var notes []string
	if len(b.overlapping) > 0 {
		notes = append(notes, "of CarbonBudgets that can count the same job one is used; not used: "+listed(b.overlapping))
	}
	if len(b.cut) > 0 {
		notes = append(notes, "deleted jobs are counted by whole periods of a CarbonBudget; not in the report, because they began before it: "+listed(b.cut))
	}
	return notes
}

// listed names a few things, and says how many more there are.
func listed(things []string) string {
	text := strings.Join(things[:min(maxNamed, len(things))], ", ")
	if more := len(things) - maxNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
