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
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var (
	lastDay    = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	namespaces = []string{"nlp", "search", "vision"}
	models     = []string{"gpt-4o", "gpt-4o-mini", "claude-haiku-4-5", "llama-3.1-70b"}
	regions    = []string{"gb", "de", "fr"}
)

// nano is a random mass in nanograms as a decimal number of grams, and the number.
func nano(r *rand.Rand, limit int64) (carbonv1alpha1.Decimal, *big.Rat) {
	n := r.Int64N(2*limit) - limit
	exact := big.NewRat(n, 1_000_000_000)
	return carbonv1alpha1.Decimal(strings.TrimSuffix(strings.TrimRight(exact.FloatString(9), "0"), ".")), exact
}

func decimal(x *big.Rat) carbonv1alpha1.Decimal {
	return carbonv1alpha1.Decimal(strings.TrimSuffix(strings.TrimRight(x.FloatString(9), "0"), "."))
}

// finishedJob is a finished job with a random record.
func finishedJob(r *rand.Rand, i int) *carbonv1alpha1.CarbonAwareJob {
	caj := build.CarbonAwareJob(fmt.Sprintf("job-%d", i), namespaces[r.IntN(len(namespaces))]).Obj()
	end := metav1.NewTime(lastDay.Add(-time.Duration(r.IntN(30*24*60)) * time.Minute))
	caj.Status.Model = &carbonv1alpha1.ModelStatus{Requested: "gpt-4o", Effective: models[r.IntN(len(models))]}
	caj.Status.Job = &carbonv1alpha1.JobStatus{Name: caj.Name, UID: "u", Region: regions[r.IntN(len(regions))], CompletionTime: &end}
	caj.Status.Conditions = []metav1.Condition{{Type: carbonv1alpha1.ConditionComplete, Status: metav1.ConditionTrue, LastTransitionTime: end}}
	energy, _ := nano(r, 5e9)
	byTime, exactTime := nano(r, 300e9)
	byRegion, exactRegion := nano(r, 200e9)
	byModel, exactModel := nano(r, 100e9)
	actual := big.NewRat(r.Int64N(500e9), 1_000_000_000)
	avoided := new(big.Rat).Add(exactTime, new(big.Rat).Add(exactRegion, exactModel))
	caj.Status.Emissions = &carbonv1alpha1.EmissionsStatus{
		EnergyKWh:    carbonv1alpha1.Decimal(strings.TrimPrefix(string(energy), "-")),
		ActualGrams:  decimal(actual),
		AvoidedGrams: decimal(avoided), BaselineGrams: decimal(new(big.Rat).Add(actual, avoided)),
		AvoidedBy: carbonv1alpha1.AvoidedBy{Time: byTime, Region: byRegion, Model: byModel},
		FinalAt:   &end,
	}
	if i%3 == 0 {
		caj.Status.Emissions.EmbodiedGrams = decimal(big.NewRat(r.Int64N(5e9), 1_000_000_000))
	}
	if i%20 == 0 {
		caj.Status.Emissions.FinalAt = nil
	}
	return caj
}

