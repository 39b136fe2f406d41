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
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
)

// Ledger knows what every CarbonBudget has consumed and reserved, and which jobs wait for room. It
// is rebuilt from the API server's own answer when the first decision of a process is due, and kept
// up by the reconcilers, so that a start is decided by a look at two sums. One process leads, so
// there is one ledger; a reservation counts for others once it stands in the job's status.
type Ledger struct {
	// reader asks the API server itself: what a cache has not seen yet must not be spent again.
	reader client.Reader
	// vigil tells when another process may have granted what this ledger does not know of.
	vigil  *Vigil
	mu     sync.Mutex
	loaded bool
	// doubted says that the ledger must be filled anew once it is certain who leads.
	doubted bool
	spaces  map[string]*space
}

// NewLedger is an empty ledger that is going to be filled from the API server. Without a vigil nobody
// else ever leads.
func NewLedger(reader client.Reader, vigil *Vigil) *Ledger {
	return &Ledger{reader: reader, vigil: vigil, spaces: map[string]*space{}}
}

// space is one namespace: budgets and jobs of different ones have nothing to do with each other.
type space struct {
	jobs    map[types.UID]*booking
	names   map[string]types.UID
	budgets map[string]*account
	// freed says that there may be room for held jobs that there was not when they were last tried.
	freed bool
	// edited says that a budget came, went or changed, so that every job must be looked at again.
	edited bool
}

const loadPage = 500

// mayGrant says whether it is certain that this process leads. While it is not, nothing may be granted.
func (l *Ledger) mayGrant() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.vigil.inDoubt() {
		l.doubted = true
		return false
	}
	return !l.doubted
}

// load fills the ledger, once, and anew after a doubt.
func (l *Ledger) load(ctx context.Context, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.doubted && !l.vigil.inDoubt() {
		l.loaded, l.doubted = false, false
	}
	if l.loaded {
		return nil
	}
	spaces := map[string]*space{}
	var budgets carbonv1alpha1.CarbonBudgetList
	if err := l.reader.List(ctx, &budgets); err != nil {
		return fmt.Errorf("listing CarbonBudgets for the ledger: %w", err)
	}
	for i := range budgets.Items {
		b := &budgets.Items[i]
		spaceOf(spaces, b.Namespace).budgets[b.Name] = newAccount(b, now)
	}
	var jobs carbonv1alpha1.CarbonAwareJobList
	for {
		if err := l.reader.List(ctx, &jobs, client.Limit(loadPage), client.Continue(jobs.Continue)); err != nil {
			return fmt.Errorf("listing CarbonAwareJobs for the ledger: %w", err)
		}
		for i := range jobs.Items {
			spaceOf(spaces, jobs.Items[i].Namespace).note(&jobs.Items[i])
		}
		if jobs.Continue == "" {
			break
		}
	}
	for _, s := range spaces {
		s.freed = true
	}
	l.spaces, l.loaded = spaces, true
	return nil
}

func spaceOf(spaces map[string]*space, namespace string) *space {
	s := spaces[namespace]
	if s == nil {
		s = &space{jobs: map[types.UID]*booking{}, names: map[string]types.UID{}, budgets: map[string]*account{}}
		spaces[namespace] = s
	}
	return s
}

// note takes over what stands in the status of a job.
func (l *Ledger) note(caj *carbonv1alpha1.CarbonAwareJob) {
	l.mu.Lock()
	defer l.mu.Unlock()
	spaceOf(l.spaces, caj.Namespace).note(caj)
}

// forget drops a job that is gone.
func (l *Ledger) forget(key types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := spaceOf(l.spaces, key.Namespace)
	s.remove(s.names[key.Name])
	delete(s.names, key.Name)
}

// setBudget takes over a budget as it is now, but for a state that is older than the one known.
func (l *Ledger) setBudget(b *carbonv1alpha1.CarbonBudget, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := spaceOf(l.spaces, b.Namespace)
	was, is := s.budgets[b.Name], newAccount(b, now)
	if was != nil && was.isAfter(b) {
		return
	}
	s.budgets[b.Name] = is
	is.exhausted = was != nil && was.exhausted && was.generation == is.generation && was.start.Equal(is.start)
	s.recount(is)
	s.freed = true
	s.edited = s.edited || was == nil || was.generation != is.generation
}

// dropBudget forgets a budget that is gone.
func (l *Ledger) dropBudget(key types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := spaceOf(l.spaces, key.Namespace)
	if s.budgets[key.Name] != nil {
		delete(s.budgets, key.Name)
		s.freed, s.edited = true, true
	}
}

// budgeted says whether a job with these labels counts in any budget.
func (l *Ledger) budgeted(namespace string, labels map[string]string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(spaceOf(l.spaces, namespace).matching(labels)) > 0
}

// budgetsOf are the names of the budgets in which a job with these labels counts, sorted.
func (l *Ledger) budgetsOf(namespace string, labels map[string]string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return names(spaceOf(l.spaces, namespace).matching(labels))
}

// settled says whether nothing of a job would be lost with it: every budget in which it counts has
// its grams for good, or it has none.
func (l *Ledger) settled(caj *carbonv1alpha1.CarbonAwareJob) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := spaceOf(l.spaces, caj.Namespace)
	b := s.jobs[caj.UID]
	return b == nil || !b.ran || !slices.ContainsFunc(s.matching(b.labels), func(a *account) bool { return !a.settling[b.uid] })
}

// view is what a budget is made of.
type view struct {
	// jobs that count in the budget.
	jobs []booking
	// alive are those of the jobs on the budget's list of settling ones that are still there.
	alive map[types.UID]bool
	// reserved by jobs that run or are about to start, consumed by those that ended in this period.
	reserved, consumed estimate.Nanograms
	// exhausted says that the limit of a budget that terminates is reached.
	exhausted bool
}

// viewOf grants held jobs what room there is, and returns what the budget is made of then; false
// when the budget has gone meanwhile.
func (l *Ledger) viewOf(b *carbonv1alpha1.CarbonBudget, now time.Time) (view, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := spaceOf(l.spaces, b.Namespace)
	s.roll(now)
	s.admit()
	a := s.budgets[b.Name]
	if a == nil {
		return view{}, false
	}
	v := view{alive: map[types.UID]bool{}, reserved: a.reserved.Total(), consumed: a.budget().Consumed}
	for _, settling := range b.Status.Settling {
		v.alive[settling.UID] = s.jobs[settling.UID] != nil
	}
	var past []booking // the order of what is only added up says nothing
	for _, job := range s.jobs {
		switch {
		case !a.matches(job.labels):
		case job.state == ended && !job.leaving:
			past = append(past, *job)
		default:
			v.jobs = append(v.jobs, *job)
		}
	}
	slices.SortFunc(v.jobs, func(a, b booking) int { return a.compare(&b) })
	v.jobs = append(v.jobs, past...)
	return v, true
}

// stirred are the jobs of a namespace for which a change of a budget may mean something: those that
// were granted room and do not know it yet, those that wait to be settled, and those that run or are
// about to though a budget that terminates is used up; all that have not ended, when a budget came, went or was edited.
func (l *Ledger) stirred(namespace string) []types.NamespacedName {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := spaceOf(l.spaces, namespace)
	var keys []types.NamespacedName
	for _, b := range s.jobs {
		granted := b.state == reserved && !b.standing
		if b.leaving || granted || b.state == reserved && s.exhausted(b) != "" || s.edited && b.state != ended {
			keys = append(keys, types.NamespacedName{Namespace: namespace, Name: b.name})
		}
	}
	s.edited = false
	return keys
}
