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
	"cmp"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// Ledger knows what every CarbonBudget has consumed and reserved, and which jobs wait for room. It
// is read from the API server itself when the first decision in a namespace is due, and kept up by the
// reconcilers, so that a start is decided by a look at two sums. What it grants counts once it stands
// in the budget's status, which only the budget's leader can write, and then in the job's; see ADR 8.
type Ledger struct {
	// reader asks the API server itself: what a cache has not seen yet must not be spent again.
	reader client.Reader
	// writer makes this process the leader of budgets.
	writer client.StatusClient
	// leader is the name of this process.
	leader string
	// table tells the energy of workloads, facts is what it told when the ledger was filled last.
	table  *ModelTable
	mu     sync.Mutex
	facts  modelFacts
	spaces map[string]*space
	// news has a budget counted soon because something that counts in it has changed here; nil for nobody.
	news func(types.NamespacedName)
}

// NewLedger is an empty ledger that is going to be filled from the API server, with a name of its own. A nil
// table stands for the built-in one.
func NewLedger(reader client.Reader, writer client.StatusClient, table *ModelTable) *Ledger {
	return &Ledger{reader: reader, writer: writer, table: table, leader: string(uuid.NewUUID()), spaces: map[string]*space{}}
}

// space is one namespace: budgets and jobs of different ones have nothing to do with each other.
type space struct {
	models modelFacts
	// loaded says that the space was read from the API server, listed which version of its jobs that was, and
	// outdated that a budget has come since, which is not known.
	loaded, outdated bool
	listed           string
	// asking is locked by the one who asks for the first budget.
	asking  sync.Mutex
	jobs    map[types.UID]*booking
	names   map[string]types.UID
	budgets map[string]*account
	// active are the jobs that have not ended or are being deleted, granted those that were granted room
	// and whose status does not say so yet, leaving those that are being deleted: of all others, there may
	// be very many.
	active, granted, leaving map[types.UID]*booking
	// freed says that there may be room for held jobs that there was not when they were last tried.
	freed bool
	// edited says that a budget came, went or changed, so that every job must be looked at again.
	edited bool
	// news has a budget counted soon.
	news func(budget string)
}

func newSpace(models modelFacts) *space {
	return &space{
		models: models,
		jobs:   map[types.UID]*booking{}, names: map[string]types.UID{}, budgets: map[string]*account{},
		active: map[types.UID]*booking{}, granted: map[types.UID]*booking{}, leaving: map[types.UID]*booking{},
		news: func(string) {},
	}
}

// space is the one of that name; a new one if there is none.
func (l *Ledger) space(namespace string) *space {
	s := l.spaces[namespace]
	if s == nil {
		s = newSpace(l.facts)
		l.enter(namespace, s)
	}
	return s
}

// enter makes a space the one of its namespace: from now on budgets hear of what changes in it.
func (l *Ledger) enter(namespace string, s *space) {
	s.news = func(budget string) {
		if l.news != nil {
			l.news(types.NamespacedName{Namespace: namespace, Name: budget})
		}
	}
	l.spaces[namespace] = s
}

// listen has the given function called with every budget that must be counted anew, while the ledger is locked.
// News of a job reach its budgets by watch as well, but those may be counted before the ledger has taken the
// news in: without this a job that is being deleted would wait for ever for a count that knows of it.
func (l *Ledger) listen(news func(types.NamespacedName)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.news = news
}

// note takes over what stands in the status of a job.
func (l *Ledger) note(caj *carbonv1alpha1.CarbonAwareJob) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.space(caj.Namespace).note(caj)
}

// known is the job of that name that the ledger knows; empty for none.
func (l *Ledger) known(key types.NamespacedName) types.UID {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.space(key.Namespace)
	if uid := s.names[key.Name]; s.jobs[uid] != nil {
		return uid
	}
	return ""
}

// forget drops a job that is gone.
func (l *Ledger) forget(namespace string, uid types.UID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.space(namespace).remove(uid)
}

// setBudget takes over a budget as it is now, but for a state that is older than the one known.
func (l *Ledger) setBudget(b *carbonv1alpha1.CarbonBudget, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.space(b.Namespace).setBudget(b, now)
}

func (s *space) setBudget(b *carbonv1alpha1.CarbonBudget, now time.Time) {
	was, is := s.budgets[b.Name], newAccount(b, now)
	if was != nil && was.isAfter(b) {
		return
	}
	s.budgets[b.Name] = is
	edited := was == nil || was.generation != is.generation || was.object.UID != is.object.UID
	s.count(is, was, edited)
	s.edited = s.edited || edited
	if was == nil {
		s.revoke(is)
		return
	}
	is.exhausted = was.exhausted && !edited && was.start.Equal(is.start)
	if edited || s.isTold(is, was) {
		s.revoke(is)
	}
}

// count makes the sums of a budget, from those that it had where the same jobs count in them as before.
func (s *space) count(is, was *account, edited bool) {
	if was == nil || !is.continues(was) {
		s.recount(is)
		s.freed = true
		return
	}
	is.inherit(was, s.jobs)
	s.freed = s.freed || edited || is.used() < was.used()
}

// isTold says whether the status of a budget speaks of a grant that this ledger does not know of: the answer
// to the write was lost, or it was under way while the ledger was read. What was granted since then was
// granted without it.
func (s *space) isTold(a, was *account) bool {
	for uid, g := range a.granted {
		b := s.jobs[uid]
		if b != nil && b.state != reserved && was.granted[uid] != g && g.binds(b) {
			return true
		}
	}
	return false
}

// revoke lets those ask again that were granted room by what the budget was before, and of whom its status
// does not speak yet.
func (s *space) revoke(a *account) {
	for _, b := range s.granted {
		if a.matches(b.labels) && !a.granted[b.uid].binds(b) {
			is := *b
			is.state, is.in = waiting, nil
			s.put(is)
		}
	}
	s.freed = true
}

// dropBudget forgets a budget that is gone, but not another one that has been created in its place.
func (l *Ledger) dropBudget(key types.NamespacedName, uid types.UID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.space(key.Namespace)
	if a := s.budgets[key.Name]; a != nil && a.object.UID == uid {
		delete(s.budgets, key.Name)
		s.freed, s.edited = true, true
	}
}

// budgeted says whether a job with these labels counts in any budget.
func (l *Ledger) budgeted(namespace string, labels map[string]string) bool {
	return len(l.budgetsOf(namespace, labels)) > 0
}

// budgetsOf are the names of the budgets in which a job with these labels counts, sorted.
func (l *Ledger) budgetsOf(namespace string, labels map[string]string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return names(l.space(namespace).matching(labels))
}

// settled says whether nothing of a job would be lost with it: every budget in which it counts has
// its grams for good, or it has none.
func (l *Ledger) settled(caj *carbonv1alpha1.CarbonAwareJob) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.space(caj.Namespace)
	b := s.jobs[caj.UID]
	return b == nil || !b.ran || !slices.ContainsFunc(s.matching(b.labels), func(a *account) bool { return !a.settling[b.uid] })
}

// matching are the budgets in which a job with these labels counts, by name.
func (s *space) matching(labels map[string]string) []*account {
	var all []*account
	for _, a := range s.budgets {
		if a.matches(labels) {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b *account) int { return cmp.Compare(a.name, b.name) })
	return all
}

func names(accounts []*account) []string {
	all := make([]string, 0, len(accounts))
	for _, a := range accounts {
		all = append(all, a.name)
	}
	return all
}
