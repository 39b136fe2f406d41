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
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

func TestExplainTellsOfEveryState(t *testing.T) {
	ready := func(caj *carbonv1alpha1.CarbonAwareJob, reason, message string, others ...metav1.Condition) *carbonv1alpha1.CarbonAwareJob {
		caj.Status.Conditions = append([]metav1.Condition{{Type: carbonv1alpha1.ConditionReady, Reason: reason, Message: message}}, others...)
		return caj
	}
	failedBy := func(reason, message string) metav1.Condition {
		return metav1.Condition{Type: carbonv1alpha1.ConditionFailed, Status: metav1.ConditionTrue, Reason: reason, Message: message}
	}
	unseen := waiting()
	unseen.Status = carbonv1alpha1.CarbonAwareJobStatus{}
	running := ready(nightlyEval(), "Running", "1 pod is active")
	running.Status.Emissions, running.Status.ReservedGrams, running.Status.Job.CompletionTime = nil, "250", nil
	failed := ready(nightlyEval(), "Failed", "the Job failed", failedBy("BackoffLimitExceeded", "Job has reached the specified backoff limit"))
	stopped := ready(nightlyEval(), "BudgetExceeded", "the limit was reached", failedBy(carbonv1alpha1.ReasonCarbonBudgetExceeded, "the limit was reached"),
		metav1.Condition{Type: carbonv1alpha1.ConditionWithinBudget, Message: "the limit was reached"})
	dirtier, overdue := nightlyEval(), waiting()
	e := dirtier.Status.Emissions
	e.BaselineGrams, e.AvoidedGrams = "250", "-35"
	e.AvoidedBy = carbonv1alpha1.AvoidedBy{Time: "29", Region: "-64", Model: "0"}
	overdue.Status.Plan.Start = metav1.NewTime(noon.Add(-time.Hour))
	for want, job := range map[string]*carbonv1alpha1.CarbonAwareJob{
		"has not looked at it yet":                      unseen,
		"Waiting, ?[2J.":                                ready(waiting(), "Waiting", "\x1b[2J"),
		"It starts in 14h. To start it at once":         waiting(),
		"BudgetHold, no room in CarbonBudget team.":     ready(waiting(), "BudgetHold", "no room in CarbonBudget team"),
		`-p '{"spec": {"suspend": false}}'`:             ready(waiting(), "Suspended", "held by spec.suspend"),
		"59m48s ago. 250 g are set aside for it":        running,
		"It failed (BackoffLimitExceeded): Job has":     failed,
		"It was stopped (CarbonBudgetExceeded): the li": stopped,
		"The record is final since":                     nightlyEval(),
		"35 g more than that were emitted (14 %). Another time avoided 29 g, another region -64, another model 0.": dirtier,
		"It should have started 1h ago: look whether the operator runs.":                                           overdue,
	} {
		out, err := run(t, 200, []client.Object{job}, "explain", job.Name, "-n", job.Namespace)
		if err != nil || !strings.Contains(strings.ReplaceAll(out, "\n", " "), want) {
			t.Errorf("%v: it does not say %q:\n%s", err, want, out)
		}
		if strings.Contains(out, "WithinBudget: the limit was reached") {
			t.Errorf("it says the same twice:\n%s", out)
		}
	}
}

// Of a job that is deleted its Events are left, for an hour.
func TestExplainTellsOfADeletedJob(t *testing.T) {
	out, err := run(t, 80, nightlyEvents(), "explain", "nightly-eval", "-n", "nlp")
	if err != nil || !strings.Contains(out, "nightly-eval in namespace nlp is deleted") || !strings.Contains(out, "Completed   the Job completed") {
		t.Errorf("%v:\n%s", err, out)
	}
}

