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
}

// verdict is the answer to a job that wants to start.
type verdict struct {
	// budgets in which the job counts; it needs no reservation when there are none.
	budgets []string
	// granted is what is set aside for it.
	granted estimate.Nanograms
	// held says what keeps it from starting; nil when nothing does.
	held *hold
	// told says that the job's status speaks of that hold already.
	told bool
}

// reserve asks for the grams of a job whose start has come: all budgets grant them or none does.
// Jobs that have waited longer come first wherever there is new room. What stands in the job's
// status is never asked for again.
func (l *Ledger) reserve(caj *carbonv1alpha1.CarbonAwareJob, grams estimate.Nanograms, now time.Time) verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := spaceOf(l.spaces, caj.Namespace)
	s.note(caj)
	s.roll(now)
	b := *s.jobs[caj.UID]
	accounts := s.matching(b.labels)
	answer := verdict{budgets: names(accounts)}
	switch {
	case b.state == reserved && b.standing:
		answer.granted = b.grams
		return answer
	case len(accounts) == 0:
		b.state = idle
		s.put(b)
		return answer
	}
	b.state, b.grams = waiting, grams
	s.put(b)
	s.try(caj.UID)
	b = *s.jobs[caj.UID]
	if b.state == reserved {
		answer.granted = grams
		return answer
	}
	answer.held = holdOf(grams, accounts)
	if answer.told = sameHold(b.told, *answer.held); !answer.told {
		b.told = *answer.held
		s.put(b)
	}
	return answer
}

// force sets grams aside for a job that runs already, room or not.
func (l *Ledger) force(caj *carbonv1alpha1.CarbonAwareJob, grams estimate.Nanograms) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := spaceOf(l.spaces, caj.Namespace)
	s.note(caj)
	b := *s.jobs[caj.UID]
	b.state, b.grams, b.standing = reserved, grams, true
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
	s := spaceOf(l.spaces, caj.Namespace)
	if was := s.jobs[caj.UID]; was != nil && (was.state == waiting || was.state == reserved && !was.standing) {
		b := *was
		b.state, b.grams, b.told = idle, 0, hold{}
		s.put(b)
	}
}

// bar keeps the Starter from a job whose reservation is going to be given back; false while a start is
// under way. The next pass lifts it.
func (l *Ledger) bar(caj *carbonv1alpha1.CarbonAwareJob) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := spaceOf(l.spaces, caj.Namespace)
	s.note(caj)
	b := s.jobs[caj.UID]
	b.barred = !b.starting
	return b.barred
}

// release gives back what stood in the status of a barred job, once it does not any more.
func (l *Ledger) release(caj *carbonv1alpha1.CarbonAwareJob) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := spaceOf(l.spaces, caj.Namespace)
	if was := s.jobs[caj.UID]; was != nil && was.barred {
		b := *was
		b.state, b.standing, b.barred, b.grams, b.told = idle, false, false, 0, hold{}
		s.put(b)
	}
}

// begin says whether a job may be started by what its status says: a reservation that stands there may
// have been given back since, and none starts in a budget that stops every run. What has begun must be
// told to end.
func (l *Ledger) begin(caj *carbonv1alpha1.CarbonAwareJob) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := spaceOf(l.spaces, caj.Namespace)
	b := s.jobs[caj.UID]
	switch {
	case b == nil:
		return caj.Status.ReservedGrams == ""
	case b.barred || s.exhausted(b) != "" || caj.Status.ReservedGrams != "" && b.state != reserved:
		return false
	}
	b.starting = true
	return true
}

// end says that the patch is answered for which begin was asked.
func (l *Ledger) end(caj *carbonv1alpha1.CarbonAwareJob) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := spaceOf(l.spaces, caj.Namespace).jobs[caj.UID]; b != nil {
		b.starting = false
	}
}

// try grants a job its grams if there is room; if there is new room, in the order of the queue.
func (s *space) try(uid types.UID) {
	if s.freed {
		s.admit()
		return
	}
	s.grant([]*booking{s.jobs[uid]})
}

// admit grants waiting jobs what room there is, in the order of the queue.
func (s *space) admit() {
	if !s.freed {
		return
	}
	var queue []*booking
	for _, b := range s.jobs {
		if b.state == waiting && !b.leaving {
			queue = append(queue, b)
		}
	}
	s.grant(queue)
	s.freed = false
}

func (s *space) grant(queue []*booking) {
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
		b.state, b.told = reserved, hold{}
		if b.grams == unknownGrams { // budgets that only warn let it through, and cannot count it
			b.grams = 0
		}
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
	// There was room, but an older job took it.
	a := accounts[0]
	return &hold{budget: a.name, grams: grams, left: a.budget().Remaining(), limit: a.limit, until: a.end}
}

// sameHold says whether two holds are told in the same words but for what is left, which changes with
// every job, and for a tenth of what is asked, which changes with every forecast: neither is worth a
// write to every job that waits.
func sameHold(a, b hold) bool {
	return a.budget == b.budget && a.limit == b.limit && a.until.Equal(b.until) &&
		(a.grams > a.limit) == (b.grams > b.limit) && max(a.grams, b.grams)-min(a.grams, b.grams) <= a.grams/10
}
