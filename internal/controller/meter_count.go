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
	"slices"
	"strings"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
)

const (
	// maxUsage is how many kinds of calls status tells apart; see ModelStatus.Usage.
	maxUsage = 16
	// otherUsage names the calls for which there was no room.
	otherUsage = "other"
	// usageDigits is how many digits after the point the energies of calls have: a short answer of a small
	// model takes a few 1e-7 kWh.
	usageDigits = 15
)

// addReport adds what a pod's meter handed over to the sums in status.
func (s *scope) addReport(report *meter.Report) {
	if report == nil {
		return
	}
	m := s.caj.Status.Meter
	grams := parseGrams(m.Grams)
	for _, line := range report.Lines {
		m.Calls += line.Calls
		if line.Status == meter.StatusRefused {
			m.RefusedCalls += line.Calls
			continue
		}
		m.EstimatedCalls += line.Estimated
		m.UnknownEnergyCalls += line.UnknownEnergy
		m.InputTokens += line.Input
		m.OutputTokens += line.Output
		grams = meter.Sum(grams, line.Nanograms)
		s.addUsage(line)
	}
	m.Grams = carbonv1alpha1.Decimal(grams.String())
}

// addUsage adds a kind of calls to that of the same models. Kinds for which there is no room are added
// up in one.
func (s *scope) addUsage(line meter.Line) {
	if s.caj.Status.Model == nil {
		s.caj.Status.Model = &carbonv1alpha1.ModelStatus{}
	}
	model := s.caj.Status.Model
	usage := carbonv1alpha1.ModelUsage{Provider: line.Provider, Requested: line.Requested, Effective: line.Effective, Downgraded: line.Downgraded}
	i := usageIndex(model.Usage, usage)
	if i < 0 && len(model.Usage) >= maxUsage-1 {
		usage = carbonv1alpha1.ModelUsage{Provider: otherUsage, Requested: otherUsage, Effective: otherUsage}
		i = usageIndex(model.Usage, usage)
	}
	if i < 0 {
		model.Usage = append(slices.Clone(model.Usage), usage)
		i = len(model.Usage) - 1
	}
	u := &model.Usage[i]
	answered := line.Calls
	if !strings.HasPrefix(line.Status, "2") && line.Provider != otherUsage {
		answered = line.Estimated // those that broke off in the middle of their answer
	}
	u.Calls += answered
	u.FailedCalls += line.Calls - answered
	u.UnknownEnergyCalls += line.UnknownEnergy
	u.InputTokens += line.Input
	u.OutputTokens += line.Output
	u.CachedTokens += line.Cached
	u.ReasoningTokens += line.Reasoning
	u.EnergyKWh = addKWh(u.EnergyKWh, line.KWh)
	u.RequestedKWh = addKWh(u.RequestedKWh, line.RequestedKWh)
}

func usageIndex(all []carbonv1alpha1.ModelUsage, u carbonv1alpha1.ModelUsage) int {
	return slices.IndexFunc(all, func(have carbonv1alpha1.ModelUsage) bool {
		return have.Provider == u.Provider && have.Requested == u.Requested && have.Effective == u.Effective && have.Downgraded == u.Downgraded
	})
}

// addKWh adds to a sum; nothing leaves an unknown sum unknown.
func addKWh(sum carbonv1alpha1.Decimal, kWh float64) carbonv1alpha1.Decimal {
	if kWh == 0 {
		return sum
	}
	if sum != "" {
		kWh += parseDecimal(sum)
	}
	return carbonv1alpha1.Decimal(estimate.Decimal(kWh, usageDigits))
}