// The story is there for programs too, sentence by sentence.
func TestExplainForPrograms(t *testing.T) {
	out, err := run(t, 80, example(), "explain", "nightly-eval", "-n", "nlp", "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	var lines []storyLine
	if err := json.Unmarshal([]byte(out), &lines); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, l := range lines {
		seen[l.Kind+" "+l.About]++
		if (l.Time != nil) != (l.Kind == "event") || strings.Contains(l.Text, "\n") {
			t.Errorf("got %+v", l)
		}
	}
	for _, want := range []string{"story state", "story submission", "story plan", "story model", "story run", "story emissions", "event Planned", "event Started", "event Completed"} {
		if seen[want] != 1 {
			t.Errorf("%s is there %d times:\n%s", want, seen[want], out)
		}
	}
	out, err = run(t, 80, example(), "explain", "nightly-eval", "-n", "nlp", "-o", "csv")
	rows, csvErr := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err := errors.Join(err, csvErr); err != nil || len(rows) != len(lines)+1 || strings.Join(rows[0], ",") != "kind,about,time,text" {
		t.Errorf("%v:\n%s", err, out)
	}
	out, err = run(t, 80, example(), "explain", "nightly-eval", "-n", "nlp", "-o", "wide")
	if err != nil || !strings.Contains(out, "with 0.3 kWh at 143.5 g/kWh. Started at once at home with the model it asked for") {
		t.Errorf("%v: -o wide is wrapped:\n%s", err, out)
	}
}

// Who may write Events must not be able to write formulas into somebody's spreadsheet.
func TestRecordsHaveNoFormulas(t *testing.T) {
	var out bytes.Buffer
	if err := writeRecords(&out, formatCSV, storyColumns, []storyLine{{Kind: "event", About: "x", Text: "=HYPERLINK(1)"}}); err != nil || !strings.HasSuffix(out.String(), ",'=HYPERLINK(1)\n") {
		t.Errorf("%v:\n%s", err, out.String())
	}
}

// clusterThatRefuses answers with the error to reads of what the function names.
func clusterThatRefuses(t *testing.T, refused func(any) bool, with error, objects ...client.Object) *cluster {
	t.Helper()
	where := newCluster()
	where.clock = testclock.NewFakePassiveClock(noon)
	where.flags.KubeConfig = new(writeKubeconfig(t))
	where.connect = func(_ *rest.Config, o client.Options) (client.Client, error) {
		return fake.NewClientBuilder().WithScheme(o.Scheme).WithObjects(objects...).WithInterceptorFuncs(interceptor.Funcs{
			Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
				if refused(o) {
					return with
				}
				return c.Get(ctx, key, o, opts...)
			},
			List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
				if refused(list) {
					return with
				}
				return c.List(ctx, list, opts...)
			},
		}).Build(), nil
	}
	return where
}

// Who may not read Events is told what the status says.
func TestExplainWithoutTheRightToReadEvents(t *testing.T) {
	isEvents := func(o any) bool { _, is := o.(*corev1.EventList); return is }
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "events"}, "", errors.New("no right"))
	where := clusterThatRefuses(t, isEvents, forbidden, nightlyEval())
	story, events, err := tell(t.Context(), where, "nightly-eval")
	if last := len(story) - 1; err != nil || len(events) != 0 || last < 5 || !strings.HasPrefix(story[last].text, "Its Events cannot be read: listing Events: events is forbidden") {
		t.Errorf("%v: got %v", err, story)
	}
}

// A cluster without the operator is told from one without jobs.
func TestACommandAsksForTheOperatorWhereItIsMissing(t *testing.T) {
	all := func(any) bool { return true }
	none := &meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: "carbon.ecotracker.dev", Kind: "GridRegion"}, SearchedVersions: []string{"v1alpha1"}}
	where := clusterThatRefuses(t, all, none)
	_, listErr := listRegions(t.Context(), where)
	_, _, tellErr := tell(t.Context(), where, "x")
	for _, err := range []error{listErr, tellErr, advise(apierrors.NewNotFound(schema.GroupResource{Resource: "carbonawarejobs"}, ""))} {
		if err == nil || !strings.HasSuffix(err.Error(), "(is the EcoTracker operator installed in this cluster?)") {
			t.Errorf("got %v", err)
		}
	}
	if other := errors.New("no route to host"); !errors.Is(advise(other), other) || advise(other).Error() != other.Error() || advise(nil) != nil {
		t.Error("another error is not as it was")
	}
}
