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

package audit

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// The lines of a life: the plan for 10:00, the Job, its start, its record.
func caj(version int, status string) string {
	return fmt.Sprintf(`{"verb":"patch","user":{"username":"op"},"objectRef":{"resource":"carbonawarejobs","namespace":"ns","name":"x"},`+
		`"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-01-01T09:00:00.000000Z","responseObject":{"kind":"CarbonAwareJob",`+
		`"metadata":{"name":"x","namespace":"ns","uid":"u","resourceVersion":"%d"},"status":%s}}`, version, status)
}

// edited is one by a person, of a time and a generation of its spec.
func edited(version, generation int, received, spec, status string) string {
	return fmt.Sprintf(`{"verb":"patch","user":{"username":"me"},"objectRef":{"resource":"carbonawarejobs","namespace":"ns","name":"x"},`+
		`"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-01-01T%s.000000Z","responseObject":{"kind":"CarbonAwareJob",`+
		`"metadata":{"name":"x","namespace":"ns","uid":"u","resourceVersion":"%d","generation":%d},"spec":%s,"status":%s}}`, received, version, generation, spec, status)
}

// deleted is the last that is seen of one.
func deleted(version int, status string) string {
	return strings.Replace(caj(version, status), `"metadata":{`, `"metadata":{"deletionTimestamp":"2026-01-01T12:00:00Z",`, 1)
}

// ending is a Job with a status; its start is in the log already.
func ending(version int, status string) string {
	return strings.Replace(job(version, "j", "10:00:01", start), `"responseObject":{`, `"responseObject":{"status":`+status+`,`, 1)
}

func job(version int, uid, received, annotations string) string {
	return fmt.Sprintf(`{"verb":"patch","user":{"username":"op"},"objectRef":{"resource":"jobs","namespace":"ns","name":"x"},`+
		`"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-01-01T%s.000000Z","responseObject":{"kind":"Job",`+
		`"metadata":{"name":"x","namespace":"ns","uid":"%s","resourceVersion":"%d","annotations":{%s},`+
		`"ownerReferences":[{"kind":"CarbonAwareJob","name":"x","uid":"u","controller":true,"apiVersion":"x"}]}}}`, received, uid, version, annotations)
}

const (
	start = `"carbon.ecotracker.dev/start":"{}"`
	final = `{"emissions":{"actualGrams":"%s"},"conditions":[{"type":"EmissionsRecorded","status":"True"}]}`
)

var (
	plan    = caj(1, `{"plan":{"start":"2026-01-01T10:00:00Z"}}`)
	created = job(2, "j", "09:00:01", "")
	started = job(3, "j", "10:00:00", start)
	record  = caj(4, fmt.Sprintf(final, "5"))
	runs    = ending(4, `{"startTime":"2026-01-01T10:00:00Z"}`)
	ended   = ending(5, `{"startTime":"2026-01-01T10:00:00Z","conditions":[{"type":"Complete","status":"True"}]}`)
)

// status is one with conditions.
func status(conditions ...string) string {
	return `{"plan":{"start":"2026-01-01T10:00:00Z"},"conditions":[` + strings.Join(conditions, ",") + `]}`
}

// condition is one as JSON.
func condition(kind, status, reason string) string {
	return fmt.Sprintf(`{"type":%q,"status":%q,"reason":%q}`, kind, status, reason)
}

// write makes a log of lines.
func write(t *testing.T, lines ...string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "audit.jsonl")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A write whose answer was lost is in no log: what is there counts.
func TestWhatIsThereCountsAsWritten(t *testing.T) {
	events, err := Read("ns", write(t, plan, created, started, runs, ended))
	if err != nil {
		t.Fatal(err)
	}
	if broken := Broken(Lives(events)); len(broken) != 1 {
		t.Fatalf("without its record: %v", broken)
	}
	with, err := Read("ns", write(t, plan, created, started, runs, ended, record))
	if err != nil {
		t.Fatal(err)
	}
	var now *carbonv1alpha1.CarbonAwareJob
	for _, e := range with {
		now = cmp.Or(e.CarbonAwareJob, now)
	}
	if broken := Broken(Lives(append(events, Seen(now, time.Now())))); len(broken) > 0 {
		t.Errorf("with its record, which is there: %v", broken)
	}
	if life := Lives(append(with, Seen(now, time.Now())))[now.UID]; life.Records != 1 || life.Changed {
		t.Errorf("a record that is in the log and there counts as %d, changed: %t", life.Records, life.Changed)
	}
}

