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

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
)

// The methods of a record that is made of counted calls.
const (
	methodMeasured = "Measured"
	methodInPart   = "MeasuredInPart"
)

// measured is the energy of the calls that the meters counted.
type measured struct {
	requested, effective, embodied estimate.Range
	// inPart says what is missing and what stands in for it; empty when nothing is.
	inPart string
}

// measure is the energy of the calls that the meters counted; false where there is nothing to go by: no
// meter, no answered call, or a job whose own power is declared, of which calls are only a part.
func (s *scope) measure() (measured, bool) {
	var sum measured
	if !isMetered(s.caj) || s.caj.Status.Meter == nil || s.caj.Status.Model == nil || s.caj.Spec.Energy != nil && s.caj.Spec.Energy.Watts != nil {
		return sum, false
	}
	answered, unknown := int64(0), int64(0)
	for i := range s.caj.Status.Model.Usage {
		u := &s.caj.Status.Model.Usage[i]
		effective, requested, resolved := s.usageEnergy(u)
		if !resolved {
			unknown += u.UnknownEnergyCalls
		}
		answered += u.Calls
		sum.effective, sum.requested = addRange(sum.effective, effective.KWh), addRange(sum.requested, requested.KWh)
		sum.embodied = addRange(sum.embodied, effective.EmbodiedGrams)
	}
	if answered == 0 || unknown == answered {
		return sum, false
	}
	if unknown > 0 {
		sum.inPart = fmt.Sprintf("%d of %d calls have no known energy and are not in it", unknown, answered)
	}
	s.addLost(&sum)
	return sum, true
}

// usageEnergy is what the calls of a kind took with the model that answered, and what they would have
// taken with the one asked for, by the table in force; false when some of them are of unknown energy.
// Where only the meter knew the models, its own sums count.
func (s *scope) usageEnergy(u *carbonv1alpha1.ModelUsage) (effective, requested estimate.Inference, resolved bool) {
	own := func(d carbonv1alpha1.Decimal) estimate.Inference {
		if d == "" {
			return estimate.Inference{}
		}
		kWh := parseDecimal(d)
		return estimate.Inference{KWh: estimate.Range{Min: kWh, Max: kWh}}
	}
	model, known := s.usageModel(u)
	if !known {
		return own(u.EnergyKWh), own(u.RequestedKWh), u.UnknownEnergyCalls == 0
	}
	calls, resolved := u.Calls-u.UnknownEnergyCalls, u.UnknownEnergyCalls == 0
	if calls == 0 && u.OutputTokens > 0 { // a model that only the operator's table has
		calls, resolved = u.Calls, true
	}
	if calls == 0 {
		return estimate.Inference{}, estimate.Inference{}, resolved
	}
	effective = model.Inference(s.models.method, calls, u.OutputTokens)
	requested = effective
	if asked := s.askedFor(u); asked != "" {
		if would, err := s.models.catalog.Lookup(s.usageProvider(u), asked); err == nil {
			requested = would.Inference(s.models.method, calls, u.OutputTokens)
		}
	}
	u.EnergyKWh = carbonv1alpha1.Decimal(estimate.Decimal(effective.KWh.Mean(), usageDigits))
	u.RequestedKWh = carbonv1alpha1.Decimal(estimate.Decimal(requested.KWh.Mean(), usageDigits))
	return effective, requested, resolved
}

// usageModel is the model that answered calls of a kind, by the name in the answer, else by that in the
// request.
func (s *scope) usageModel(u *carbonv1alpha1.ModelUsage) (estimate.Model, bool) {
	if u.Provider == otherUsage {
		return estimate.Model{}, false
	}
	sent := u.Requested
	if u.Downgraded {
		sent = s.caj.Status.Model.Effective
	}
	for _, name := range []string{u.Effective, sent} {
		if name == "" {
			continue
		}
		if model, err := s.models.catalog.Lookup(s.usageProvider(u), name); err == nil {
			return model, true
		}
	}
	return estimate.Model{}, false
}

