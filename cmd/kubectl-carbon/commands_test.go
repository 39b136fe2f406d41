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
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/controller"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// Every mistake of a person gets an answer that names it.
func TestMistakesAreNamed(t *testing.T) {
	for args, want := range map[string]string{
		"report --by team":         "namespace model region day job",
		"report --since yesterday": "--since",
		"report -o pdf":            "--output",
		"forecast mars":            "there are: de, eu-north, gb",
		"forecast gb --hours 0":    "--hours",
		"forecast gb --chart loud": "--chart",
		"forecast gb --duration 0": "--duration",
		"forecast gb --windows 0":  "--windows",
		"explain":                  "accepts 1 arg(s)",
		"plan":                     "filename",
		"plan -f nowhere.yaml":     "nowhere.yaml",
		"plan -f docs_test.go":     "docs_test.go",
		"plan -f ../../docs/examples/job.yaml --at x":    "--trace",
		"plan -f ../../docs/examples/job.yaml --trace x": "--trace x",
		"explain nobody -n nlp":                          "no CarbonAwareJob nobody in namespace nlp",
	} {
		out, err := run(t, 80, example(), strings.Fields(args)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q; printed %s", args, err, want, out)
		}
	}
}

func TestReportLooksWhereItIsTold(t *testing.T) {
	jobs := func(args ...string) int {
		out, err := run(t, 0, example(), append([]string{"report", "-o", "json"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		var r struct{ Total struct{ Jobs int } }
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		return r.Total.Jobs
	}
	all, parts := jobs("-A"), jobs("-n", "nlp")+jobs("-n", "search")+jobs("-n", "vision")
	if all != 201 || parts != all {
		t.Errorf("%d jobs in all namespaces, %d in the three", all, parts)
	}
	if week, nothing := jobs("-A", "--since", "7d"), jobs("-A", "--since", "2026-12-01"); week == 0 || week >= all || nothing != 0 {
		t.Errorf("%d jobs of the last week, %d of the future", week, nothing)
	}
}

func TestForecastIsPlainWhenPiped(t *testing.T) {
	out, err := run(t, 0, example(), "forecast", "gb")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 97 || strings.ContainsAny(out, "█\x1b") || !strings.HasPrefix(lines[1], "2026-11-24T12:00:00Z    287") {
		t.Errorf("%d lines, the first two %q", len(lines), lines[:2])
	}
}

func TestForecastChartAt200Columns(t *testing.T) {
	for _, width := range []int{80, 200} {
		out, err := run(t, width, example(), "forecast", "gb")
		if err != nil {
			t.Fatal(err)
		}
		widest := 0
		for line := range strings.Lines(out) {
			widest = max(widest, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")))
		}
		if widest > width || widest < width*3/4 {
			t.Errorf("%d columns: the widest line has %d", width, widest)
		}
	}
}

// What a file is that has no job in it, or a job with a mistake, is said in the words of the file.
func TestPlanNamesWhatItFound(t *testing.T) {
	head := "apiVersion: carbon.ecotracker.dev/v1alpha1\nkind: CarbonAwareJob\nmetadata: {name: x}\nspec: "
	for text, want := range map[string]string{
		"apiVersion: batch/v1\nkind: Job":                            "want a CarbonAwareJob (carbon.ecotracker.dev/v1alpha1), found a Job (batch/v1)",
		"kind: Job\n---\napiVersion: v1\n":                           "found a Job (no apiVersion), a thing without a kind (v1)",
		"apiVersion: carbon.ecotracker.dev/v1\nkind: CarbonAwareJob": "found a CarbonAwareJob (carbon.ecotracker.dev/v1)",
		"":                                       "found nothing",
		"---\n# only a comment\n":                "found nothing",
		"just a text":                            "document 1: not an object of Kubernetes: found a text, want an object",
		"a: 1\n---\n- a":                         "document 2: not an object of Kubernetes: found a list, want an object",
		"a: [b":                                  "document 1: ",
		head + "{regions: gb}":                   "CarbonAwareJob x: spec.regions: found a text, want a list",
		head + "{suspend: 1}":                    "spec.suspend: found a number, want true or false",
		head + "{maxdelay: 4h, llm: {nodel: y}}": `unknown field "spec.llm.nodel", unknown field "spec.maxdelay"`,
		head + "{maxDelay: 4 hours}":             `spec.maxDelay: "4 hours": time: unknown unit`,
		head + "{energy: {kWh: lots}}":           `spec.energy: {"kWh":"lots"}: quantities must match`,
	} {
		_, err := readJobs("-", strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "standard input: ") {
			t.Errorf("%q: %v, want an error with %q", text, err, want)
		} else if strings.Contains(err.Error(), "Go ") || strings.Contains(err.Error(), "v1alpha1.") {
			t.Errorf("%q: %v names a type of Go", text, err)
		}
	}
}

func TestPlanReadsJSONListsAndSeveralDocuments(t *testing.T) {
	job := func(name string) string {
		return `{"apiVersion": "carbon.ecotracker.dev/v1alpha1", "kind": "CarbonAwareJob", "metadata": {"name": "` + name + `"}}`
	}
	for name, text := range map[string]string{
		"documents in YAML": "---\n" + job("a") + "\n---\napiVersion: v1\nkind: ConfigMap\n---\n" + job("b") + "\n---\n",
		"objects in JSON":   job("a") + "\n" + job("b"),
		"a List":            `{"apiVersion": "v1", "kind": "List", "items": [` + job("a") + "," + job("b") + `]}`,
		"a List in YAML":    "apiVersion: v1\nkind: List\nitems:\n- " + job("a") + "\n- " + job("b"),
		"a list of ours":    `{"apiVersion": "carbon.ecotracker.dev/v1alpha1", "kind": "CarbonAwareJobList", "items": [` + job("a") + "," + job("b") + `]}`,
	} {
		jobs, err := readJobs("-", strings.NewReader(text))
		if err != nil || len(jobs) != 2 || jobs[0].Name != "a" || jobs[1].Name != "b" {
			t.Errorf("%s: %v, %v", name, jobs, err)
		}
	}
}

// planned is what a plan against the trace of a day says.
func planned(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return plannedOf(t, "../../docs/examples/job.yaml", args...)
}

func plannedOf(t *testing.T, file string, args ...string) (string, error) {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "gb.csv")
	table := "from,to,intensity_forecast\n2026-02-14T00:00Z,2026-02-14T01:00Z,300\n2026-02-14T01:00Z,2026-02-14T02:00Z,200\n" +
		"2026-02-14T02:00Z,2026-02-14T03:00Z,100\n2026-02-14T03:00Z,2026-02-14T04:00Z,250\n"
	if err := os.WriteFile(trace, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	args = append([]string{"plan", "-f", file, "--trace", "gb=" + trace}, args...)
	return run(t, 0, nil, args...)
}

func TestPlanWithoutACluster(t *testing.T) {
	out, err := planned(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"waits 2h for 100 g/kWh in gb, 67 % below now", "120 g instead of 360 g", "GridRegion de does not exist", "8h (its own)"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if out, err = planned(t, "--at", "2026-02-14T02:30:00Z"); err != nil || !strings.Contains(out, "starts now: gb is at its greenest") {
		t.Errorf("at half past two: %v\n%s", err, out)
	}
}

// The model is a part of what would happen: a plan tells of it, and its grams are those of the model.
func TestPlanTellsOfTheModel(t *testing.T) {
	file := filepath.Join(t.TempDir(), "job.yaml")
	job := `apiVersion: carbon.ecotracker.dev/v1alpha1
kind: CarbonAwareJob
metadata: {name: summaries}
spec:
  regions: [gb]
  maxDelay: 0s
  llm:
    modelEnv: OPENAI_MODEL
    workload: {calls: 1000, outputTokensPerCall: 200}
    downgrade: {model: gpt-4o-mini, aboveGramsPerKWh: 250}
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: main, image: example.org/job:1, env: [{name: OPENAI_MODEL, value: gpt-4o}]}]
`
	if err := os.WriteFile(file, []byte(job), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := plannedOf(t, file)
	for _, want := range []string{
		"It would run with gpt-4o-mini instead of gpt-4o: 300 g/kWh is above the limit of 250.", "With 1000 calls of gpt-4o-mini with 200 output tokens each", "at once at home with gpt-4o (-",
	} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%v: it does not say %q:\n%s", err, want, out)
		}
	}
	if out, err = planned(t); err != nil || !strings.Contains(out, "It would keep gpt-4o: 100 g/kWh is not above the limit of 300.") {
		t.Errorf("%v:\n%s", err, out)
	}
	if out, err = plannedOf(t, file, "-o", "json"); err != nil {
		t.Fatal(err)
	}
	var choices []choice
	if err := json.Unmarshal([]byte(out), &choices); err != nil {
		t.Fatal(err)
	}
	for _, c := range choices {
		wantModel := map[string]string{"0s": "gpt-4o-mini", "1h": "gpt-4o", "4h": "gpt-4o"}[c.MaxDelay]
		if wantModel != "" && c.Model != wantModel {
			t.Errorf("with a delay of %s the model is %s, want %s", c.MaxDelay, c.Model, wantModel)
		}
		saved := 1 - *c.Grams / *c.NowGrams
		if byTime := 1 - *c.GramsPerKWh / *c.NowGramsPerKWh; (c.Model == "gpt-4o") != (saved-byTime < 1e-6 && byTime-saved < 1e-6) {
			t.Errorf("with a delay of %s and %s %f is saved, by time alone %f", c.MaxDelay, c.Model, saved, byTime)
		}
	}
	if len(choices) != 5 {
		t.Errorf("got %d choices", len(choices))
	}
}

// Wide is for people, with more columns and no limit to their width.
func TestWideHasMoreColumns(t *testing.T) {
	for args, want := range map[string]string{
		"forecast -o wide": "AGAINST-NOW  SOURCE  SIGNAL  FETCHED",
		"plan -f ../../docs/examples/job.yaml -o wide": "GRAMS  MODEL   NOW-G/KWH  NOW-GRAMS  CHOSEN",
	} {
		out, err := run(t, 60, example(), strings.Fields(args)...)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v: it does not have %s:\n%s", args, err, want, out)
		}
	}
}

// A plan is the one that the operator makes: the same start and the same sentence.
func TestPlanIsThatOfTheOperator(t *testing.T) {
	jobs, err := readJobs("../../docs/examples/job.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	var regions []carbonv1alpha1.GridRegion
	for _, o := range example() {
		if r, ok := o.(*carbonv1alpha1.GridRegion); ok {
			regions = append(regions, *r)
		}
	}
	plan, err := controller.Preview(jobs[0], regions, noon)
	if err != nil {
		t.Fatal(err)
	}
	out, err := run(t, 0, example(), "plan", "-f", "../../docs/examples/job.yaml")
	if err != nil || !strings.Contains(out, plan.Message()) || !strings.Contains(out, when(plan.Start)) {
		t.Errorf("%v: it does not say %q and %s:\n%s", err, plan.Message(), when(plan.Start), out)
	}
}

// Programs read the same as people, with all digits, in three formats.
func TestForecastsAndPlansForPrograms(t *testing.T) {
	for args, want := range map[string]string{
		"forecast gb -o csv":                           "gb,2026-11-24T12:00:00Z,2026-11-24T12:30:00Z,287,Forecast,false\n",
		"forecast gb -o json":                          `"from": "2026-11-24T12:00:00Z",`,
		"forecast gb -o yaml":                          "  gramsPerKWh: 287\n  greenest: false\n  quality: Forecast\n",
		"forecast -o csv":                              "eu-north,2026-11-24T12:00:00Z,2026-11-24T13:00:00Z,185,AnnualMean,",
		"plan -f ../../docs/examples/job.yaml -o csv":  "nightly-eval,,8h,true,gb,2026-11-24T20:00:00Z,214,287,256.8,344.4,gpt-4o,true,\n",
		"plan -f ../../docs/examples/job.yaml -o json": `"maxDelay": "8h",`,
		"plan -f ../../docs/examples/job.yaml -o yaml": "  maxDelay: 24h\n",
	} {
		out, err := run(t, 80, example(), strings.Fields(args)...)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v: it does not have %q:\n%s", args, err, want, out)
		}
		var list []map[string]any
		if strings.HasSuffix(args, "json") && (json.Unmarshal([]byte(out), &list) != nil || len(list) < 10) {
			t.Errorf("%s: no list of objects:\n%s", args, out)
		}
	}
	for _, args := range []string{"forecast gb -o pdf", "plan -f ../../docs/examples/job.yaml -o html", "explain nightly-eval -n nlp -o xml"} {
		if _, err := run(t, 80, example(), strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), "table, wide, json, yaml, csv") {
			t.Errorf("%s: %v", args, err)
		}
	}
}

func TestGreenestWindowsDoNotOverlap(t *testing.T) {
	series := forecast.Series{Start: noon, Step: time.Hour, Grams: []float64{5, 1, 4, 2, 9, 3}}
	windows := greenestWindows(series, noon, time.Hour, 10)
	if len(windows) != 6 {
		t.Fatalf("got %v", windows)
	}
	for i, want := range []float64{1, 2, 3, 4, 5, 9} {
		if windows[i].Grams != want {
			t.Errorf("window %d has %v, want %v", i, windows[i].Grams, want)
		}
	}
	if two := greenestWindows(series, noon, 2*time.Hour, 10); len(two) != 2 || two[0].Grams != 2.5 {
		t.Errorf("got %v", two)
	}
}

func TestTheShellCompletes(t *testing.T) {
	for args, want := range map[string]string{
		"__complete forecast ":         "eu-north",
		"__complete explain -n nlp ":   "nightly-eval",
		"__complete report --by ":      "region",
		"__complete report --context ": "two",
	} {
		out, err := run(t, 0, example(), append(strings.Fields(args), "")...)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v, got %s", args, err, out)
		}
	}
}

func TestSince(t *testing.T) {
	for text, want := range map[string]time.Time{
		"": {}, "36h": noon.Add(-36 * time.Hour), "30d": noon.AddDate(0, 0, -30), "0.5d": noon.Add(-12 * time.Hour),
		"2026-11-01": time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), "2026-11-01T10:00:00+01:00": time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC),
	} {
		if got, err := parseSince(text, noon); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, bad := range []string{"-1h", "30", "d", "-3d", "1h30d", "NaNd", "1.2.3d", "tomorrow"} {
		if got, err := parseSince(bad, noon); err == nil {
			t.Errorf("%q is %v, want an error", bad, got)
		}
	}
}

func TestReportSetsTheOperatorsOwnGramsAgainstTheAvoided(t *testing.T) {
	var asked string
	prometheus := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.FormValue("query")
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"12.5"]}]}}`))
	}))
	defer prometheus.Close()
	for _, format := range []string{"table", "html"} {
		out, err := run(t, 80, example(), "report", "-A", "--since", "30d", "-o", format, "--prometheus", prometheus.URL)
		if err != nil || !strings.Contains(out, "the operator itself emitted 12.5 g") || !strings.Contains(out, "times as much") {
			t.Errorf("%s: %v\n%s", format, err, out)
		}
	}
	if want := "sum(increase(ecotracker_operator_emissions_grams_total[2592000s]))"; asked != want {
		t.Errorf("asked %s, want %s", asked, want)
	}
	if _, err := run(t, 80, example(), "report", "--prometheus", prometheus.URL); err == nil || !strings.Contains(err.Error(), "--since") {
		t.Errorf("without --since: %v", err)
	}
}
