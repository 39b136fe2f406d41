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
	"fmt"
	"math"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/report"
)

// passage is a paragraph of a story, and what it is about in a word.
type passage struct{ about, text string }

// storyOf tells of a job in paragraphs of sentences, in the order of its life.
func storyOf(caj *carbonv1alpha1.CarbonAwareJob, now time.Time) []passage {
	story := []passage{{"state", stateSentence(caj)}, {"submission", submissionSentence(caj)}}
	for _, p := range []struct {
		about string
		tell  func(*carbonv1alpha1.CarbonAwareJob, time.Time) string
	}{
		{"plan", planSentences},
		{"conditions", conditionSentences},
		{"model", modelSentence},
		{"run", runSentences},
		{"meter", meterSentences},
		{"emissions", emissionsSentences},
		{"advice", advice},
	} {
		if text := p.tell(caj, now); text != "" {
			story = append(story, passage{p.about, text})
		}
	}
	return story
}

func stateSentence(caj *carbonv1alpha1.CarbonAwareJob) string {
	ready := condition(caj, carbonv1alpha1.ConditionReady)
	if ready == nil {
		return fmt.Sprintf("%s in namespace %s: the operator has not looked at it yet.", caj.Name, caj.Namespace)
	}
	return fmt.Sprintf("%s in namespace %s: %s, %s.", caj.Name, caj.Namespace, ready.Reason, strings.TrimSuffix(ready.Message, "."))
}

func submissionSentence(caj *carbonv1alpha1.CarbonAwareJob) string {
	where := "in the default region"
	if regions := caj.Spec.Regions; len(regions) > 0 {
		where = "in " + regions[0] + ", its home"
		if len(regions) > 1 {
			where += ", or in " + strings.Join(regions[1:], ", ")
		}
	}
	return fmt.Sprintf("Submitted on %s, it may wait %s and run %s.", stamp(caj.CreationTimestamp), shortSpan(maxDelayOf(caj)), where)
}

func planSentences(caj *carbonv1alpha1.CarbonAwareJob, _ time.Time) string {
	plan := caj.Status.Plan
	if plan == nil {
		if c := condition(caj, carbonv1alpha1.ConditionPlanned); c != nil {
			return fmt.Sprintf("It has no plan (%s): %s.", c.Reason, strings.TrimSuffix(c.Message, "."))
		}
		return ""
	}
	text := fmt.Sprintf("The plan of %s: start on %s", clockTime(plan.DecidedAt), stamp(plan.Start))
	if plan.Region != "" {
		text += " in " + plan.Region
	}
	text += fmt.Sprintf(" (%s)", plan.Reason)
	if plan.GramsPerKWh != "" {
		text += fmt.Sprintf(", where %s g/kWh were expected", plan.GramsPerKWh)
	}
	if plan.BaselineGramsPerKWh != "" {
		text += fmt.Sprintf(" instead of %s for an immediate start at home", plan.BaselineGramsPerKWh)
	}
	text += fmt.Sprintf(". It could start until %s.", clockTime(plan.LatestStart))
	return text + candidateSentences(plan)
}

// candidateSentences tell of the regions that were not chosen.
func candidateSentences(plan *carbonv1alpha1.PlanStatus) string {
	var text strings.Builder
	for _, c := range plan.Candidates {
		switch {
		case c.Region == plan.Region:
		case c.Excluded != "":
			fmt.Fprintf(&text, " %s could not be chosen: %s.", c.Region, strings.TrimSuffix(c.Excluded, "."))
		case c.Start != nil && c.GramsPerKWh != "":
			fmt.Fprintf(&text, " The best that %s had was %s g/kWh on %s.", c.Region, c.GramsPerKWh, clockTime(*c.Start))
		}
	}
	return text.String()
}

// conditionSentences are the operator's own sentences on the budgets and on the energy, as far as the
// first sentence has not said them.
func conditionSentences(caj *carbonv1alpha1.CarbonAwareJob, _ time.Time) string {
	var sentences []string
	said := ""
	if ready := condition(caj, carbonv1alpha1.ConditionReady); ready != nil {
		said = ready.Message
	}
	for _, conditionType := range []string{carbonv1alpha1.ConditionEnergyKnown, carbonv1alpha1.ConditionWithinBudget} {
		if c := condition(caj, conditionType); c != nil && c.Message != "" && c.Message != said {
			sentences = append(sentences, fmt.Sprintf("%s: %s.", conditionType, strings.TrimSuffix(c.Message, ".")))
		}
	}
	return strings.Join(sentences, " ")
}

func modelSentence(caj *carbonv1alpha1.CarbonAwareJob, _ time.Time) string {
	model, c := caj.Status.Model, condition(caj, carbonv1alpha1.ConditionDowngraded)
	switch {
	case model == nil || model.Requested == "":
		return ""
	case c != nil && c.Status == metav1.ConditionTrue:
		return fmt.Sprintf("It ran with %s.", strings.TrimSuffix(c.Message, "."))
	case c != nil:
		return fmt.Sprintf("It kept the model %s: %s.", model.Requested, strings.TrimSuffix(c.Message, "."))
	default:
		return fmt.Sprintf("Its model is %s.", model.Effective)
	}
}