func TestBrokenPromisesAreSeen(t *testing.T) {
	for name, test := range map[string]struct {
		lines []string
		want  string
	}{
		"a good life":      {[]string{plan, created, started, record}, ""},
		"two logs, mixed":  {[]string{started, record, plan, created}, ""},
		"a pause is none":  {[]string{plan, created, started, job(5, "j", "10:30:00", start)}, ""},
		"a second Job":     {[]string{plan, created, started, job(5, "other", "11:00:00", "")}, "promise 2"},
		"a second start":   {[]string{plan, created, started, job(5, "j", "11:00:00", ""), job(6, "j", "11:00:01", start)}, "promise 1: it was started 2 times"},
		"too early":        {[]string{plan, created, job(3, "j", "09:59:59", start)}, "promise 1: it was started at"},
		"a changed record": {[]string{plan, created, started, record, caj(5, fmt.Sprintf(final, "6"))}, "promise 3"},

		"it runs":                   {[]string{plan, created, started, runs}, ""},
		"no record":                 {[]string{plan, created, started, runs, ended}, "promise 3: it ran and has ended"},
		"no record in the status":   {[]string{plan, created, started, runs, ended, caj(6, status(condition("Complete", "True", "Completed")))}, "promise 3: it ran"},
		"no record of a lost Job":   {[]string{plan, created, started, runs, caj(6, status(condition("Failed", "True", "JobDeleted")))}, "promise 3: it ran"},
		"no record: it never ran":   {[]string{plan, created, started, runs, ended, caj(6, status(condition("EmissionsRecorded", "False", "NeverRan")))}, "promise 3: it ran"},
		"nothing known to record":   {[]string{plan, created, started, runs, ended, caj(6, status(condition("EmissionsRecorded", "False", "EnergyUnknown")))}, ""},
		"it failed and never ran":   {[]string{plan, created, started, caj(6, status(condition("Failed", "True", "JobDeleted")))}, ""},
		"its record":                {[]string{plan, created, started, runs, ended, caj(6, fmt.Sprintf(final, "5"))}, ""},
		"deleted before its record": {[]string{plan, created, started, runs, ended, deleted(6, status())}, ""},
		"deleted, and in a budget":  {[]string{plan, created, started, runs, ended, deleted(6, status(condition("WithinBudget", "True", "Reserved")))}, "promise 3: it ran"},
	} {
		file := filepath.Join(t.TempDir(), "audit.jsonl")
		text := strings.Join(test.lines, "\n") + "\n" + plan[:len(plan)/2] // a server died while it wrote
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		events, err := Read("ns", file)
		if err != nil {
			t.Fatal(err)
		}
		lives := Lives(events)
		broken := Broken(lives)
		if test.want == "" && len(broken) > 0 || test.want != "" && (len(broken) != 1 || !strings.Contains(broken[0], test.want)) {
			t.Errorf("%s: %q", name, broken)
		}
		if len(lives) != 1 || len(lives["u"].Starts) == 0 {
			t.Errorf("%s: %d lives, %+v", name, len(lives), lives["u"])
		}
	}
}

