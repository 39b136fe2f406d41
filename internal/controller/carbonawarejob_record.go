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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// kWhDigits is how many digits after the point energies have in status.
const kWhDigits = 9

// emissionsStatus is the record as it stands in status.
func emissionsStatus(in estimate.Input, e estimate.Emissions, used usedEnergy, quality forecast.Quality) *carbonv1alpha1.EmissionsStatus {
	grams := func(n estimate.Nanograms) carbonv1alpha1.Decimal { return carbonv1alpha1.Decimal(n.String()) }
	kWh := func(v float64) carbonv1alpha1.Decimal { return carbonv1alpha1.Decimal(estimate.Decimal(v, kWhDigits)) }
	record := &carbonv1alpha1.EmissionsStatus{
		EnergyKWh:     kWh(in.EffectiveKWh),
		BaselineGrams: grams(e.Baseline),
		ActualGrams:   grams(e.Actual),
		AvoidedGrams:  grams(e.Avoided),
		AvoidedBy:     carbonv1alpha1.AvoidedBy{Time: grams(e.ByTime), Region: grams(e.ByRegion), Model: grams(e.ByModel)},
		Intensity: carbonv1alpha1.EmissionsIntensity{
			HomeAtSubmission: gramsDecimal(in.HomeAtSubmission),
			HomeAtRun:        gramsDecimal(in.HomeAtRun),
			ChosenAtRun:      gramsDecimal(in.ChosenAtRun),
		},
		DeclaredKWh: used.declared,
		Method:      used.method,
		Quality:     carbonv1alpha1.IntensityQuality(quality),
	}
	if used.method != methodPower && used.method != methodMeasured && used.method != methodInPart {
		record.Attempts = carbonv1alpha1.Decimal(estimate.Decimal(used.share, gramsDigits))
	}
	if used.embodiedGrams != nil {
		record.EnergyRange = &carbonv1alpha1.EnergyRange{MinKWh: kWh(used.share * used.kWh.Min), MaxKWh: kWh(used.share * used.kWh.Max)}
		record.EmbodiedGrams = carbonv1alpha1.Decimal(estimate.Decimal(used.share*used.embodiedGrams.Mean(), kWhDigits))
	}
	return record
}

// recordMessage says what a record says, in a sentence.
func recordMessage(e *carbonv1alpha1.EmissionsStatus) string {
	avoided := fmt.Sprintf("avoided %s g", e.AvoidedGrams)
	if more, negative := strings.CutPrefix(string(e.AvoidedGrams), "-"); negative {
		avoided = fmt.Sprintf("%s g more than an immediate start at home", more)
	}
	message := fmt.Sprintf("emitted %s g, %s (time %s, region %s, model %s) with %s kWh at %s g/kWh",
		e.ActualGrams, avoided, e.AvoidedBy.Time, e.AvoidedBy.Region, e.AvoidedBy.Model,
		e.EnergyKWh, e.Intensity.ChosenAtRun)
	if e.Quality != carbonv1alpha1.QualityActual {
		message += fmt.Sprintf(" (%s)", e.Quality)
	}
	if e.EnergyRange != nil {
		message += fmt.Sprintf(", an estimate between %s and %s kWh", e.EnergyRange.MinKWh, e.EnergyRange.MaxKWh)
	}
	if e.Attempts != "" && e.Attempts != "1" {
		message += fmt.Sprintf(", counted for %s whole runs", e.Attempts)
	}
	return message
}

// keepsRecord makes a provisional record final a day after the run, when what it was made of is not known
// any more; false when there is none.
func (s *scope) keepsRecord(runs []estimate.Interval) bool {
	if s.caj.Status.Emissions == nil {
		return false
	}
	if end := s.finalTime(runs); s.now.Before(end) {
		s.wakeAt(end)
		return true
	}
	record := s.caj.Status.Emissions.DeepCopy()
	record.FinalAt = timePointer(s.now)
	s.recorded(metav1.ConditionTrue, carbonv1alpha1.ReasonFinal, recordMessage(record))
	s.caj.Status.Emissions = record
	return true
}

// energyUnknown records that there is nothing to record. A model that is in no table may come into it:
// the record waits for that as long as for actual intensities.
func (s *scope) energyUnknown(problem *energyProblem, runs []estimate.Interval) {
	end := s.finalTime(runs)
	switch {
	case s.keepsRecord(runs):
	case problem.reason == carbonv1alpha1.ReasonModelNotInTable && s.now.Before(end):
		s.recorded(metav1.ConditionFalse, problem.reason, problem.message+"; the record waits for that until "+stamp(end))
		s.wakeAt(end)
	case s.notMeasured() != "":
		s.recorded(metav1.ConditionFalse, carbonv1alpha1.ReasonEnergyUnknown, s.notMeasured()+"; "+problem.message)
	default:
		s.recorded(metav1.ConditionFalse, carbonv1alpha1.ReasonEnergyUnknown, problem.message)
	}
}

// intensityUnknown says why there is no record yet, and from a day after the run on that there never is one.
func (s *scope) intensityUnknown(problem error, runs []estimate.Interval) {
	end := s.finalTime(runs)
	switch {
	case s.keepsRecord(runs):
	case s.now.Before(end):
		s.recorded(metav1.ConditionUnknown, carbonv1alpha1.ReasonIntensityUnknown, problem.Error()+"; the record waits for that until "+stamp(end))
		s.wakeAt(end)
	default:
		s.recorded(metav1.ConditionFalse, carbonv1alpha1.ReasonIntensityUnknown, problem.Error()+": there is no record, and budgets count what was reserved")
	}
}

// recordIsFinal says whether nothing is left to record.
func (s *scope) recordIsFinal() bool {
	return recordIsFinal(s.caj)
}

func recordIsFinal(caj *carbonv1alpha1.CarbonAwareJob) bool {
	c := findCondition(caj.Status.Conditions, carbonv1alpha1.ConditionEmissionsRecorded)
	if c == nil {
		return false
	}
	switch c.Reason {
	case carbonv1alpha1.ReasonNeverRan, carbonv1alpha1.ReasonEnergyUnknown:
		return true
	case carbonv1alpha1.ReasonIntensityUnknown:
		return c.Status == metav1.ConditionFalse
	}
	return c.Status == metav1.ConditionTrue
}

func (s *scope) recorded(status metav1.ConditionStatus, reason, message string) {
	setCondition(&s.caj.Status.Conditions, s.now, s.caj.Generation, carbonv1alpha1.ConditionEmissionsRecorded, status, reason, message)
}