func runSentences(caj *carbonv1alpha1.CarbonAwareJob, now time.Time) string {
	job := caj.Status.Job
	if job == nil || job.StartTime == nil {
		return ""
	}
	text := fmt.Sprintf("Its Job started on %s", stamp(*job.StartTime))
	if job.Region != "" {
		text += " in " + job.Region
	}
	if plan := caj.Status.Plan; plan != nil {
		if late := job.StartTime.Sub(plan.Start.Time); late >= time.Second {
			text += fmt.Sprintf(", %s after the planned time", shortSpan(late))
		}
	}
	switch {
	case job.CompletionTime != nil:
		text += fmt.Sprintf(", and ended %s later", shortSpan(job.CompletionTime.Sub(job.StartTime.Time)))
	default:
		text += fmt.Sprintf(", %s ago", shortSpan(now.Sub(job.StartTime.Time)))
	}
	if len(job.Runs) > 1 {
		text += fmt.Sprintf("; it was paused %d times", len(job.Runs)-1)
	}
	return text + outcome(caj) + "."
}

// outcome says why a run failed, or what is set aside for it.
func outcome(caj *carbonv1alpha1.CarbonAwareJob) string {
	if c := condition(caj, carbonv1alpha1.ConditionFailed); c != nil && c.Status == metav1.ConditionTrue {
		what := "failed"
		if c.Reason == carbonv1alpha1.ReasonCarbonBudgetExceeded {
			what = "was stopped"
		}
		return fmt.Sprintf(". It %s (%s): %s", what, c.Reason, strings.TrimSuffix(c.Message, "."))
	}
	if reserved := caj.Status.ReservedGrams; reserved != "" && caj.Status.Job.CompletionTime == nil {
		return fmt.Sprintf(". %s g are set aside for it in its budgets", reserved)
	}
	return ""
}

func emissionsSentences(caj *carbonv1alpha1.CarbonAwareJob, _ time.Time) string {
	e := caj.Status.Emissions
	if e == nil {
		c := condition(caj, carbonv1alpha1.ConditionEmissionsRecorded)
		if c == nil || c.Message == "" {
			return ""
		}
		return fmt.Sprintf("Its emissions are not recorded (%s): %s.", c.Reason, strings.TrimSuffix(c.Message, "."))
	}
	text := fmt.Sprintf("It emitted %s g CO2e with %s kWh at %s g/kWh. Started at once at home with the model it asked for, it would have emitted %s g at %s g/kWh: ",
		e.ActualGrams, e.EnergyKWh, e.Intensity.ChosenAtRun, e.BaselineGrams, e.Intensity.HomeAtSubmission) + avoidedText(e)
	if e.FinalAt == nil {
		return text + " The record is provisional: actual intensities are not published yet."
	}
	return text + fmt.Sprintf(" The record is final since %s; the worst intensity in it is of the quality %s.", clockTime(*e.FinalAt), e.Quality)
}

// avoidedText says what was avoided and how, or how much more was emitted.
func avoidedText(e *carbonv1alpha1.EmissionsStatus) string {
	more, dirtier := strings.CutPrefix(string(e.AvoidedGrams), "-")
	percent := ""
	baseline, err := report.ParseAmount(e.BaselineGrams)
	if avoided, alsoErr := report.ParseAmount(e.AvoidedGrams); err == nil && alsoErr == nil && baseline.Sign() > 0 {
		percent = fmt.Sprintf(" (%.0f %%)", math.Abs(100*avoided.Float64()/baseline.Float64()))
	}
	if dirtier {
		return fmt.Sprintf("%s g more than that were emitted%s. Another time avoided %s g, another region %s, another model %s.",
			more, percent, e.AvoidedBy.Time, e.AvoidedBy.Region, e.AvoidedBy.Model)
	}
	return fmt.Sprintf("%s g are avoided%s, %s by another time, %s by another region, %s by another model.",
		e.AvoidedGrams, percent, e.AvoidedBy.Time, e.AvoidedBy.Region, e.AvoidedBy.Model)
}

// advice is what a person can do now.
func advice(caj *carbonv1alpha1.CarbonAwareJob, now time.Time) string {
	ready := condition(caj, carbonv1alpha1.ConditionReady)
	if ready == nil {
		return ""
	}
	switch ready.Reason {
	case carbonv1alpha1.ReasonWaiting:
		text := ""
		if plan := caj.Status.Plan; plan != nil && plan.Start.After(now) {
			text = fmt.Sprintf("It starts in %s. ", shortSpan(plan.Start.Sub(now)))
		} else if plan != nil {
			text = fmt.Sprintf("It should have started %s ago: look whether the operator runs. ", shortSpan(now.Sub(plan.Start.Time)))
		}
		return text + fmt.Sprintf("To start it at once: kubectl annotate carbonawarejob %s -n %s %s=true", caj.Name, caj.Namespace, carbonv1alpha1.AnnotationRunNow)
	case carbonv1alpha1.ReasonSuspended:
		return fmt.Sprintf("To let it go on: kubectl patch carbonawarejob %s -n %s --type=merge -p '{\"spec\": {\"suspend\": false}}'", caj.Name, caj.Namespace)
	default:
		return ""
	}
}

func condition(caj *carbonv1alpha1.CarbonAwareJob, conditionType string) *metav1.Condition {
	return meta.FindStatusCondition(caj.Status.Conditions, conditionType)
}

func stamp(t metav1.Time) string     { return t.UTC().Format("Mon 2 Jan 15:04:05") }
func clockTime(t metav1.Time) string { return t.UTC().Format("Mon 2 15:04:05") }

// eventTime is when an Event happened: its own fields differ by who recorded it.
func eventTime(e *corev1.Event) time.Time {
	for _, t := range []time.Time{e.EventTime.Time, e.LastTimestamp.Time, e.FirstTimestamp.Time} {
		if !t.IsZero() {
			return t.UTC()
		}
	}
	return e.CreationTimestamp.UTC()
}
