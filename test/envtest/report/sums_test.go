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
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math/big"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// carbon is what the plugin prints.
func carbon(tb testing.TB, args ...string) []byte {
	tb.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(tb.Context(), plugin, append(args, "--kubeconfig", kubeconfig)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("kubectl carbon %s: %v: %s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}

// fields of a record, in the order of the columns of the CSV behind the counts.
func fields(e *carbonv1alpha1.EmissionsStatus) []carbonv1alpha1.Decimal {
	return []carbonv1alpha1.Decimal{
		e.EnergyKWh, e.BaselineGrams, e.ActualGrams, e.AvoidedGrams, e.AvoidedBy.Time, e.AvoidedBy.Region, e.AvoidedBy.Model,
	}
}

const firstSum = 5 // the columns before are jobs, provisional, unknown, stopped, deleted

// recompute adds up the jobs apart from the code under test, with rational numbers: the cells of each
// line of the CSV behind the values of its group, which are joined by commas.
func recompute(jobs []carbonv1alpha1.CarbonAwareJob, since time.Time, keys ...func(*carbonv1alpha1.CarbonAwareJob) string) map[string][]string {
	sums, counts := map[string][]*big.Rat{}, map[string][2]int{}
	for i := range jobs {
		j := &jobs[i]
		if j.Status.Job.CompletionTime.Time.Before(since) {
			continue
		}
		var values []string
		for _, key := range keys {
			values = append(values, key(j))
		}
		group := strings.Join(values, ",")
		count := counts[group]
		count[0]++
		if j.Status.Emissions.FinalAt == nil {
			count[1]++
		}
		counts[group] = count
		for k, text := range fields(j.Status.Emissions) {
			if sums[group] == nil {
				sums[group] = make([]*big.Rat, len(fields(j.Status.Emissions)))
			}
			if sums[group][k] == nil {
				sums[group][k] = new(big.Rat)
			}
			v, ok := new(big.Rat).SetString(string(text))
			if !ok {
				panic(text)
			}
			sums[group][k].Add(sums[group][k], v)
		}
	}
	lines := map[string][]string{}
	for group, of := range sums {
		lines[group] = []string{strconv.Itoa(counts[group][0]), strconv.Itoa(counts[group][1]), "0", "0", "0"}
		for _, v := range of {
			lines[group] = append(lines[group], strings.TrimSuffix(strings.TrimRight(v.FloatString(15), "0"), "."))
		}
	}
	return lines
}

// 200 finished jobs of 30 days, in 3 namespaces, with 4 models and in 3 regions: the report of a real
// cluster equals an independent recomputation to the last digit.
func TestSumsOfASeededCluster(t *testing.T) {
	seed(t, []string{"nlp", "search", "vision"}, 200)
	var list carbonv1alpha1.CarbonAwareJobList
	for _, ns := range []string{"nlp", "search", "vision"} {
		var some carbonv1alpha1.CarbonAwareJobList
		check(t, api.List(t.Context(), &some, client.InNamespace(ns)))
		list.Items = append(list.Items, some.Items...)
	}
	namespace := func(j *carbonv1alpha1.CarbonAwareJob) string { return j.Namespace }
	model := func(j *carbonv1alpha1.CarbonAwareJob) string { return j.Status.Model.Effective }
	region := func(j *carbonv1alpha1.CarbonAwareJob) string { return j.Status.Job.Region }
	day := func(j *carbonv1alpha1.CarbonAwareJob) string {
		return j.Status.Job.CompletionTime.UTC().Format(time.DateOnly)
	}
	job := func(j *carbonv1alpha1.CarbonAwareJob) string { return j.Namespace + "/" + j.Name }
	type keys []func(*carbonv1alpha1.CarbonAwareJob) string
	since := time.Now().AddDate(0, 0, -10).UTC().Truncate(time.Second)
	for by, of := range map[string]struct {
		keys
		groups int // at least
	}{
		"namespace": {keys{namespace}, 3}, "model": {keys{model}, 4}, "region": {keys{region}, 3}, "day": {keys{day}, 9}, "job": {keys{job}, 40},
		"namespace,model,region": {keys{namespace, model, region}, 20},
	} {
		for name, from := range map[string]time.Time{"all": {}, "since": since} {
			t.Run(by+" "+name, func(t *testing.T) {
				args := []string{"report", "-A", "-o", "csv", "--by", by}
				if !from.IsZero() {
					args = append(args, "--since", from.Format(time.RFC3339))
				}
				lines, err := csv.NewReader(bytes.NewReader(carbon(t, args...))).ReadAll()
				check(t, err)
				want := recompute(list.Items, from, of.keys...)
				if len(want) < of.groups || len(lines)-1 != len(want) {
					t.Fatalf("%d groups, want %d, and at least %d", len(lines)-1, len(want), of.groups)
				}
				for _, line := range lines[1:] {
					group, cells := strings.Join(line[:len(of.keys)], ","), line[len(of.keys):]
					if got := cells[:firstSum+len(fields(list.Items[0].Status.Emissions))]; !slices.Equal(got, want[group]) {
						t.Errorf("%s is %v, want %v", group, got, want[group])
					}
				}
			})
		}
	}
	t.Run("one namespace", func(t *testing.T) { sumsOfOneNamespace(t, list.Items) })
}

// sumsOfOneNamespace looks at the JSON of a namespace before and after jobs of it were deleted and
// settled in a budget.
func sumsOfOneNamespace(t *testing.T, jobs []carbonv1alpha1.CarbonAwareJob) {
	t.Helper()
	type answer struct {
		Total struct {
			Jobs, Deleted              int
			EmittedGrams, AvoidedGrams string
		}
	}
	total := func() (r answer) {
		check(t, json.Unmarshal(carbon(t, "report", "-n", "vision", "-o", "json"), &r))
		return r
	}
	vision := slices.DeleteFunc(slices.Clone(jobs), func(j carbonv1alpha1.CarbonAwareJob) bool { return j.Namespace != "vision" })
	cells := recompute(vision, time.Time{}, func(*carbonv1alpha1.CarbonAwareJob) string { return "" })[""]
	want := answer{}
	want.Total.Jobs, want.Total.EmittedGrams, want.Total.AvoidedGrams = len(vision), cells[firstSum+2], cells[firstSum+3]
	if got := total(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}

	gone := vision[:7]
	settled := recompute(gone, time.Time{}, func(*carbonv1alpha1.CarbonAwareJob) string { return "" })[""]
	budget := build.CarbonBudget("all", "vision", "1000000").Obj()
	check(t, api.Create(t.Context(), budget))
	before := budget.DeepCopy()
	budget.Status.Settled = &carbonv1alpha1.SettledTotal{
		Jobs: int32(len(gone)), ConsumedGrams: carbonv1alpha1.Decimal(settled[firstSum+2]), AvoidedGrams: carbonv1alpha1.Decimal(settled[firstSum+3]),
	}
	check(t, api.Status().Patch(t.Context(), budget, client.MergeFrom(before)))
	for i := range gone {
		check(t, api.Delete(t.Context(), &carbonv1alpha1.CarbonAwareJob{ObjectMeta: metav1.ObjectMeta{Name: gone[i].Name, Namespace: "vision"}}))
	}
	want.Total.Deleted = len(gone)
	if got := total(); got != want {
		t.Errorf("after deletions got %+v, want %+v", got, want)
	}
}
