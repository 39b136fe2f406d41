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
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// budget has settled so many grams of so many jobs in a period that began so many days ago.
func budget(name string, labels map[string]string, daysAgo int, consumed, avoided carbonv1alpha1.Decimal, jobs int32) carbonv1alpha1.CarbonBudget {
	b := carbonv1alpha1.CarbonBudget{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "nlp"}}
	if labels != nil {
		b.Spec.Selector = &carbonv1alpha1.BudgetSelector{MatchLabels: labels}
	}
	start := lastDay.AddDate(0, 0, -daysAgo)
	b.Status.Period = &carbonv1alpha1.BudgetPeriodStatus{Start: metav1.NewTime(start)}
	b.Status.Settled = &carbonv1alpha1.SettledTotal{ConsumedGrams: consumed, AvoidedGrams: avoided, Jobs: jobs}
	return b
}

func settledReport(since time.Time, jobs []*carbonv1alpha1.CarbonAwareJob, budgets ...carbonv1alpha1.CarbonBudget) *Report {
	b := NewBuilder(since, []Dimension{ByNamespace, ByModel})
	b.AddBudgets(budgets)
	for _, j := range jobs {
		b.Add(j)
	}
	return b.Build(lastDay, "All namespaces")
}

func TestDeletedJobsCountByTheirBudget(t *testing.T) {
	b := budget("all", nil, 5, "100.5", "-20.25", 3)
	b.Status.History = []carbonv1alpha1.PeriodTotal{{
		Start: metav1.NewTime(lastDay.AddDate(0, 0, -35)), Settled: &carbonv1alpha1.SettledTotal{ConsumedGrams: "10", AvoidedGrams: "1", Jobs: 1},
	}, {Start: metav1.NewTime(lastDay.AddDate(0, 0, -65))}}
	r := settledReport(time.Time{}, nil, b)
	if got := r.Total; got.Jobs != 4 || got.Deleted != 4 || got.EmittedGrams.String() != "110.5" ||
		got.AvoidedGrams.String() != "-19.25" || got.BaselineGrams.String() != "91.25" {
		t.Errorf("got %+v", got)
	}
	if group := r.Groupings[0].Groups[0]; group.Values[0] != "nlp" || group.Values[1] != deleted {
		t.Errorf("got %v", group.Values)
	}
	if !strings.Contains(strings.Join(r.Notes, "\n"), "4 jobs are deleted") {
		t.Errorf("the notes do not tell of them: %v", r.Notes)
	}
	if r := settledReport(lastDay.AddDate(0, 0, -10), nil, b); r.Total.Jobs != 3 || r.Total.EmittedGrams.String() != "100.5" {
		t.Errorf("of the last ten days got %+v", r.Total)
	}
}

// A month of a budget in Amsterdam begins an hour or two before that of a report, and is not in it: that must
// not be silent.
func TestAPeriodThatReachesIntoTheReportIsTold(t *testing.T) {
	since := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	monthly := budget("monthly", nil, 0, "100", "20", 3)
	monthly.Status.Period.Start = metav1.NewTime(since.Add(-time.Hour))
	monthly.Status.History = []carbonv1alpha1.PeriodTotal{{
		Start: metav1.NewTime(since.AddDate(0, -1, 0)), End: metav1.NewTime(since.Add(-time.Hour)),
		Settled: &carbonv1alpha1.SettledTotal{ConsumedGrams: "10", AvoidedGrams: "1", Jobs: 9},
	}}
	r := settledReport(since, nil, monthly)
	if notes := strings.Join(r.Notes, "\n"); r.Total.Jobs != 0 || !strings.HasSuffix(notes, "began before it: nlp/monthly (3 since 2026-10-31 23:00)") {
		t.Errorf("%d jobs, the notes are %s", r.Total.Jobs, notes)
	}
	if r := settledReport(since.Add(-time.Hour), nil, monthly); r.Total.Jobs != 3 || len(r.Notes) != 1 {
		t.Errorf("from the beginning of the period: %d jobs, the notes are %v", r.Total.Jobs, r.Notes)
	}
	var many []carbonv1alpha1.CarbonBudget
	for i := range 7 {
		many = append(many, budget(fmt.Sprint(i), nil, 30, "1", "0", 1))
	}
	if notes := strings.Join(settledReport(since, nil, many...).Notes, "\n"); !strings.HasSuffix(notes, " and 2 more") {
		t.Errorf("the notes are %s", notes)
	}
}

// What several budgets have counted is counted once.
func TestOverlappingBudgetsCountAJobOnce(t *testing.T) {
	red, blue := map[string]string{"team": "red"}, map[string]string{"team": "blue"}
	for name, c := range map[string]struct {
		budgets []carbonv1alpha1.CarbonBudget
		want    string
		left    string
	}{
		"one without a selector has them all": {[]carbonv1alpha1.CarbonBudget{budget("red", red, 1, "5", "0", 9), budget("all", nil, 1, "7", "0", 2)}, "7", "nlp/red"},
		"teams are apart":                     {[]carbonv1alpha1.CarbonBudget{budget("red", red, 1, "5", "0", 9), budget("blue", blue, 1, "7", "0", 2)}, "12", ""},
		"labels may be on one job":            {[]carbonv1alpha1.CarbonBudget{budget("red", red, 1, "5", "0", 9), budget("prod", map[string]string{"env": "prod"}, 1, "7", "0", 2)}, "5", "nlp/prod"},
	} {
		r := settledReport(time.Time{}, nil, c.budgets...)
		if got := r.Total.EmittedGrams.String(); got != c.want {
			t.Errorf("%s: %s g, want %s", name, got, c.want)
		}
		if notes := strings.Join(r.Notes, "\n"); c.left != "" && !strings.Contains(notes, "not used: "+c.left) {
			t.Errorf("%s: the notes do not say that %s is left out: %s", name, c.left, notes)
		}
	}
}

// A job that is being deleted, and that a budget has taken over, counts by the budget alone.
func TestAJobThatIsBeingSettledCountsOnce(t *testing.T) {
	jobs := seeded(2)
	jobs[0].UID, jobs[1].UID = "gone-soon", "stays"
	b := budget("all", nil, 1, jobs[0].Status.Emissions.ActualGrams, jobs[0].Status.Emissions.AvoidedGrams, 1)
	b.Status.Settling = []carbonv1alpha1.SettlingJob{{UID: "gone-soon", Grams: jobs[0].Status.Emissions.ActualGrams}}
	want := reportOf(time.Time{}, jobs, []Dimension{ByNamespace}).Total.EmittedGrams.String()
	if got := settledReport(time.Time{}, jobs, b).Total; got.EmittedGrams.String() != want || got.Jobs != 2 {
		t.Errorf("%d jobs emitted %s g, want 2 and %s", got.Jobs, got.EmittedGrams, want)
	}
}
