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
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

const loadPage = 500

// load fills the ledger with a namespace, once, and again for every budget that is created.
func (l *Ledger) load(ctx context.Context, namespace string, now time.Time) error {
	if none, err := l.hasNone(ctx, namespace); none || err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.spaces[namespace]; s != nil && s.loaded && !s.outdated {
		return nil
	}
	return l.read(ctx, namespace, now)
}

// hasNone says whether there is no budget in a namespace that nobody has asked about. Most have none, and an API server
// that is slow to say so must not keep the jobs of other namespaces waiting: it is asked without the ledger's lock.
func (l *Ledger) hasNone(ctx context.Context, namespace string) (bool, error) {
	s, is := l.fresh(namespace)
	if !is {
		return false, nil
	}
	s.asking.Lock()
	defer s.asking.Unlock()
	if _, is := l.fresh(namespace); !is { // somebody else has asked meanwhile
		return false, nil
	}
	facts, err := l.table.read(ctx)
	if err != nil {
		return false, err
	}
	var budgets carbonv1alpha1.CarbonBudgetList
	if err := l.reader.List(ctx, &budgets, client.InNamespace(namespace), client.Limit(1)); err != nil {
		return false, fmt.Errorf("asking for a CarbonBudget for the ledger: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(budgets.Items) > 0 || l.spaces[namespace] != s || s.loaded || s.outdated {
		return false, nil
	}
	l.facts, s.models = facts, facts
	s.loaded, s.freed, s.edited = true, true, true
	return true, nil
}

// fresh is the space of a namespace, and says whether nothing was read of that.
func (l *Ledger) fresh(namespace string) (s *space, is bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s = l.space(namespace)
	return s, !s.loaded && !s.outdated
}

// heard takes note of a budget that was created: no job may start past it from now on, though its first count
// may take a while.
func (l *Ledger) heard(key types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.spaces[key.Namespace]; s != nil && s.budgets[key.Name] == nil {
		s.outdated = true
	}
}

// leads says whether this process is the leader of a budget.
func (l *Ledger) leads(b *carbonv1alpha1.CarbonBudget) bool { return b.Status.Leader == l.leader }

// knowsLater says whether a later state of a budget is known than this one.
func (l *Ledger) knowsLater(b *carbonv1alpha1.CarbonBudget) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.space(b.Namespace).budgets[b.Name]
	return a != nil && a.isAfter(b)
}

// takeOver makes this process the leader of all budgets of a namespace, and reads what others did there.
func (l *Ledger) takeOver(ctx context.Context, namespace string, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.space(namespace).outdated = true // until it is read: this process may lead before that
	return l.read(ctx, namespace, now)
}

// miss forgets a budget that the cache does not show, if it is gone: the ledger reads the API server, so it may know
// one that the cache is yet to show.
func (l *Ledger) miss(ctx context.Context, key types.NamespacedName) error {
	uid, known := l.knownBudget(key)
	if !known {
		return nil
	}
	var budgets carbonv1alpha1.CarbonBudgetList
	if err := l.reader.List(ctx, &budgets, client.InNamespace(key.Namespace)); err != nil {
		return fmt.Errorf("asking whether CarbonBudget %s is gone: %w", key, err)
	}
	for i := range budgets.Items {
		if b := &budgets.Items[i]; b.Name == key.Name && b.UID == uid {
			return errStaleCache
		}
	}
	l.dropBudget(key, uid)
	return nil
}

// knownBudget is the budget of that name that the ledger knows.
func (l *Ledger) knownBudget(key types.NamespacedName) (uid types.UID, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.space(key.Namespace).budgets[key.Name]
	if a == nil {
		return "", false
	}
	return a.object.UID, true
}

// read becomes the leader of the budgets first and lists the jobs after that, so that no former leader can
// grant anything that is not seen here. Where there is no budget, the jobs do not matter yet.
func (l *Ledger) read(ctx context.Context, namespace string, now time.Time) error {
	facts, err := l.table.read(ctx)
	if err != nil {
		return err
	}
	l.facts = facts
	was, is := l.space(namespace), newSpace(facts)
	var budgets carbonv1alpha1.CarbonBudgetList
	if err := l.reader.List(ctx, &budgets, client.InNamespace(namespace)); err != nil {
		return fmt.Errorf("listing CarbonBudgets for the ledger: %w", err)
	}
	for i := range budgets.Items {
		b := &budgets.Items[i]
		if err := l.lead(ctx, b); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("becoming the leader of CarbonBudget %s: %w", client.ObjectKeyFromObject(b), err)
		} else if err == nil {
			is.setBudget(b, now)
		}
	}
	if len(budgets.Items) > 0 {
		if err := l.list(ctx, namespace, is); err != nil {
			return err
		}
	}
	for uid, b := range is.active {
		if had := was.jobs[uid]; had != nil && b.state != ended {
			b.burn, b.told = had.burn, had.told
		}
	}
	is.adopt()
	is.loaded, is.freed, is.edited = true, true, true
	l.enter(namespace, is)
	for name := range is.budgets {
		is.news(name)
	}
	return nil
}

func (l *Ledger) list(ctx context.Context, namespace string, into *space) error {
	var jobs carbonv1alpha1.CarbonAwareJobList
	for {
		if err := l.reader.List(ctx, &jobs, client.InNamespace(namespace), client.Limit(loadPage), client.Continue(jobs.Continue)); err != nil {
			return fmt.Errorf("listing CarbonAwareJobs for the ledger: %w", err)
		}
		for i := range jobs.Items {
			into.note(&jobs.Items[i])
		}
		into.listed = jobs.ResourceVersion
		if jobs.Continue == "" {
			return nil
		}
	}
}

func (l *Ledger) lead(ctx context.Context, b *carbonv1alpha1.CarbonBudget) error {
	if l.leads(b) {
		return nil
	}
	before := b.DeepCopy()
	b.Status.Leader = l.leader
	return patchStatus(ctx, l.writer, b, before)
}

// adopt takes over what a former leader granted and jobs do not know of yet. One that was granted room by
// some of its budgets only asks again.
func (s *space) adopt() {
	for _, b := range s.jobs {
		if b.state == reserved || !s.bound(b) {
			continue
		}
		is := *b
		complete := true // it is bound by one at least
		for _, a := range s.matching(b.labels) {
			g := a.granted[b.uid]
			is.in = append(is.in, a.name)
			complete, is.grams = complete && g.binds(b), g.grams
		}
		if complete {
			is.state = reserved
			s.put(is)
		}
	}
}