// expected adds up one field over jobs with rational numbers, apart from the code under test.
func expected(jobs []*carbonv1alpha1.CarbonAwareJob, in func(*carbonv1alpha1.CarbonAwareJob) bool, field func(*carbonv1alpha1.EmissionsStatus) carbonv1alpha1.Decimal) string {
	sum := new(big.Rat)
	for _, j := range jobs {
		if !in(j) {
			continue
		}
		v, ok := new(big.Rat).SetString(string(field(j.Status.Emissions)))
		if !ok {
			panic("not a number")
		}
		sum.Add(sum, v)
	}
	text := sum.FloatString(12)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// csvFields are the columns of the CSV behind the counts, with the field that each sums up.
var csvFields = []struct {
	name string
	of   func(*carbonv1alpha1.EmissionsStatus) carbonv1alpha1.Decimal
}{
	{"energy_kwh", func(e *carbonv1alpha1.EmissionsStatus) carbonv1alpha1.Decimal { return e.EnergyKWh }},
	{"baseline_g", func(e *carbonv1alpha1.EmissionsStatus) carbonv1alpha1.Decimal { return e.BaselineGrams }},
	{"emitted_g", func(e *carbonv1alpha1.EmissionsStatus) carbonv1alpha1.Decimal { return e.ActualGrams }},
	{"avoided_g", func(e *carbonv1alpha1.EmissionsStatus) carbonv1alpha1.Decimal { return e.AvoidedGrams }},
	{"avoided_by_time_g", func(e *carbonv1alpha1.EmissionsStatus) carbonv1alpha1.Decimal { return e.AvoidedBy.Time }},
	{"avoided_by_region_g", func(e *carbonv1alpha1.EmissionsStatus) carbonv1alpha1.Decimal { return e.AvoidedBy.Region }},
	{"avoided_by_model_g", func(e *carbonv1alpha1.EmissionsStatus) carbonv1alpha1.Decimal { return e.AvoidedBy.Model }},
	{"embodied_g", func(e *carbonv1alpha1.EmissionsStatus) carbonv1alpha1.Decimal {
		return carbonv1alpha1.Decimal(cmp.Or(string(e.EmbodiedGrams), "0"))
	}},
}

func seeded(count int) []*carbonv1alpha1.CarbonAwareJob {
	r := rand.New(rand.NewPCG(7, 1729))
	jobs := make([]*carbonv1alpha1.CarbonAwareJob, count)
	for i := range jobs {
		jobs[i] = finishedJob(r, i)
	}
	return jobs
}

// 200 finished jobs over 30 days, 3 namespaces, 4 models and 3 regions: every sum equals an
// independent one to the last digit.
func TestSumsEqualAnIndependentRecomputation(t *testing.T) {
	jobs := seeded(200)
	since := lastDay.Add(-10 * 24 * time.Hour)
	values := map[Dimension]func(*carbonv1alpha1.CarbonAwareJob) string{
		ByNamespace: func(j *carbonv1alpha1.CarbonAwareJob) string { return j.Namespace },
		ByModel:     func(j *carbonv1alpha1.CarbonAwareJob) string { return j.Status.Model.Effective },
		ByRegion:    func(j *carbonv1alpha1.CarbonAwareJob) string { return j.Status.Job.Region },
		ByDay: func(j *carbonv1alpha1.CarbonAwareJob) string {
			return j.Status.Job.CompletionTime.UTC().Format("2006-01-02")
		},
	}
	for by, value := range values {
		for name, from := range map[string]time.Time{"all": {}, "ten days": since} {
			t.Run(fmt.Sprintf("%s, %s", by, name), func(t *testing.T) {
				r := reportOf(from, jobs, []Dimension{by})
				lines := readCSV(t, r)
				counted := 0
				for _, line := range lines[1:] {
					in := func(j *carbonv1alpha1.CarbonAwareJob) bool {
						return value(j) == line[0] && !j.Status.Job.CompletionTime.Time.Before(from)
					}
					count := 0
					for _, j := range jobs {
						if in(j) {
							count++
						}
					}
					counted += count
					if line[1] != fmt.Sprint(count) {
						t.Errorf("%s: %s jobs, want %d", line[0], line[1], count)
					}
					for i, f := range csvFields {
						if got, want := line[6+i], expected(jobs, in, f.of); got != want {
							t.Errorf("%s: %s = %s, want %s", line[0], f.name, got, want)
						}
					}
				}
				if counted == 0 || counted != r.Total.Jobs || from.IsZero() && counted != len(jobs) {
					t.Errorf("the groups have %d jobs, the total %d, there are %d", counted, r.Total.Jobs, len(jobs))
				}
			})
		}
	}
}

func TestTotalIsTheSumOfTheGroupsInEveryFormat(t *testing.T) {
	jobs := seeded(200)
	all := func(*carbonv1alpha1.CarbonAwareJob) bool { return true }
	r := reportOf(time.Time{}, jobs, []Dimension{ByNamespace, ByModel})
	want := expected(jobs, all, csvFields[3].of)
	for name, write := range map[string]func(*bytes.Buffer) error{
		"json": func(b *bytes.Buffer) error { return r.WriteJSON(b) },
		"yaml": func(b *bytes.Buffer) error { return r.WriteYAML(b) },
	} {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		var back Report
		if err := yaml.Unmarshal(out.Bytes(), &back); err != nil {
			t.Fatal(err)
		}
		if got := back.Total.AvoidedGrams.String(); got != want {
			t.Errorf("%s: avoided %s, want %s", name, got, want)
		}
		var sum Amount
		for _, g := range back.Groupings[0].Groups {
			sum.Add(g.AvoidedGrams)
		}
		if sum.String() != want {
			t.Errorf("%s: the groups add up to %s, want %s", name, sum, want)
		}
	}
	var wide bytes.Buffer
	if err := r.WriteTable(&wide, true, 0); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(wide.String(), want) {
		t.Errorf("the wide table does not have %s:\n%s", want, wide.String())
	}
}

func TestWhatIsInNoSumIsTold(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	provisional, unknown, neverRan, running, broken := finishedJob(r, 0), finishedJob(r, 1), finishedJob(r, 2), finishedJob(r, 3), finishedJob(r, 4)
	unknown.Status.Emissions = nil
	neverRan.Status.Emissions = nil
	neverRan.Status.Conditions = append(neverRan.Status.Conditions, metav1.Condition{
		Type: carbonv1alpha1.ConditionEmissionsRecorded, Status: metav1.ConditionFalse, Reason: carbonv1alpha1.ReasonNeverRan,
	})
	running.Status.Conditions = nil
	broken.Status.Emissions.ActualGrams = ""
	stopped := finishedJob(r, 5)
	stopped.Status.Conditions[0] = metav1.Condition{Type: carbonv1alpha1.ConditionFailed, Status: metav1.ConditionTrue, Reason: carbonv1alpha1.ReasonCarbonBudgetExceeded}
	report := reportOf(time.Time{}, []*carbonv1alpha1.CarbonAwareJob{provisional, unknown, neverRan, running, broken, stopped}, []Dimension{ByNamespace})
	if got := report.Total; got.Jobs != 4 || got.Stopped != 1 || got.Provisional != 1 || got.Unknown != 1 || report.Unfinished != 1 {
		t.Errorf("got %+v, unfinished %d", got, report.Unfinished)
	}
	notes := strings.Join(report.Notes, "\n")
	for _, want := range []string{"1 job marked *", "1 job ran with unknown", "1 job waits or runs", "1 job was stopped by its own limit", "1 job has a record that cannot be read", "job-4: status.emissions.actualGrams"} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes do not say %q:\n%s", want, notes)
		}
	}
}

