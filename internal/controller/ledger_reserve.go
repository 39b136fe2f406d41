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
	"math"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// unknownGrams is the claim of a job whose energy is unknown: it fits into no budget that is
// enforced.
const unknownGrams estimate.Nanograms = math.MaxInt64

// hold says which budget holds a job, and why.
type hold struct {
	budget             string
	grams, left, limit estimate.Nanograms
	// until is when the budget's next period begins; zero when it never does.
	until time.Time
	// tooMany is how many budgets there are, if no job may count in so many.
	tooMany int
}

// verdict is the answer to a job that wants to start.
type verdict struct {
	// budgets in which the job counts; it needs no reservation when there are none.
	budgets []string
	// granted is what is set aside for it.
	granted estimate.Nanograms
	// unwritten are those of the budgets whose status must say so before the job's may.
	unwritten []string
	// held says what keeps it from starting; nil when nothing does.
	held *hold
	// told says that the job's status speaks of that hold already.
	told bool
	// stale says that a later state of the job is known than the one that asked: it must be read again.
	stale bool
}

// maxReservedIn is how many budgets may set grams aside for one job; see the CRD.
const maxReservedIn = 256

// reserve asks for the grams of a job whose start has come: all budgets grant them or none does.
// Jobs that have waited longer come first wherever there is new room. What stands in the job's
// status is never asked for again.
func (l *Ledger) reserve(caj *carbonv1alpha1.CarbonAwareJob, grams estimate.Nanograms, now time.Time) verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.space(caj.Namespace)
	s.note(caj)
	s.roll(now)
	if is := s.jobs[caj.UID]; is == nil || is.isAfter(caj) {
		return verdict{stale: true}
	}
	b := *s.jobs[caj.UID]
	accounts := s.matching(b.labels)
	answer := verdict{budgets: names(accounts)}
	switch {
	case b.state == reserved && b.standing:
		answer.granted = b.grams
		return answer
	case !countable(grams, accounts): // nothing is set aside
		b.state, b.grams, b.in, b.asked, b.told = idle, 0, nil, false, hold{}
		s.put(b)
		answer.granted = grams
		return answer
	case grams != unknownGrams && s.stands(&b):
		answer.granted, answer.unwritten = b.grams, l.unwritten(accounts, &b)
		return answer
	}
	if b = s.queue(b, grams, accounts); b.state == reserved {
		answer.granted, answer.unwritten = grams, l.unwritten(accounts, &b)
		return answer
	}
	answer.held, answer.told = s.holdBack(b, grams, accounts)
	return answer
}

// countable says whether budgets can set grams aside, or hold the job for want of them.
func countable(grams estimate.Nanograms, accounts []*account) bool {
	return len(accounts) > 0 && (grams != unknownGrams || anyEnforced(accounts))
}

// stands says whether a job was granted room by all its budgets, as their status says of this very state of it.
func (s *space) stands(b *booking) bool { return b.state == reserved && s.bound(b) && s.covers(b) }

// holdBack says what keeps a job from starting, and whether its status speaks of that already.
func (s *space) holdBack(b booking, grams estimate.Nanograms, accounts []*account) (held *hold, told bool) {
	held = holdOf(grams, accounts)
	if told = sameHold(b.told, *held); !told {
		b.told = *held
		s.put(b)
	}
	return held, told
}

// queue lets a job ask for its grams, and says what became of it.
func (s *space) queue(b booking, grams estimate.Nanograms, accounts []*account) booking {
	b.state, b.grams, b.asked, b.in = waiting, grams, true, nil
	s.put(b)
	if len(accounts) <= maxReservedIn && !s.bound(&b) {
		s.try(b.uid)
	}
	return *s.jobs[b.uid]
}

// unwritten are the budgets whose status does not say yet that this very state of the job was granted room.
func (l *Ledger) unwritten(accounts []*account, b *booking) []string {
	var all []string
	for _, a := range accounts {
		if !l.leads(&a.object) || a.granted[b.uid] != (grant{grams: b.grams, version: b.version}) {
			all = append(all, a.name)
		}
	}
	return all
}

// isGranted says whether the status of the budgets says what a verdict does of this very state of a job.
func (l *Ledger) isGranted(caj *carbonv1alpha1.CarbonAwareJob, v verdict) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.space(caj.Namespace)
	b := s.jobs[caj.UID]
	return b != nil && b.state == reserved && b.version == caj.ResourceVersion && b.grams == v.granted &&
		slices.Equal(names(s.matching(b.labels)), v.budgets) && len(l.unwritten(s.matching(b.labels), b)) == 0
}

// covers says whether all budgets in which a job counts have set grams aside for it.
func (s *space) covers(b *booking) bool {
	return !slices.ContainsFunc(s.matching(b.labels), func(a *account) bool { return !b.holdsIn(a) })
}

// covered says whether a reservation that stands was made by all budgets in which the job counts.
func (l *Ledger) covered(caj *carbonv1alpha1.CarbonAwareJob) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := booking{labels: caj.Labels, in: caj.Status.ReservedIn}
	return l.space(caj.Namespace).covers(&b)
}

