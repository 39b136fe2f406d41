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
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// Overdrawn lists the times at which a budget's own status said that more was consumed and reserved than it
// had: admission must not let that happen where runs emit what was reserved for them, or less.
func Overdrawn(events []Event, namespace, name string) []string {
	var broken []string
	for i := range events {
		b := events[i].CarbonBudget
		if b != nil && b.Namespace == namespace && b.Name == name && strings.HasPrefix(string(b.Status.RemainingGrams), "-") {
			broken = append(broken, fmt.Sprintf("promise 4: %s/%s had %s g left at %s", namespace, name, b.Status.RemainingGrams, events[i].Received))
		}
	}
	return broken
}

// Overspent lists the reservations for which a budget that never begins anew had no room when they were
// granted, by what the jobs' own statuses said then: what has ended counts with its record, what is about to
// run with its reservation. It believes no sum of the operator. A run that emits more than what was reserved for
// it, because attempts were lost, may overdraw a budget; that counts for what is granted after its record.
func Overspent(events []Event, namespace, name string) []string {
	var broken []string
	f := funds{taken: map[types.UID]float64{}}
	for i := range events {
		if b := events[i].CarbonBudget; b != nil && b.Namespace == namespace && b.Name == name {
			f.limit, f.labels = limitOf(b)
			f.follow(b)
		}
		caj := events[i].CarbonAwareJob
		if caj == nil || caj.Namespace != namespace || !matches(caj, f.labels) {
			continue
		}
		if left, enough := f.take(caj); !enough {
			broken = append(broken, fmt.Sprintf("promise 4: %s/%s had %.6f of %.6f g left at %s, and %s was granted %s g",
				namespace, name, left, f.limit, events[i].Received, caj.Name, caj.Status.ReservedGrams))
		}
	}
	return broken
}

// funds are a budget as the jobs' statuses tell it.
type funds struct {
	limit  float64
	labels map[string]string
	taken  map[types.UID]float64
	surprises
}

// take notes what a job takes now, and says what the others had left, and whether that was enough for what
// it was granted.
func (f *funds) take(caj *carbonv1alpha1.CarbonAwareJob) (left float64, enough bool) {
	had, has, recorded := f.taken[caj.UID], takenBy(caj), caj.Status.Emissions != nil
	delete(f.taken, caj.UID)
	left = f.limit - sumOf(f.taken)
	f.taken[caj.UID] = has
	if recorded && has > had {
		f.add(has - had)
	}
	granted := caj.Status.ReservedGrams != "" && !recorded && had == 0
	return left, !granted || has <= left+f.unknownTo(caj)+1e-6
}

// surprises are the grams that runs have emitted beyond what was reserved for them, by when it was written.
type surprises struct {
	total float64
	// before are the totals at the last two writes of the budget's status.
	before [2]float64
	status carbonv1alpha1.CarbonBudgetStatus
	// granted are the totals at the time before which a grant was not decided yet.
	granted map[types.UID]float64
}

func (s *surprises) add(grams float64) { s.total += grams }

// follow takes note of the grants that a budget speaks of for the first time. They were decided after the last write
// of its status but one: the last did not know of them, and may have been under way.
func (s *surprises) follow(b *carbonv1alpha1.CarbonBudget) {
	if equality.Semantic.DeepEqual(s.status, b.Status) {
		return
	}
	if s.granted == nil {
		s.granted = map[types.UID]float64{}
	}
	for _, g := range b.Status.Granted {
		if !slices.Contains(s.status.Granted, g) {
			s.granted[g.UID] = s.before[0]
		}
	}
	s.before[0], s.before[1] = s.before[1], s.total
	s.status = b.Status
}

// unknownTo is what may have come on record while a job's grant was on its way to its status.
func (s *surprises) unknownTo(caj *carbonv1alpha1.CarbonAwareJob) float64 {
	decided, is := s.granted[caj.UID]
	if !is {
		return 0
	}
	return s.total - decided
}

func sumOf(taken map[types.UID]float64) (sum float64) {
	for _, grams := range taken {
		sum += grams
	}
	return sum
}

// limitOf is how much a budget has, and the labels of the jobs that count in it.
func limitOf(b *carbonv1alpha1.CarbonBudget) (grams float64, labels map[string]string) {
	if b.Spec.LimitGrams != nil {
		grams = b.Spec.LimitGrams.AsApproximateFloat64()
	}
	if b.Spec.Selector != nil {
		labels = b.Spec.Selector.MatchLabels
	}
	return grams, labels
}

func matches(caj *carbonv1alpha1.CarbonAwareJob, labels map[string]string) bool {
	has := maps.Clone(labels)
	maps.DeleteFunc(has, func(key, value string) bool { return caj.Labels[key] == value })
	return len(has) == 0
}

// takenBy is what a job takes of its budgets: what it emitted or, before that is known, what is set aside for it.
func takenBy(caj *carbonv1alpha1.CarbonAwareJob) float64 {
	grams := caj.Status.ReservedGrams
	if e := caj.Status.Emissions; e != nil {
		grams = e.ActualGrams
	} else if caj.DeletionTimestamp != nil && !slices.Contains(caj.Finalizers, carbonv1alpha1.FinalizerCarbonAwareJob) {
		return 0 // it went without having run; the finalizer of a deletion in the foreground may outlast ours
	}
	taken, err := strconv.ParseFloat(string(grams), 64)
	if err != nil {
		return 0 // nothing was written there
	}
	return taken
}