func TestEquivalentsAreOfEmittedAndOfAvoided(t *testing.T) {
	jobs := seeded(1)
	jobs[0].Status.Emissions.ActualGrams, jobs[0].Status.Emissions.AvoidedGrams = "400", "-800"
	r := reportOf(time.Time{}, jobs, []Dimension{ByDay})
	for i, want := range []struct {
		of string
		km float64
	}{{"emitted", 1.609344}, {"avoided", -3.218688}} {
		e := r.Equivalents[i]
		if e.Of != want.of || e.Value < want.km-1e-9 || e.Value > want.km+1e-9 || !strings.Contains(e.Source, "EPA") {
			t.Errorf("got %+v, want %s %v km with its source", e, want.of, want.km)
		}
	}
	var table, page bytes.Buffer
	if err := errors.Join(r.WriteTable(&table, false, 0), reportOf(time.Time{}, jobs, PageGroupings()...).WriteHTML(&page)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(table.String(), "emitted beyond the baseline: like 3.22 km driven") || !strings.Contains(page.String(), "emitted beyond the baseline: like <strong>3.22</strong> km") {
		t.Errorf("less than nothing was driven:\n%s\n%s", table.String(), page.String())
	}
}

// The page has the tables that it always has, and one of what --by names.
func TestThePageHasATableOfWhatWasAskedFor(t *testing.T) {
	jobs := seeded(40)
	for name, c := range map[string]struct {
		by    []Dimension
		wants []string
	}{
		"as always":   {[]Dimension{ByRegion}, nil},
		"two at once": {[]Dimension{ByRegion, ByModel}, []string{"<h2>By region and model</h2>", "<td>gb, gpt-4o</td>"}},
		"by day":      {[]Dimension{ByDay}, []string{"<h2>By day</h2>", "<td>" + jobs[0].Status.Job.CompletionTime.UTC().Format(time.DateOnly) + "</td>"}},
	} {
		var page bytes.Buffer
		if err := reportOf(time.Time{}, jobs, append([][]Dimension{c.by}, PageGroupings()...)...).WriteHTML(&page); err != nil {
			t.Fatal(err)
		}
		for _, want := range append(c.wants, "<h2>By namespace</h2>", "<h2>By model</h2>", "<h2>By region</h2>") {
			if strings.Count(page.String(), want) != 1 {
				t.Errorf("%s: %s is there %d times", name, want, strings.Count(page.String(), want))
			}
		}
	}
}

func TestNothingIsAReportToo(t *testing.T) {
	r := reportOf(time.Time{}, nil, PageGroupings()...)
	var table, page bytes.Buffer
	if err := r.WriteTable(&table, false, 0); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(table.String(), "No job has finished") || !strings.Contains(page.String(), "nothing yet") || !strings.Contains(page.String(), "nothing to compare with yet") {
		t.Errorf("got %s and %s", table.String(), page.String())
	}
}

const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>`

// What a cluster says cannot do harm to who reads about it.
func TestHostileNamesDoNoHarm(t *testing.T) {
	jobs := seeded(3)
	jobs[0].Status.Model.Effective = hostile
	jobs[1].Status.Model.Effective = "=HYPERLINK(\"http://example.org\")"
	jobs[2].Status.Model.Effective = "\x1b[2Jgone"
	jobs[2].Status.Emissions.ActualGrams = hostile
	r := reportOf(time.Time{}, jobs, append([][]Dimension{{ByModel}}, PageGroupings()...)...)
	r.Scope = hostile
	var page, table, csvText bytes.Buffer
	for _, err := range []error{r.WriteHTML(&page), r.WriteTable(&table, false, 0), r.WriteCSV(&csvText)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	checkPage(t, page.String())
	if !strings.Contains(page.String(), "&lt;script&gt;") {
		t.Error("the page does not show the name at all")
	}
	if strings.Contains(table.String(), "\x1b") {
		t.Error("the table has a control sequence")
	}
	if !strings.Contains(csvText.String(), `"'=HYPERLINK`) {
		t.Errorf("the CSV has a formula:\n%s", csvText.String())
	}
}

