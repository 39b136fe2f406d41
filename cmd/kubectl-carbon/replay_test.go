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
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// paperTrace is the history of the published figures.
func paperTrace(t *testing.T) string {
	t.Helper()
	path := filepath.Join(repository, "..", "shared", "data", "traces", "gb-2026-02-14.csv")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("SKIPPED: the trace of the paper is not part of this repository (%s)", path)
	}
	return path
}

// The published tables are what the commands above them print.
func TestThePublishedTablesAreWhatReplayPrints(t *testing.T) {
	trace, count := paperTrace(t), 0
	files := strings.NewReplacer("gb.csv", trace, "east.csv", sixHoursEarlier(t, trace), "past.csv", withoutForecasts(t, trace))
	for _, name := range []string{"README.md", "docs/replay.md"} {
		file := filepath.Join(repository, name)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fresh := commandBlock.ReplaceAllStringFunc(string(text), func(block string) string {
			command := commandBlock.FindStringSubmatch(block)[1]
			if !strings.HasPrefix(command, "replay ") {
				return block
			}
			count++
			out, err := run(t, 0, nil, strings.Fields(files.Replace(command))...)
			if err != nil {
				t.Errorf("%s: kubectl carbon %s: %v", name, command, err)
			}
			for line := range strings.Lines(out) {
				if len(strings.TrimSuffix(line, "\n")) > 80 {
					t.Errorf("kubectl carbon %s: wider than a terminal of 80 columns: %s", command, line)
				}
			}
			return "```\n$ kubectl carbon " + command + "\n" + out + "```\n"
		})
		switch {
		case fresh == string(text):
		case *update:
			if err := os.WriteFile(file, []byte(fresh), 0o600); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("%s shows other output than kubectl carbon replay prints: run make docs-output", name)
		}
	}
	if count < 8 {
		t.Errorf("only %d replays were found in the documents", count)
	}
}

// sixHoursEarlier makes the second region of docs/replay.md, as the command there does.
func sixHoursEarlier(t *testing.T, trace string) string {
	t.Helper()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	shifted := lines[:1:1]
	for i := 1; i+12 < len(lines); i++ {
		times, values := strings.SplitN(lines[i], ",", 3), strings.SplitN(lines[i+12], ",", 3)
		shifted = append(shifted, times[0]+","+times[1]+","+values[2])
	}
	return writeFile(t, strings.Join(shifted, "\n"))
}

// withoutForecasts makes the history without forecasts of docs/replay.md, as the command there does.
func withoutForecasts(t *testing.T, trace string) string {
	t.Helper()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	var past strings.Builder
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), ",")
		fmt.Fprintf(&past, "%s,%s,%s\n", cells[0], cells[1], cells[3])
	}
	return writeFile(t, past.String())
}