// usageProvider is who serves the calls of a kind: a server that only speaks the API of OpenAI is whom
// spec.llm.provider names.
func (s *scope) usageProvider(u *carbonv1alpha1.ModelUsage) string {
	if named := s.caj.Spec.LLM.Provider; named != "" && u.Provider == "openai" {
		return named
	}
	return meter.CatalogProvider(u.Provider)
}

// askedFor is the model that calls of a kind would have used without the downgrade; empty where they
// were none of it. The variable of a downgraded job names the cheaper model: calls that ask for that one
// were meant for the other.
func (s *scope) askedFor(u *carbonv1alpha1.ModelUsage) string {
	model := s.caj.Status.Model
	switch {
	case u.Downgraded:
		return u.Requested
	case model.Requested != model.Effective && u.Requested == model.Effective:
		return model.Requested
	}
	return ""
}

// addLost adds what stands in for pods whose numbers were lost: an equal part of what is declared of a
// whole run, else the mean of the pods that were read.
func (s *scope) addLost(sum *measured) {
	m := s.caj.Status.Meter
	if m.PodsLost == 0 {
		return
	}
	lost := float64(m.PodsLost)
	what := fmt.Sprintf("the numbers of %d of %d pods were lost (%s)", m.PodsLost, m.PodsLost+m.PodsRead, m.LostBecause)
	requested, problem := wholeRun(s.caj, s.caj.Status.Model.Requested, 0, s.models)
	effective, alsoProblem := wholeRun(s.caj, s.caj.Status.Model.Effective, 0, s.models)
	switch {
	case problem == nil && alsoProblem == nil:
		share := lost / float64(wantedPods(&templateOf(s.caj).Spec))
		sum.effective = addRange(sum.effective, scaled(effective.kWh, share))
		sum.requested = addRange(sum.requested, scaled(requested.kWh, share))
		what += ", what is declared stands in for them"
	case m.PodsRead > 0:
		share := 1 + lost/float64(m.PodsRead)
		sum.effective, sum.requested, sum.embodied = scaled(sum.effective, share), scaled(sum.requested, share), scaled(sum.embodied, share)
		what += ", the mean of the others stands in for them"
	default:
		what += ", and it is at least this much"
	}
	if sum.inPart != "" {
		what = sum.inPart + "; " + what
	}
	sum.inPart = what
}

// notMeasured says why a metered run's record is not made of counted calls; empty for others.
func (s *scope) notMeasured() string {
	if !isMetered(s.caj) || s.caj.Spec.Energy != nil && s.caj.Spec.Energy.Watts != nil {
		return ""
	}
	m := s.caj.Status.Meter
	switch {
	case m == nil || m.PodsRead+m.PodsLost == 0:
		return "not measured: no pod made calls"
	case m.PodsLost > 0 && m.Calls == 0:
		return fmt.Sprintf("not measured: the numbers of %d pods were lost (%s)", m.PodsLost, m.LostBecause)
	case m.UnknownEnergyCalls > 0:
		return fmt.Sprintf("not measured: the %d calls that the meter counted have no known energy", m.Calls)
	}
	return "not measured: the meter saw no answered call; code that sets its own base URL passes it by"
}

// measuredInput is the energy of a record that is made of counted calls.
func (s *scope) measuredInput(sum measured) (estimate.Input, usedEnergy) {
	used := usedEnergy{share: 1, runEnergy: runEnergy{method: methodMeasured, kWh: sum.effective, embodiedGrams: &sum.embodied}}
	used.note = fmt.Sprintf("measured over %d calls with %d output tokens", s.caj.Status.Meter.Calls, s.caj.Status.Meter.OutputTokens)
	if sum.inPart != "" {
		used.method = methodInPart
		used.note += ", in part: " + sum.inPart
	}
	return estimate.Input{RequestedKWh: sum.requested.Mean(), EffectiveKWh: sum.effective.Mean()}, used
}

func addRange(a, b estimate.Range) estimate.Range {
	return estimate.Range{Min: a.Min + b.Min, Max: a.Max + b.Max}
}

func scaled(r estimate.Range, factor float64) estimate.Range {
	return estimate.Range{Min: r.Min * factor, Max: r.Max * factor}
}