func TestThePageLoadsNothing(t *testing.T) {
	var page bytes.Buffer
	if err := reportOf(time.Time{}, seeded(50), PageGroupings()...).WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	checkPage(t, page.String())
	for _, bad := range []string{"@import", "url(", "NaN", "ZgotmplZ"} {
		if strings.Contains(page.String(), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if !strings.Contains(page.String(), "default-src 'none'") {
		t.Error("the page has no policy that forbids requests")
	}
}

// checkPage fails for elements and attributes that run or load something.
func checkPage(t *testing.T, page string) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(page))
	for z.Next() != html.ErrorToken {
		token := z.Token()
		if token.Type != html.StartTagToken && token.Type != html.SelfClosingTagToken {
			continue
		}
		if slices.Contains([]string{"script", "img", "iframe", "object", "embed", "a", "form", "base", "image", "use"}, token.Data) {
			t.Errorf("the page has %s", token)
		}
		for _, a := range token.Attr {
			loads := a.Key == "src" || a.Key == "href" && a.Val != "data:,"
			if loads || strings.HasPrefix(a.Key, "on") {
				t.Errorf("the page has %s", token)
			}
		}
	}
}

func TestAmounts(t *testing.T) {
	for text, want := range map[carbonv1alpha1.Decimal][2]string{
		"0": {"0", "0.00"}, "-0.004": {"-0.004", "0.00"}, "1234567.891": {"1234567.891", "1,234,567.89"},
		"-1234.5": {"-1234.5", "-1,234.50"}, "0.000000001": {"0.000000001", "0.00"}, "12.500": {"12.5", "12.50"},
	} {
		a, err := ParseAmount(text)
		if err != nil || a.String() != want[0] || a.Fixed(2) != want[1] {
			t.Errorf("%s: %s, %s, %v; want %v", text, a, a.Fixed(2), err, want)
		}
	}
	for _, bad := range []carbonv1alpha1.Decimal{"", "x", "1e5", "NaN", "1.2.3"} {
		if a, err := ParseAmount(bad); err == nil {
			t.Errorf("%q is %s, want an error", bad, a)
		}
	}
}

func TestParseDimensions(t *testing.T) {
	if by, err := ParseDimensions("namespace, day"); err != nil || len(by) != 2 || by[1] != ByDay {
		t.Errorf("got %v, %v", by, err)
	}
	for _, bad := range []string{"", "team", "day,day"} {
		if _, err := ParseDimensions(bad); err == nil || !strings.Contains(err.Error(), "--by") {
			t.Errorf("%q: %v, want an error that names --by", bad, err)
		}
	}
}

func BenchmarkReportOf10000Jobs(b *testing.B) {
	jobs := seeded(10_000)
	b.ReportAllocs()
	for b.Loop() {
		reportOf(time.Time{}, jobs, PageGroupings()...)
	}
}

func reportOf(since time.Time, jobs []*carbonv1alpha1.CarbonAwareJob, groupings ...[]Dimension) *Report {
	b := NewBuilder(since, groupings...)
	for _, j := range jobs {
		b.Add(j)
	}
	return b.Build(lastDay, "All namespaces")
}

func readCSV(t *testing.T, r *Report) [][]string {
	t.Helper()
	var out bytes.Buffer
	if err := r.WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}
