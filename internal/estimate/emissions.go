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

package estimate

import (
	"fmt"
	"math"
)

// Input holds what an emissions record is made of: the energy with the requested and with the
// effective model (kWh), and the carbon intensities (gCO2e/kWh) at home over a run started at the
// submission, at home over the real run, and in the chosen region over the real run.
type Input struct {
	RequestedKWh, EffectiveKWh               float64
	HomeAtSubmission, HomeAtRun, ChosenAtRun float64
}

// Emissions is a record in nanograms of CO2e. Baseline is Actual plus Avoided, and Avoided is the
// sum of its three parts, exactly. Avoided and its parts may be negative.
type Emissions struct {
	Baseline, Actual, Avoided Nanograms
	ByTime, ByRegion, ByModel Nanograms
}

// Account computes a record:
//
//	actual = E_effective x CI_chosen(run)
//	time   = E_requested x (CI_home(submission) - CI_home(run))
//	region = E_requested x (CI_home(run) - CI_chosen(run))
//	model  = (E_requested - E_effective) x CI_chosen(run)
//
// The four are rounded to a nanogram, or to the eighth significant digit of the largest of them if
// that is more: what comes after it is noise. Baseline and avoided are their sums, so that the parts
// add up exactly. An error names the value that is unknown, negative or too large.
func Account(in Input) (Emissions, error) {
	for _, v := range []struct {
		name  string
		value float64
	}{
		{"requested energy", in.RequestedKWh},
		{"effective energy", in.EffectiveKWh},
		{"intensity at home at submission", in.HomeAtSubmission},
		{"intensity at home at the run", in.HomeAtRun},
		{"intensity in the chosen region at the run", in.ChosenAtRun},
	} {
		if math.IsNaN(v.value) || math.IsInf(v.value, 0) || v.value < 0 {
			return Emissions{}, fmt.Errorf("the %s is unknown, negative or infinite (%v)", v.name, v.value)
		}
	}
	parts := [...]float64{
		in.EffectiveKWh * in.ChosenAtRun,
		in.RequestedKWh * (in.HomeAtSubmission - in.HomeAtRun),
		in.RequestedKWh * (in.HomeAtRun - in.ChosenAtRun),
		(in.RequestedKWh - in.EffectiveKWh) * in.ChosenAtRun,
	}
	var rounded [len(parts)]Nanograms
	for i, grams := range parts {
		nano, err := GramsToNano(grams)
		if err != nil {
			return Emissions{}, err
		}
		rounded[i] = nano
	}
	unit := roundingUnit(rounded[:])
	for i, nano := range rounded {
		rounded[i] = roundTo(nano, unit)
	}
	e := Emissions{Actual: rounded[0], ByTime: rounded[1], ByRegion: rounded[2], ByModel: rounded[3]}
	e.Avoided = e.ByTime + e.ByRegion + e.ByModel
	e.Baseline = e.Actual + e.Avoided
	return e, nil
}

// tooLong is the first number with more than the eight significant digits that a record's largest
// part keeps.
const tooLong = 100_000_000

// roundingUnit is the power of ten, at least one nanogram, to which parts are rounded.
func roundingUnit(parts []Nanograms) Nanograms {
	largest := Nanograms(0)
	for _, p := range parts {
		largest = max(largest, p, -p)
	}
	unit := Nanograms(1)
	for limit := largest; limit >= tooLong; limit /= 10 {
		unit *= 10
	}
	return unit
}

// roundTo rounds half away from zero.
func roundTo(n, unit Nanograms) Nanograms {
	half := unit / 2
	if n < 0 {
		half = -half
	}
	return (n + half) / unit * unit
}
