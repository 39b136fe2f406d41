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
	"time"

	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
)

// maxGranted is how many jobs may be on a budget's list of granted ones; see the CRD.
const maxGranted = 256

// view is what a budget is made of.
type view struct {
	// tallies are the present period and those before it, without what deleted jobs have left.
	tallies []tally
	// leaving are the jobs that are being deleted and have ended, with their record if there will ever be one;
	// alive are those on the budget's list of settling ones that are still there.
	leaving []booking
	alive   map[types.UID]bool
	// runs are the jobs that run or are about to start; only for a budget that terminates.
	runs []booking
	// granted are those whose own status does not say so yet.
	granted []carbonv1alpha1.GrantedJob
	// reserved by jobs that run or are about to start, consumed by those that ended in this period.
	reserved, consumed estimate.Nanograms
	running, held      int32
	// exhausted says that the limit of a budget that terminates is reached.
	exhausted bool
}

// viewOf grants held jobs what room there is, and returns what the budget is made of then; false
// when the budget has gone meanwhile.
func (l *Ledger) viewOf(b *carbonv1alpha1.CarbonBudget, now time.Time) (view, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.space(b.Namespace)
	s.roll(now)
	s.admit()
	a := s.budgets[b.Name]
	if a == nil {
		return view{}, false
	}
	return s.view(a), true
}

func (s *space) view(a *account) view {
	v := view{
		tallies: slices.Clone(a.tallies), alive: map[types.UID]bool{}, granted: s.grantedIn(a),
		reserved: a.reserved.Total(), consumed: a.consumed(), running: a.running, held: a.held, exhausted: a.exhausted,
	}
	for uid := range a.settling {
		v.alive[uid] = s.jobs[uid] != nil
	}
	for _, b := range s.leaving {
		if b.leaves() && a.matches(b.labels) {
			v.leaving = append(v.leaving, *b)
		}
	}
	slices.SortFunc(v.leaving, func(a, b booking) int { return a.compare(&b) })
	if a.terminates {
		for _, b := range s.active {
			if b.state == reserved && a.matches(b.labels) {
				v.runs = append(v.runs, *b)
			}
		}
		slices.SortFunc(v.runs, func(a, b booking) int { return a.compare(&b) })
	}
	return v
}

// grantedIn is the list of jobs that were granted room in a budget and do not know it yet: those that are on
// it already and may still write their reservation, then the others in the order of the queue.
func (s *space) grantedIn(a *account) []carbonv1alpha1.GrantedJob {
	var list []carbonv1alpha1.GrantedJob
	grams := func(n estimate.Nanograms) carbonv1alpha1.Decimal { return carbonv1alpha1.Decimal(n.String()) }
	for _, g := range a.object.Status.Granted {
		switch b := s.jobs[g.UID]; {
		case b == nil:
		case s.granted[g.UID] != nil && a.matches(b.labels) && b.holdsIn(a):
			list = append(list, carbonv1alpha1.GrantedJob{UID: b.uid, Grams: grams(b.grams), ResourceVersion: b.version})
		case a.granted[g.UID].binds(b):
			list = append(list, g)
		}
	}
	var others []*booking
	for uid, b := range s.granted {
		if _, has := a.granted[uid]; !has && a.matches(b.labels) && b.holdsIn(a) {
			others = append(others, b)
		}
	}
	slices.SortFunc(others, (*booking).compare)
	for _, b := range others[:min(len(others), max(0, maxGranted-len(list)))] {
		list = append(list, carbonv1alpha1.GrantedJob{UID: b.uid, Grams: grams(b.grams), ResourceVersion: b.version})
	}
	return list
}

// stirred are the jobs of a namespace for which a change of a budget may mean something: those that
// were granted room and do not know it yet, those that wait to be settled, and those that run or are
// about to though a budget that terminates is used up; all that have not ended, when a budget came, went or was edited.
func (l *Ledger) stirred(namespace string) []types.NamespacedName {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.space(namespace)
	var keys []types.NamespacedName
	add := func(b *booking) { keys = append(keys, types.NamespacedName{Namespace: namespace, Name: b.name}) }
	for _, b := range s.leaving {
		add(b)
	}
	for uid, b := range s.granted {
		if s.leaving[uid] == nil {
			add(b)
		}
	}
	if s.edited || s.anyExhausted() { // else there may be very many for which it means nothing
		for uid, b := range s.active {
			if s.leaving[uid] == nil && s.granted[uid] == nil && (s.edited || b.state == reserved && s.exhausted(b) != "") {
				add(b)
			}
		}
	}
	s.edited = false
	return keys
}