// bound says whether a process may still write a reservation into this state of a job.
func (l *Ledger) bound(caj *carbonv1alpha1.CarbonAwareJob) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.space(caj.Namespace)
	b := s.jobs[caj.UID]
	return b != nil && s.bound(b)
}

// force sets grams aside for a job that runs already, room or not.
func (l *Ledger) force(caj *carbonv1alpha1.CarbonAwareJob, grams estimate.Nanograms) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.space(caj.Namespace)
	s.note(caj)
	if is := s.jobs[caj.UID]; is == nil || is.isAfter(caj) { // what is written by this state will be refused
		return names(s.matching(caj.Labels))
	}
	b := *s.jobs[caj.UID]
	b.state, b.grams, b.standing, b.started = reserved, grams, true, true
	if grams == unknownGrams {
		b.grams = 0
	}
	s.put(b)
	return names(s.matching(b.labels))
}

// withdraw takes back what a job asked for, but for what stands in its status.
func (l *Ledger) withdraw(caj *carbonv1alpha1.CarbonAwareJob) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.space(caj.Namespace)
	if was := s.jobs[caj.UID]; was != nil && (was.state == waiting || was.state == reserved && !was.standing) {
		b := *was
		b.state, b.grams, b.in, b.asked, b.told = idle, 0, nil, false, hold{}
		s.put(b)
	}
}

// mayStart says whether a job may be started by what its status says: a reservation that stands there may
// have been given back since, or lack a budget, and none starts in a budget that stops every run. Without one
// it may only count in budgets that warn.
func (l *Ledger) mayStart(caj *carbonv1alpha1.CarbonAwareJob) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.space(caj.Namespace)
	if caj.Status.ReservedGrams == "" {
		return !anyEnforced(s.matching(caj.Labels))
	}
	b, is := s.jobs[caj.UID], booking{labels: caj.Labels, in: caj.Status.ReservedIn}
	return b != nil && s.exhausted(b) == "" && b.state == reserved && b.standing && s.covers(&is)
}

// anyEnforced says whether some of the budgets hold jobs.
func anyEnforced(accounts []*account) bool {
	return slices.ContainsFunc(accounts, func(a *account) bool { return a.enforced })
}

// try grants a job its grams if there is room; if there is new room, in the order of the queue. One that would
// not fit even alone is worth no look at the queue: after a restart everyone in it asks.
func (s *space) try(uid types.UID) {
	b := s.jobs[uid]
	switch {
	case slices.ContainsFunc(s.matching(b.labels), func(a *account) bool { return !a.budget().Fits(b.grams) }):
	case s.freed:
		s.admit()
	default:
		s.grant([]*booking{b})
	}
}

// admit grants waiting jobs what room there is, in the order of the queue. Those that have not asked since
// the process began keep their place in it.
func (s *space) admit() {
	if !s.freed {
		return
	}
	s.freed = false
	var queue []*booking
	for _, b := range s.active {
		if b.state == waiting && !b.leaving && !s.bound(b) {
			queue = append(queue, b)
			s.freed = s.freed || !b.asked
		}
	}
	s.grant(queue)
}

func (s *space) grant(queue []*booking) {
	if len(queue) == 0 {
		return
	}
	index := map[string]int{}
	var budgets []policy.Budget
	for name, a := range s.budgets {
		index[name] = len(budgets)
		budgets = append(budgets, a.budget())
	}
	claims := make([]policy.Claim, 0, len(queue))
	for _, b := range queue {
		claim := policy.Claim{UID: string(b.uid), Start: b.start, Grams: b.grams}
		for _, a := range s.matching(b.labels) {
			claim.Budgets = append(claim.Budgets, index[a.name])
		}
		claims = append(claims, claim)
	}
	for _, claim := range policy.Admit(claims, budgets) {
		b := *s.jobs[types.UID(claim.UID)]
		if !b.asked || b.grams == unknownGrams { // what only warns sets nothing aside for an unknown energy
			continue
		}
		b.state, b.in, b.told = reserved, names(s.matching(b.labels)), hold{}
		s.put(b)
	}
}

// holdOf is the first budget that has no room for so much.
func holdOf(grams estimate.Nanograms, accounts []*account) *hold {
	for _, a := range accounts {
		if b := a.budget(); !b.Fits(grams) {
			return &hold{budget: a.name, grams: grams, left: b.Remaining(), limit: a.limit, until: a.end}
		}
	}
	a := accounts[0]
	if len(accounts) > maxReservedIn {
		return &hold{budget: a.name, grams: grams, limit: a.limit, tooMany: len(accounts)}
	}
	// There was room, but an older job took it.
	return &hold{budget: a.name, grams: grams, left: a.budget().Remaining(), limit: a.limit, until: a.end}
}

// sameHold says whether two holds are told in the same words but for what is left, which changes with
// every job, and for a tenth of what is asked, which changes with every forecast: neither is worth a
// write to every job that waits.
func sameHold(a, b hold) bool {
	return a.budget == b.budget && a.limit == b.limit && a.until.Equal(b.until) && a.tooMany == b.tooMany &&
		(a.grams > a.limit) == (b.grams > b.limit) && max(a.grams, b.grams)-min(a.grams, b.grams) <= a.grams/10
}
