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

package controller

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// The methods by which an energy is found, as they stand in records.
const (
	methodDeclared  = "Declared"
	methodPower     = "PowerTimesDuration"
	methodEcoLogits = "EcoLogits-"
)

// peopleDigits is how many significant digits energies have in messages.
const peopleDigits = 3

// runEnergy is the energy of a run.
type runEnergy struct {
	method string
	// kWh has equal ends where the energy is not an estimate.
	kWh estimate.Range
	// embodiedGrams is the share in making the hardware, gCO2e; nil when unknown.
	embodiedGrams *estimate.Range
	// text says it for people.
	text string
}

// energyProblem says why the energy of a run is unknown.
type energyProblem struct{ reason, message string }

// wholeRun is the energy of one whole run with a model that lasts so long.
func wholeRun(caj *carbonv1alpha1.CarbonAwareJob, model string, duration time.Duration, models modelFacts) (runEnergy, *energyProblem) {
	declared, llm := caj.Spec.Energy, caj.Spec.LLM
	switch {
	case declared != nil && declared.KWh != nil:
		kWh := declared.KWh.AsApproximateFloat64()
		return runEnergy{
			method: methodDeclared, kWh: estimate.Range{Min: kWh, Max: kWh},
			text: fmt.Sprintf("%s kWh as declared", estimate.Significant(kWh, peopleDigits)),
		}, nil
	case declared != nil && declared.Watts != nil:
		watts := declared.Watts.AsApproximateFloat64()
		kWh := estimate.KWhFromWatts(watts, []estimate.Interval{{End: time.Time{}.Add(duration)}})
		return runEnergy{
			method: methodPower, kWh: estimate.Range{Min: kWh, Max: kWh},
			text: fmt.Sprintf("%s W while it runs, %s kWh in %s", estimate.Significant(watts, peopleDigits),
				estimate.Significant(kWh, peopleDigits), policy.ShortDuration(duration)),
		}, nil
	case llm != nil && llm.Workload != nil:
		return workloadEnergy(llm, model, models)
	}
	return runEnergy{}, &energyProblem{
		carbonv1alpha1.ReasonEnergyUnknown,
		"the energy is unknown: set spec.energy.kWh, spec.energy.watts or spec.llm.workload to have emissions recorded",
	}
}

// workloadEnergy is the energy of the calls of one whole run.
func workloadEnergy(llm *carbonv1alpha1.LLMSpec, name string, models modelFacts) (runEnergy, *energyProblem) {
	if name == "" {
		return runEnergy{}, &energyProblem{carbonv1alpha1.ReasonModelUnknown, fmt.Sprintf(
			"the energy is unknown: the template gives %s no literal value; set spec.llm.model", llm.ModelEnv)}
	}
	model, err := models.catalog.Lookup(llm.Provider, name)
	if err != nil {
		return runEnergy{}, &energyProblem{carbonv1alpha1.ReasonModelNotInTable, "the energy is unknown: " + err.Error() + models.advice()}
	}
	calls, perCall := llm.Workload.Calls, llm.Workload.OutputTokensPerCall
	inference := model.Inference(models.method, calls, calls*perCall)
	if model.Name != name {
		name += " (as " + model.Name + ")"
	}
	return runEnergy{
		method: methodEcoLogits + string(models.method), kWh: inference.KWh, embodiedGrams: &inference.EmbodiedGrams,
		text: fmt.Sprintf("%d calls of %s with %d output tokens each take %s kWh%s at %s%s",
			calls, name, perCall, estimate.Significant(inference.KWh.Mean(), peopleDigits), rangeText(inference.KWh),
			model.DataCentre.Provider, zoneText(inference)),
	}, nil
}

// advice says what to do about a model that is in no table.
func (m modelFacts) advice() string {
	if m.configMap == "" {
		return "; correct spec.llm, or declare spec.energy"
	}
	advice := "; correct spec.llm, or have the model added to ConfigMap " + m.configMap
	if m.problem != nil {
		advice += ", of which something was left out: " + oneLine(m.problem)
	}
	return advice
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// rangeText is the range for people; empty when it has no width.
func rangeText(kWh estimate.Range) string {
	if kWh.Min == kWh.Max {
		return ""
	}
	return fmt.Sprintf(" (%s to %s)", estimate.Significant(kWh.Min, peopleDigits), estimate.Significant(kWh.Max, peopleDigits))
}

func zoneText(i estimate.Inference) string {
	pue := estimate.Decimal(i.PUE.Min, 2)
	if i.PUE.Min != i.PUE.Max {
		pue += " to " + estimate.Decimal(i.PUE.Max, 2)
	}
	if i.Zone == "" {
		return " (PUE " + pue + ")"
	}
	return fmt.Sprintf(" (%s, PUE %s)", i.Zone, pue)
}

// setEnergyKnown says, from the first plan on, whether there will be emissions to record.
func (s *scope) setEnergyKnown() {
	if s.recordIsFinal() {
		return
	}
	if s.finished() && s.meterSettled() {
		if sum, ok := s.measure(); ok {
			_, used := s.measuredInput(sum)
			s.set(carbonv1alpha1.ConditionEnergyKnown, metav1.ConditionTrue, carbonv1alpha1.ReasonMeasured,
				fmt.Sprintf("%s kWh%s, %s", estimate.Significant(used.kWh.Mean(), peopleDigits), rangeText(used.kWh), used.note))
			return
		}
	}
	duration := durationOr(s.caj.Spec.ExpectedDuration, defaultExpectedDuration)
	energy, problem := wholeRun(s.caj, requestedModel(s.caj.Spec.LLM, templateOf(s.caj)), duration, s.models)
	if problem == nil {
		problem = s.addCheaper(&energy)
	}
	if problem != nil && problem.reason == carbonv1alpha1.ReasonEnergyUnknown && isMetered(s.caj) && !s.finished() {
		s.set(carbonv1alpha1.ConditionEnergyKnown, metav1.ConditionUnknown, carbonv1alpha1.ReasonMetered,
			"the meter counts the calls while they are made; to have their energy known before the start, which CarbonBudgets need, set spec.llm.workload")
		return
	}
	if problem != nil {
		s.set(carbonv1alpha1.ConditionEnergyKnown, metav1.ConditionFalse, problem.reason, problem.message)
		return
	}
	reason := energy.method
	if strings.HasPrefix(reason, methodEcoLogits) {
		reason = carbonv1alpha1.ReasonEcoLogits
	}
	s.set(carbonv1alpha1.ConditionEnergyKnown, metav1.ConditionTrue, reason, energy.text)
}

// addCheaper adds to the text what the run takes with the cheaper model, where that is estimated.
func (s *scope) addCheaper(energy *runEnergy) *energyProblem {
	llm := s.caj.Spec.LLM
	if llm == nil || llm.Workload == nil || llm.Downgrade == nil {
		return nil
	}
	model, reason, _ := cheaperModel(s.caj)
	if reason != "" {
		return nil
	}
	cheaper, problem := workloadEnergy(llm, model, s.models)
	if problem != nil {
		problem.message = "should the job be downgraded, " + problem.message
		return problem
	}
	energy.text += fmt.Sprintf("; with %s %s kWh", model, estimate.Significant(cheaper.kWh.Mean(), peopleDigits))
	return nil
}
