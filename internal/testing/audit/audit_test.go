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
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
)

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
		"room for one":                    {[]Event{budget("100"), job("a", "60", ""), job("a", "60", "")}, 0},
		"none for a second":               {[]Event{budget("100"), job("a", "60", ""), job("b", "60", "")}, 1},
		"it emitted less":                 {[]Event{budget("100"), job("a", "60", ""), job("a", "", "40"), job("b", "60", "")}, 0},
		"it emitted more, nobody granted": {[]Event{budget("100"), job("a", "60", ""), job("a", "", "140")}, 0},
		"it emitted more, then another":   {[]Event{budget("100"), job("a", "60", ""), job("a", "", "90"), job("b", "20", "")}, 1},
		"it went before it ran":           {[]Event{budget("100"), job("a", "60", ""), gone, job("b", "60", "")}, 0},
		"it only waits for its Job to go": {[]Event{budget("100"), job("a", "60", ""), released, job("b", "60", "")}, 0},
		"it is about to go":               {[]Event{budget("100"), job("a", "60", ""), leaving, job("b", "60", "")}, 1},
		"the limit was raised":            {[]Event{budget("100"), job("a", "60", ""), budget("200"), job("b", "60", "")}, 0},
		"of another budget":               {[]Event{budget("100"), {CarbonBudget: build.CarbonBudget("other", "ns", "1").Obj()}, job("a", "60", "")}, 0},
	} {
		if broken := Overspent(test.events, "ns", "team"); len(broken) != test.want {
			t.Errorf("%s: %q", name, broken)
		}
	}
}