func TestLateStartsAreSeen(t *testing.T) {
	const latest = `{"plan":{"start":"2026-01-01T10:00:00Z","latestStart":"2026-01-01T11:00:00Z"},"conditions":[%s]}`
	plan := caj(1, fmt.Sprintf(latest, ""))
	at := func(received string) string { return job(9, "j", received, start) }
	free := func(version, generation int, received string) string {
		return edited(version, generation, received, "{}", fmt.Sprintf(latest, ""))
	}
	hold := func(version int, received, held string) string {
		return edited(version, 0, received, "{}", fmt.Sprintf(latest, held))
	}
	noRoom, invalid := condition("WithinBudget", "False", "BudgetHold"), condition("Ready", "False", "Invalid")
	for name, test := range map[string]struct {
		lines []string
		calm  string
		late  bool
	}{
		"at its planned start":            {[]string{plan, created, at("10:00:00")}, "", false},
		"at its latest start":             {[]string{plan, created, at("11:00:00")}, "", false},
		"after it":                        {[]string{plan, created, at("11:00:01")}, "", true},
		"an outage until after it":        {[]string{plan, created, at("11:20:01")}, "11:20:00", false},
		"an outage that ended before it":  {[]string{plan, created, at("11:20:00")}, "10:58:00", true},
		"long after an outage":            {[]string{plan, created, at("11:20:00")}, "11:10:00", true},
		"held by a person":                {[]string{plan, created, edited(3, 1, "10:30:00", `{"suspend":true}`, fmt.Sprintf(latest, "")), free(4, 2, "11:30:00"), at("11:30:01")}, "", false},
		"held by a person, then lost":     {[]string{plan, created, edited(3, 1, "10:30:00", `{"suspend":true}`, fmt.Sprintf(latest, "")), free(4, 2, "11:30:00"), at("11:40:00")}, "", true},
		"held by a person, and let go":    {[]string{plan, created, edited(3, 1, "10:10:00", `{"suspend":true}`, fmt.Sprintf(latest, "")), free(4, 2, "10:20:00"), at("11:30:00")}, "", true},
		"held by a budget":                {[]string{plan, created, hold(3, "10:00:00", noRoom), hold(4, "12:00:00", condition("WithinBudget", "True", "Reserved")), at("12:00:01")}, "", false},
		"held by a budget that went":      {[]string{plan, created, hold(3, "10:00:00", noRoom), at("12:00:01")}, "", false},
		"held by a budget, then lost":     {[]string{plan, created, hold(3, "10:00:00", noRoom), hold(4, "12:00:00", condition("WithinBudget", "True", "Reserved")), at("12:05:00")}, "", true},
		"its budgets never spoke":         {[]string{plan, created, hold(4, "10:00:00", condition("WithinBudget", "True", "Reserved")), at("11:10:00")}, "", true},
		"its delay was made shorter":      {[]string{plan, created, free(3, 2, "11:30:00"), at("11:30:01")}, "", false},
		"its template was refused":        {[]string{plan, hold(2, "09:00:00", invalid), hold(3, "12:00:00", ""), at("12:00:01")}, "", false},
		"the plan was for after it":       {[]string{caj(1, strings.Replace(fmt.Sprintf(latest, ""), "T10", "T12", 1)), created, at("12:00:01")}, "", true},
		"no word of what kept it so long": {[]string{plan, created, hold(3, "12:00:00", ""), at("12:00:01")}, "", true},
	} {
		file := filepath.Join(t.TempDir(), "audit.jsonl")
		if err := os.WriteFile(file, []byte(strings.Join(test.lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		events, err := Read("ns", file)
		if err != nil {
			t.Fatal(err)
		}
		var calm time.Time
		if test.calm != "" {
			if calm, err = time.Parse(time.DateTime, "2026-01-01 "+test.calm); err != nil {
				t.Fatal(err)
			}
		}
		if late := Late(Lives(events), calm); len(late) > 0 != test.late {
			t.Errorf("%s: %q", name, late)
		}
	}
}

func TestOvertakenStartsAreSeen(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		due  []int // in the order in which they were started
		most int
		want int
	}{
		{[]int{1, 2, 2, 3}, 0, 0},
		{[]int{3, 1, 2, 2}, 3, 0},
		{[]int{3, 1, 2, 2}, 2, 1},
		{[]int{2, 3, 1, 1}, 1, 2},
	} {
		lives := map[types.UID]*Life{"waits": {}}
		for i, due := range test.due {
			lives[types.UID(fmt.Sprint(i))] = &Life{Planned: noon.Add(time.Duration(due) * time.Second), Starts: []time.Time{noon.Add(time.Duration(i) * time.Minute)}}
		}
		if overtaken := Overtaken(lives, test.most); len(overtaken) != test.want {
			t.Errorf("%v, %d at a time: %q", test.due, test.most, overtaken)
		}
	}
}

func TestOverspentBudgetsAreSeen(t *testing.T) {
	budget := func(limit string) Event { return Event{CarbonBudget: build.CarbonBudget("team", "ns", limit).Obj()} }
	job := func(name, reserved, emitted string) Event {
		j := build.CarbonAwareJob(name, "ns").Obj()
		j.UID, j.Finalizers, j.Status.ReservedGrams = types.UID(name), []string{carbonv1alpha1.FinalizerCarbonAwareJob}, carbonv1alpha1.Decimal(reserved)
		if emitted != "" {
			j.Status.Emissions = &carbonv1alpha1.EmissionsStatus{ActualGrams: carbonv1alpha1.Decimal(emitted)}
		}
		return Event{CarbonAwareJob: j}
	}
	granting := func(grams string, names ...string) Event {
		b := budget("100")
		b.CarbonBudget.Status.ConsumedGrams = carbonv1alpha1.Decimal(grams)
		for _, name := range names {
			b.CarbonBudget.Status.Granted = append(b.CarbonBudget.Status.Granted, carbonv1alpha1.GrantedJob{UID: types.UID(name)})
		}
		return b
	}
	gone := job("a", "60", "")
	gone.CarbonAwareJob.DeletionTimestamp, gone.CarbonAwareJob.Finalizers = new(metav1.Now()), nil
	released := job("a", "60", "")
	released.CarbonAwareJob.DeletionTimestamp, released.CarbonAwareJob.Finalizers = gone.CarbonAwareJob.DeletionTimestamp, []string{metav1.FinalizerDeleteDependents}
	leaving := job("a", "60", "")
	leaving.CarbonAwareJob.DeletionTimestamp = gone.CarbonAwareJob.DeletionTimestamp
	for name, test := range map[string]struct {
		events []Event
		want   int
	}{
		"room for one":                                      {[]Event{budget("100"), job("a", "60", ""), job("a", "60", "")}, 0},
		"none for a second":                                 {[]Event{budget("100"), job("a", "60", ""), job("b", "60", "")}, 1},
		"it emitted less":                                   {[]Event{budget("100"), job("a", "60", ""), job("a", "", "40"), job("b", "60", "")}, 0},
		"it emitted more, nobody granted":                   {[]Event{budget("100"), job("a", "60", ""), job("a", "", "140")}, 0},
		"it emitted more, then another":                     {[]Event{budget("100"), job("a", "60", ""), job("a", "", "90"), job("b", "20", "")}, 1},
		"it emitted more while another was granted":         {[]Event{granting("0", "a"), job("a", "60", ""), granting("1"), granting("2", "b"), job("a", "", "90"), job("b", "20", "")}, 0},
		"and it had no room anyway":                         {[]Event{granting("0", "a"), job("a", "60", ""), granting("1"), granting("2", "b"), job("a", "", "90"), job("b", "50", "")}, 1},
		"it emitted more before a write that was under way": {[]Event{granting("0", "a"), job("a", "60", ""), granting("1"), job("a", "", "90"), granting("2"), granting("3", "b"), job("b", "20", "")}, 0},
		"it emitted more long before":                       {[]Event{granting("0", "a"), job("a", "60", ""), job("a", "", "90"), granting("1"), granting("2"), granting("3", "b"), job("b", "20", "")}, 1},
		"it went before it ran":                             {[]Event{budget("100"), job("a", "60", ""), gone, job("b", "60", "")}, 0},
		"it only waits for its Job to go":                   {[]Event{budget("100"), job("a", "60", ""), released, job("b", "60", "")}, 0},
		"it is about to go":                                 {[]Event{budget("100"), job("a", "60", ""), leaving, job("b", "60", "")}, 1},
		"the limit was raised":                              {[]Event{budget("100"), job("a", "60", ""), budget("200"), job("b", "60", "")}, 0},
		"of another budget":                                 {[]Event{budget("100"), {CarbonBudget: build.CarbonBudget("other", "ns", "1").Obj()}, job("a", "60", "")}, 0},
	} {
		if broken := Overspent(test.events, "ns", "team"); len(broken) != test.want {
			t.Errorf("%s: %q", name, broken)
		}
	}
}
