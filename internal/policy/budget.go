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

package policy

import (
	"cmp"
	"slices"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
)

// Budget is what is known of a budget at the time of a decision.
type Budget struct {
	// Limit, Consumed and Reserved are the three sums of the present period.
	Limit, Consumed, Reserved estimate.Nanograms
	// Enforced says that no job may start that does not fit; else the budget only counts.
	Enforced bool
}

// Remaining is what is neither consumed nor reserved; negative when the budget is overdrawn.
func (b Budget) Remaining() estimate.Nanograms {
	var left estimate.Sum
	left.Add(b.Limit)
	left.Subtract(b.Consumed)
	left.Subtract(b.Reserved)
	return left.Total()
}

// Fits says whether a job that is expected to emit so much may start.
func (b Budget) Fits(grams estimate.Nanograms) bool {
	return !b.Enforced || grams <= b.Remaining()
}

// Uses says whether consumed and reserved together reach so many percent of the limit.
func (b Budget) Uses(percent int) bool {
	var used estimate.Sum
	used.Add(b.Consumed)
	used.Add(b.Reserved)
	return float64(used.Total()) >= float64(b.Limit)*float64(percent)/100
}

// Claim is a job that asks for its grams in one or several budgets.
type Claim struct {
	// UID of the job, Start its planned start: together they are its place in the queue.
	UID   string
	Start time.Time
	// Grams that the job is expected to emit.
	Grams estimate.Nanograms
	// Budgets are the indexes of those in which the job counts.
	Budgets []int
}

// Before is the order in which held jobs are let go: the one with the oldest planned start first,
// by UID among equals.
func (c Claim) Before(d Claim) bool {
	return cmp.Or(c.Start.Compare(d.Start), cmp.Compare(c.UID, d.UID)) < 0
}

// Admit says which of the claims may be granted, in the order of Claim.Before. A claim is granted
// in all its budgets or in none. One that does not fit is passed over: it keeps its place, but does
// not keep smaller ones behind it waiting.
func Admit(claims []Claim, budgets []Budget) []Claim {
	queue := slices.Clone(claims)
	slices.SortFunc(queue, func(a, b Claim) int {
		if a.Before(b) {
			return -1
		}
		return 1
	})
	left := slices.Clone(budgets)
	var granted []Claim
	for _, claim := range queue {
		if slices.ContainsFunc(claim.Budgets, func(i int) bool { return !left[i].Fits(claim.Grams) }) {
			continue
		}
		for _, i := range claim.Budgets {
			left[i].Reserved = saturate(left[i].Reserved, claim.Grams)
		}
		granted = append(granted, claim)
	}
	return granted
}

func saturate(a, b estimate.Nanograms) estimate.Nanograms {
	var sum estimate.Sum
	sum.Add(a)
	sum.Add(b)
	return sum.Total()
}