func TestSweepForPrograms(t *testing.T) {
	const step = time.Hour
	var rows strings.Builder
	rows.WriteString("from,to,intensity_forecast,intensity_actual\n")
	first := instant("2026-01-01T00:00Z")
	for i := range 50 { // two days, and not enough of a third for longer delays
		from := first.Add(time.Duration(i) * step)
		fmt.Fprintf(&rows, "%s,%s,%d,%d\n", from.Format(ukTime), from.Add(step).Format(ukTime), 100+i%24, 110+i%24)
	}
	file := writeFile(t, rows.String())
	out, err := run(t, 0, nil, "replay", "--trace", file, "--sweep", "-o", "json")
	var results []map[string]any
	if err != nil || json.Unmarshal([]byte(out), &results) != nil || len(results) != 16 {
		t.Fatalf("%v: %s", err, out)
	}
	if r := results[1]; r["maxDelay"] != "4h" || r["duration"] != "1h" || r["days"] != 1.0 || len(r) != 5 {
		t.Errorf("%v", r)
	}
	if r := results[15]; r["maxDelay"] != "48h" || r["duration"] != "4h" || r["days"] != 0.0 {
		t.Errorf("%v", r)
	}
	out, err = run(t, 0, nil, "replay", "--trace", file, "--sweep", "-o", "csv")
	if err != nil || !strings.HasPrefix(out, "maxDelay,duration,policy,scenarios,") || !strings.Contains(out, "\n12h,2h,argmin,24,1,") || strings.Contains(out, "48h") {
		t.Errorf("%v: %s", err, out)
	}
	out, err = run(t, 0, nil, "replay", "--trace", file, "--sweep")
	if err != nil || !strings.Contains(out, "48h        4h       0       -       -          -        -          -    0/0\n") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestReplayForPrograms(t *testing.T) {
	trace := paperTrace(t)
	out, err := run(t, 0, nil, "replay", "--trace", trace, "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	var result map[string]any
	if err := json.Unmarshal([]byte(out), &result); err != nil {
		t.Fatal(err)
	}
	policies, _ := result["policies"].(map[string]any)
	argmin, _ := policies["argmin"].(map[string]any)
	if result["scenarios"] != 1392.0 || result["days"] != 29.0 || len(result) != 3 || len(policies) != 4 || argmin["grams"] != 79.7655 {
		t.Errorf("%s", out)
	}
	for _, field := range []string{
		"grams", "reductionPercent", "oracleCapturePercent", "daysWorse", "meanDelayHours", "medianDelayHours", "worseThanNowPercent", "peakStartsPerMinute",
	} {
		if _, there := argmin[field]; !there || len(argmin) != 8 {
			t.Errorf("%s is missing, or there are others: %v", field, argmin)
		}
	}
	out, err = run(t, 0, nil, "replay", "--region", "gb="+trace, "--region", "again="+trace, "--policy", "argmin", "-o", "csv")
	if lines := strings.Split(out, "\n"); err != nil || len(lines) != 3 || !strings.HasPrefix(lines[1], "argmin,1392,29,79.7655,") {
		t.Errorf("%s %v", out, err)
	}
}

// Many sources have quarter hours, 35,040 a year: more than a trace in a cluster may have.
func TestAYearOfQuarterHours(t *testing.T) {
	const step = 15 * time.Minute
	var rows strings.Builder
	rows.WriteString("from,to,intensity_forecast,intensity_actual\n")
	first := instant("2025-01-01T00:00Z")
	for i := range 365 * 96 {
		from := first.Add(time.Duration(i) * step)
		fmt.Fprintf(&rows, "%s,%s,%d,%d\n", from.Format(ukTime), from.Add(step).Format(ukTime), 100+i%96, 110+i%96)
	}
	out, err := run(t, 0, nil, "replay", "--trace", writeFile(t, rows.String()), "--policy", "now")
	if err != nil || !strings.HasPrefix(out, "34944 jobs on 364 days, 2025-01-01 to 2025-12-30") {
		t.Errorf("%s %v", out, err)
	}
}

func TestReplayDraws(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gb.svg")
	if _, err := run(t, 0, nil, "replay", "--trace", paperTrace(t), "--policy", "default", "--plot", file); err != nil {
		t.Fatal(err)
	}
	svg, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"A representative day: 2026-02-21", "default ran at", "79.77 g (10.0 % less)", "Reduction of each day"} {
		if !strings.Contains(string(svg), text) {
			t.Errorf("the figures do not say %q", text)
		}
	}
	if err := xml.Unmarshal(svg, new(struct{})); err != nil {
		t.Errorf("not an SVG file: %v", err)
	}
}

func TestReplaySaysWhatIsWrong(t *testing.T) {
	good := writeFile(t, "from,to,intensity_forecast,intensity_actual\n2026-02-14T00:00Z,2026-02-14T00:30Z,100,100\n")
	bad := writeFile(t, "from,to,intensity_forecast,intensity_actual\n2026-02-14T00:00Z,2026-02-14T00:30Z,100,100\n2026-02-14T00:30Z,2026-02-14T01:00Z,-7,100\n")
	day := writeFile(t, "from,to,intensity_actual\n2026-02-14T00:00Z,2026-02-15T00:00Z,100\n2026-02-15T00:00Z,2026-02-16T00:00Z,100\n")
	for want, args := range map[string][]string{
		"line 3: intensity_forecast: \"-7\" is not an intensity": {"--trace", bad},
		"no day to replay": {"--trace", good},
		"take a longer history, or shorten --max-delay or --duration":                          {"--trace", good},
		"--max-delay must be whole seconds and not negative":                                   {"--trace", good, "--max-delay", "-1h"},
		"--duration must be whole seconds and at least one":                                    {"--trace", good, "--duration", "1500ms"},
		"--actuals-after must not be negative":                                                 {"--trace", good, "--sweep", "--actuals-after", "-1h"},
		"--jobs-per-day must not be negative":                                                  {"--trace", good, "--jobs-per-day", "-1"},
		"--jobs-per-day must be at most 4000000 for the 1 days of this history, got 999999999": {"--trace", day, "--jobs-per-day", "999999999"},
		"--max-starts-per-window must not be negative":                                         {"--trace", good, "--jobs-per-day", "1", "--max-starts-per-window", "-1"},
		"--region: gb is there twice":                                                          {"--region", "gb=" + good, "--region", "gb=" + good},
		"no such file":                                                                         {"--trace", "nowhere.csv"},
		"[trace region] is required":                                                           {},
		"were all set":                                                                         {"--trace", good, "--region", "gb=" + good},
		"is not NAME=FILE":                                                                     {"--region", good},
		"--policy: \"best\" is not one of now":                                                 {"--trace", good, "--policy", "best"},
		"--policy names none":                                                                  {"--trace", good, "--policy", ""},
		"--energy-kwh must be above 0":                                                         {"--trace", good, "--energy-kwh", "1e300"},
		"--output: \"xml\" is not table, json":                                                 {"--trace", good, "-o", "xml"},
		"--plot: \"x.png\" must end in .svg":                                                   {"--trace", good, "--plot", "x.png"},
		"--sweep has delays, durations":                                                        {"--trace", good, "--sweep", "--duration", "2h"},
		"leave out --plot":                                                                     {"--trace", good, "--sweep", "--plot", "x.svg"},
		"about a herd: add --jobs-per-day":                                                     {"--trace", good, "--max-starts-per-window", "7"},
		"--arrivals: \"lunch\" is not":                                                         {"--trace", good, "--arrivals", "lunch"},
		"unknown command \"x\"":                                                                {"x"},
		"required flag(s) \"from\", \"to\" not set":                                            {"fetch"},
		"--from: \"today\" is not a date":                                                      {"fetch", "--from", "today", "--to", "2026-01-01"},
		"--to: \"2026-01-01\" is not a date after":                                             {"fetch", "--from", "2026-01-01", "--to", "2026-01-01"},
		"--region-id: 18 is not":                                                               {"fetch", "--from", "2026-01-01", "--to", "2026-01-02", "--region-id", "18"},
	} {
		out, err := run(t, 0, nil, append([]string{"replay"}, args...)...)
		if err == nil || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("%v: want %q, got %v and %q", args, want, err, out)
		}
	}
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const (
	slotLength = 30 * time.Minute
	ukTime     = "2006-01-02T15:04Z"
)

func instant(text string) time.Time {
	t, err := time.Parse(ukTime, text)
	if err != nil {
		panic(err)
	}
	return t
}

// ukAPI plays the API: the half hour that ends at the start of the span comes along, as it really does.
type ukAPI struct{ calls []string }

func (a *ukAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	a.calls = append(a.calls, r.URL.Path)
	parts := strings.Split(r.URL.Path, "/")
	from, to := instant(parts[len(parts)-2]), instant(parts[len(parts)-1])
	var slots []map[string]any
	for at := from.Add(-slotLength); at.Before(to); at = at.Add(slotLength) {
		slots = append(slots, map[string]any{
			"from": at.Format(ukTime), "to": at.Add(slotLength).Format(ukTime),
			"intensity": map[string]any{"forecast": 100 + at.Hour(), "actual": 90 + at.Hour()},
		})
	}
	body, err := json.Marshal(map[string]any{"data": slots})
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(body))), Header: http.Header{}}, err
}

func TestFetchWritesWhatReplayReads(t *testing.T) {
	api := &ukAPI{}
	file := filepath.Join(t.TempDir(), "gb.csv")
	fetch := newFetch(&http.Client{Transport: api})
	fetch.SetArgs([]string{"--from", "2026-01-01", "--to", "2026-02-01", "--file", file})
	if err := fetch.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	trace, err := forecast.ParseTrace(f)
	if err != nil || len(trace.Forecast.Grams) != 31*48 || len(api.calls) != 3 || trace.Forecast.Empty() || trace.Actual.Grams[31*48-1] != 113 {
		t.Fatalf("%d slots by %v: %v", len(trace.Forecast.Grams), api.calls, err)
	}
	if out, err := run(t, 0, nil, "replay", "--trace", file); err != nil || !strings.HasPrefix(out, "1440 jobs on 30 days, 2026-01-01 to 2026-01-30") {
		t.Errorf("%s %v", out, err)
	}
}
