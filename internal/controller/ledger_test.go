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
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// lives plays random lives of jobs and budgets against ledgers: what the API server would store is in
// store, and what every run ever emitted is kept aside, to count from scratch.
type lives struct {
	*store
	t      *testing.T
	random *rand.Rand
	now    time.Time
	ledger *Ledger
	// asleep is a former leader that does not know that it is one.
	asleep  *sleeper
	runs    map[types.UID]*run
	created int
	edits   int
	// before are the runs that had gone when a budget was created in the place of another one, by its name.
	before map[string]map[types.UID]bool
	// woke counts what a former leader tried, and wrote.
	woke, wrote int
}

// sleeper is a leader that was stopped: with what it had in its cache and in its memory, and with a write
// under way.
type sleeper struct {
	ledger *Ledger
	cache  *store
	write  func()
}

// run is what a run came to, for good.
type run struct {
	labels         map[string]string
	grams, avoided estimate.Nanograms
	end            time.Time
}

// Whatever happens, in whatever order, with processes that die between any two steps, writes that fail, and
// leaders that were stopped, replaced and go on: what the budgets say is the sum of the records, counted
// from scratch, and nothing was granted that did not fit.
func TestRandomLivesAddUp(t *testing.T) {
	woke, wrote := 0, 0
	for seed := range manyLives() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			l := newLives(t, seed)
			steps := []func(){
				l.create, l.create, l.ask, l.ask, l.ask, l.ask, l.end, l.end, l.revise, l.delete, l.letGo, l.letGo, l.countOne, l.countOne,
				l.pass, l.edit, l.restart, l.relabel, l.fallAsleep, l.wakeUp, l.wakeUp, l.replace,
			}
			for range 400 {
				steps[l.random.IntN(len(steps))]()
			}
			l.check()
			woke, wrote = woke+l.woke, wrote+l.wrote
		})
	}
	if woke < 100 || wrote < 10 {
		t.Errorf("former leaders woke up %d times, and wrote %d reservations: that proves nothing", woke, wrote)
	}
}

// manyLives is how many random lives are played; LIVES is their number for a longer test.
func manyLives() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("LIVES"), 10, 64); err == nil {
		return n
	}
	return 60
}

func newLives(t *testing.T, seed uint64) *lives {
	t.Helper()
	l := &lives{
		t: t, random: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2026, 3, 25, 7, 0, 0, 0, time.UTC),
		store: newStore(), runs: map[types.UID]*run{}, before: map[string]map[types.UID]bool{},
	}
	periods := []carbonv1alpha1.BudgetPeriod{carbonv1alpha1.BudgetDaily, carbonv1alpha1.BudgetWeekly, carbonv1alpha1.BudgetMonthly, carbonv1alpha1.BudgetTotal}
	for i, selector := range []map[string]string{nil, {"team": "a"}, {"team": "b"}, {"team": "a", "tier": "x"}} {
		b := build.CarbonBudget(fmt.Sprintf("budget-%d", i), "ns", "500").Period(periods[l.random.IntN(len(periods))]).TimeZone("Europe/Amsterdam")
		if selector != nil {
			b.Selector(selector)
		}
		l.budgets[b.Obj().Name] = b.Obj()
		l.touch(l.budgets[b.Obj().Name])
	}
	l.restart()
	return l
}

func (l *lives) restart() {
	l.ledger = NewLedger(l.store, l.store, nil)
	l.load(l.ledger)
}

// load is how every pass of a reconciler begins.
func (l *lives) load(ledger *Ledger) {
	if err := ledger.load(l.t.Context(), "ns", l.now); err != nil {
		l.t.Fatal(err)
	}
}

// dies says whether the process dies here, and replaces it if so.
func (l *lives) dies() bool {
	if l.random.IntN(8) > 0 {
		return false
	}
	l.restart()
	return true
}

// fallAsleep stops the leader; another one takes over.
func (l *lives) fallAsleep() {
	l.asleep = &sleeper{ledger: l.ledger, cache: l.clone(), write: func() {}}
	if l.random.IntN(2) == 0 { // just as it has asked, and is about to write the answer
		if caj := l.one(wantsRoom); caj != nil {
			l.asleep.write = l.askBy(l.ledger, caj.DeepCopy(), l.store)
		}
	}
	l.restart()
}

// wakeUp lets a former leader go on with what it knows: with caches that have not seen anything yet, or
// with those of budgets only, or of jobs only, that have.
func (l *lives) wakeUp() {
	if l.asleep == nil {
		return
	}
	l.woke++
	l.asleep.write()
	l.asleep.write = func() {}
	cache := *l.asleep.cache
	if l.random.IntN(2) == 0 {
		cache.budgets = l.budgets
	}
	if l.random.IntN(2) == 0 {
		cache.jobs = l.jobs
	}
	names := slices.Sorted(maps.Keys(cache.jobs))
	l.random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names {
		if wantsRoom(cache.jobs[name]) {
			l.askBy(l.asleep.ledger, cache.jobs[name].DeepCopy(), &cache)()
		}
	}
}

// one is a job for which the condition holds; nil when there is none.
func (l *lives) one(condition func(*carbonv1alpha1.CarbonAwareJob) bool) *carbonv1alpha1.CarbonAwareJob {
	names := slices.Sorted(maps.Keys(l.jobs))
	l.random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names {
		if condition(l.jobs[name]) {
			return l.jobs[name]
		}
	}
	return nil
}

func hasEnded(caj *carbonv1alpha1.CarbonAwareJob) bool {
	return isTrue(caj.Status.Conditions, carbonv1alpha1.ConditionComplete)
}

func wantsRoom(caj *carbonv1alpha1.CarbonAwareJob) bool {
	return !hasEnded(caj) && caj.Status.ReservedGrams == "" && caj.DeletionTimestamp == nil
}

var teams = []map[string]string{nil, {"team": "a"}, {"team": "b"}, {"team": "a", "tier": "x"}}

func (l *lives) create() {
	l.created++
	caj := build.CarbonAwareJob(fmt.Sprintf("job-%d", l.created%40), "ns").Labels(teams[l.random.IntN(4)]).Obj() // names come again
	if l.jobs[caj.Name] != nil {
		return
	}
	caj.UID = types.UID(fmt.Sprintf("uid-%d", l.created))
	caj.Finalizers = []string{carbonv1alpha1.FinalizerCarbonAwareJob}
	caj.Status.Plan = &carbonv1alpha1.PlanStatus{Start: metav1.NewTime(l.now)}
	l.jobs[caj.Name] = caj
	l.touch(caj)
	l.ledger.note(caj)
}

// relabel moves a job that has not started to other budgets, and gives back what it has in the old ones.
func (l *lives) relabel() {
	caj := l.one(func(caj *carbonv1alpha1.CarbonAwareJob) bool { return !hasEnded(caj) && caj.DeletionTimestamp == nil })
	if caj == nil {
		return
	}
	caj.Labels = teams[l.random.IntN(4)]
	l.touch(caj)
	l.load(l.ledger)
	l.ledger.note(caj)
	l.sumsAreRight()
	if caj.Status.ReservedGrams != "" && !l.ledger.covered(caj) {
		caj.Status.ReservedGrams, caj.Status.ReservedIn = "", nil
		l.touch(caj)
		if !l.dies() {
			l.ledger.note(caj)
		}
	}
}

func (l *lives) ask() {
	if caj := l.one(wantsRoom); caj != nil {
		l.askBy(l.ledger, caj.DeepCopy(), l.store)()
	}
}

// askBy lets a process ask for a job, by what is in its cache, and returns the write of the answer.
func (l *lives) askBy(ledger *Ledger, caj *carbonv1alpha1.CarbonAwareJob, cache *store) func() {
	l.load(ledger)
	granted := ledger.bound(caj) // before, by what the budgets were then
	v := ledger.reserve(caj, estimate.Nanograms(1+l.random.Int64N(200e9)), l.now)
	if ledger == l.ledger {
		l.sumsAreRight()
	}
	for _, name := range v.unwritten {
		l.countBy(ledger, name, cache)
	}
	if v.stale || v.held == nil && !ledger.isGranted(caj, v) || l.random.IntN(8) == 0 {
		return func() {} // a write of a budget failed, or this process dies
	}
	edits, at := l.edits, l.now
	return func() {
		stored := l.jobs[caj.Name]
		if stored == nil || stored.UID != caj.UID || stored.ResourceVersion != caj.ResourceVersion {
			return // a conflict
		}
		if v.held == nil && !granted && edits == l.edits && at.Equal(l.now) {
			l.mustFit(stored, v)
		}
		status, reason := metav1.ConditionFalse, carbonv1alpha1.ReasonBudgetHold
		if v.held == nil {
			status, reason = metav1.ConditionTrue, carbonv1alpha1.ReasonReserved
			stored.Status.ReservedGrams, stored.Status.ReservedIn = carbonv1alpha1.Decimal(v.granted.String()), v.budgets
			if ledger != l.ledger {
				l.wrote++
			}
		}
		setCondition(&stored.Status.Conditions, l.now, 1, carbonv1alpha1.ConditionWithinBudget, status, reason, "")
		l.touch(stored)
		if !l.dies() {
			ledger.note(stored)
			l.ledger.note(stored)
		}
	}
}

// sumsAreRight compares the sums that decide with a count from scratch.
func (l *lives) sumsAreRight() {
	s := l.ledger.spaces["ns"]
	for name, a := range s.budgets {
		fresh := newAccount(&a.object, l.now)
		s.recount(fresh)
		got, want := a.budget(), l.total(l.budgets[name], a.start, a.end).grams
		if got.Consumed != want || got.Reserved != fresh.reserved.Total() || a.running != fresh.running || a.held != fresh.held {
			l.t.Fatalf("%s: consumed %s g and reserved %s for %d, counted %s and %s for %d", name,
				got.Consumed, got.Reserved, a.running, want, fresh.reserved.Total(), fresh.running)
		}
	}
}

// mustFit counts from scratch whether there was room: what has ended in the period, what others have
// reserved, and this job.
func (l *lives) mustFit(caj *carbonv1alpha1.CarbonAwareJob, v verdict) {
	for name, b := range l.budgets { // those that the process does not know of, too
		if b.Spec.Enforcement == carbonv1alpha1.BudgetWarn || !newAccount(b, l.now).matches(caj.Labels) {
			continue
		}
		zone, _ := zoneOf(b)
		start, end := periodOf(b).Bounds(l.now, zone)
		sum := l.total(b, start, end).grams + v.granted
		for _, other := range l.jobs {
			if other.UID != caj.UID && !hasEnded(other) && newAccount(b, l.now).matches(other.Labels) && slices.Contains(other.Status.ReservedIn, name) {
				sum += parseGrams(other.Status.ReservedGrams)
			}
		}
		if sum > limitOf(b) {
			l.t.Fatalf("%s was granted %s g in %s, which comes to %s of %s g then", caj.Name, v.granted, name, sum, limitOf(b))
		}
	}
}

func (l *lives) end() {
	caj := l.one(func(caj *carbonv1alpha1.CarbonAwareJob) bool {
		return !hasEnded(caj) && caj.Status.ReservedGrams != "" && caj.DeletionTimestamp == nil
	})
	if caj != nil {
		l.ledger.note(caj)
	}
	l.load(l.ledger)
	if caj == nil || !l.ledger.mayStart(caj) {
		return
	}
	most := int64(parseGrams(caj.Status.ReservedGrams))
	r := &run{labels: caj.Labels, grams: estimate.Nanograms(l.random.Int64N(most + 1)), avoided: estimate.Nanograms(l.random.Int64N(50e9) - 25e9), end: l.now}
	l.runs[caj.UID] = r
	at := metav1.NewTime(l.now)
	caj.Status.Job = &carbonv1alpha1.JobStatus{Name: caj.Name, Runs: []carbonv1alpha1.RunInterval{{Start: at, End: &at}}}
	setCondition(&caj.Status.Conditions, l.now, 1, carbonv1alpha1.ConditionComplete, metav1.ConditionTrue, "Completed", "")
	l.write(caj, r)
}

// revise is what happens when actual intensities are published.
func (l *lives) revise() {
	caj := l.one(func(caj *carbonv1alpha1.CarbonAwareJob) bool { return hasEnded(caj) && caj.DeletionTimestamp == nil })
	if caj == nil {
		return
	}
	r := l.runs[caj.UID]
	r.grams = estimate.Nanograms(l.random.Int64N(int64(r.grams) + 1))
	l.write(caj, r)
}

func (l *lives) write(caj *carbonv1alpha1.CarbonAwareJob, r *run) {
	caj.Status.ReservedGrams, caj.Status.ReservedIn = "", nil
	caj.Status.Emissions = &carbonv1alpha1.EmissionsStatus{
		ActualGrams: carbonv1alpha1.Decimal(r.grams.String()), AvoidedGrams: carbonv1alpha1.Decimal(r.avoided.String()),
	}
	l.touch(caj)
	if !l.dies() {
		l.ledger.note(caj)
	}
}

func (l *lives) delete() {
	caj := l.one(func(caj *carbonv1alpha1.CarbonAwareJob) bool { return caj.DeletionTimestamp == nil })
	if caj != nil {
		caj.DeletionTimestamp = new(metav1.NewTime(l.now))
		l.touch(caj)
	}
}

// letGo takes the finalizer off a deleted job if all its budgets have its grams.
func (l *lives) letGo() {
	caj := l.one(func(caj *carbonv1alpha1.CarbonAwareJob) bool { return caj.DeletionTimestamp != nil })
	if caj == nil {
		return
	}
	l.load(l.ledger)
	l.ledger.note(caj)
	if !l.ledger.settled(caj) {
		return
	}
	delete(l.jobs, caj.Name)
	if !l.dies() {
		l.ledger.forget("ns", caj.UID)
	}
}

func (l *lives) countOne() {
	l.countBy(l.ledger, fmt.Sprintf("budget-%d", l.random.IntN(len(l.budgets))), l.store)
	l.dies()
}

// countBy lets a process count a budget, by what is in its cache.
func (l *lives) countBy(ledger *Ledger, name string, cache *store) {
	b := cache.budgets[name].DeepCopy()
	if !ledger.leads(b) {
		if err := ledger.takeOver(l.t.Context(), "ns", l.now); err != nil {
			l.t.Fatal(err)
		}
		if b = cache.budgets[name].DeepCopy(); !ledger.leads(b) {
			return // its cache has not seen it yet
		}
	}
	before := b.DeepCopy()
	ledger.setBudget(b, l.now)
	v, _ := ledger.viewOf(b, l.now)
	b.Status = budgetStatus(b, v, l.now)
	if patchStatus(l.t.Context(), l.store, b, before) == nil {
		ledger.setBudget(b, l.now)
	}
}

func (l *lives) pass() {
	l.now = l.now.Add(time.Duration(l.random.Int64N(int64(60 * time.Hour))))
}

func (l *lives) edit() {
	b := l.budgets[fmt.Sprintf("budget-%d", l.random.IntN(len(l.budgets)))]
	b.Generation++
	l.edits++
	b.Spec.LimitGrams = new(resource.MustParse(fmt.Sprint(l.random.IntN(2000))))
	b.Spec.Enforcement = []carbonv1alpha1.BudgetEnforcement{carbonv1alpha1.BudgetHold, carbonv1alpha1.BudgetWarn, carbonv1alpha1.BudgetTerminate}[l.random.IntN(3)]
	l.touch(b)
	l.ledger.setBudget(b.DeepCopy(), l.now)
}

// replace deletes a budget and creates another one of its name: that counts the runs of the jobs that there are.
func (l *lives) replace() {
	b := l.budgets[fmt.Sprintf("budget-%d", l.random.IntN(len(l.budgets)))]
	l.edits++
	l.before[b.Name] = l.gone()
	is := &carbonv1alpha1.CarbonBudget{ObjectMeta: metav1.ObjectMeta{Name: b.Name, Namespace: b.Namespace}, Spec: b.Spec}
	l.touch(is)
	l.budgets[b.Name] = is
	news := jobsOfBudget(l.ledger)
	news.Delete(l.t.Context(), ctrlevent.DeleteEvent{Object: b}, &noQueue{})
	news.Create(l.t.Context(), ctrlevent.CreateEvent{Object: is.DeepCopy()}, &noQueue{})
}

// noQueue drops what is to be reconciled: here everything is at random.
type noQueue struct{ requests }

func (*noQueue) Add(reconcile.Request) {}

// gone are the jobs of runs that there are no more.
func (l *lives) gone() map[types.UID]bool {
	gone := map[types.UID]bool{}
	for uid := range l.runs {
		gone[uid] = true
	}
	for _, caj := range l.jobs {
		delete(gone, caj.UID)
	}
	return gone
}

// total counts the runs from scratch.
func (l *lives) total(b *carbonv1alpha1.CarbonBudget, start, end time.Time) (sum run) {
	account := newAccount(b, l.now)
	for uid, r := range l.runs {
		if account.matches(r.labels) && !l.before[b.Name][uid] && (end.IsZero() || !r.end.Before(start) && r.end.Before(end)) {
			sum.grams += r.grams
			sum.avoided += r.avoided
		}
	}
	return sum
}

// check counts every budget, and compares it with a count from scratch, period by period.
func (l *lives) check() {
	for name := range l.budgets {
		l.countBy(l.ledger, name, l.store)
		b := l.budgets[name]
		var start, end time.Time
		if p := b.Status.Period; p != nil {
			start, end = p.Start.Time, p.End.Time
		}
		l.same(name, start, end, b.Status.ConsumedGrams, b.Status.AvoidedGrams)
		for _, p := range b.Status.History {
			l.same(name, p.Start.Time, p.End.Time, p.ConsumedGrams, p.AvoidedGrams)
		}
		if got, want := parseGrams(b.Status.ReservedGrams), l.setAside(b); got != want {
			l.t.Errorf("%s: reserved %s g, counted %s", name, got, want)
		}
	}
}

// setAside is what stands in the jobs' status, and what the budget has granted to those that do not know it yet.
func (l *lives) setAside(b *carbonv1alpha1.CarbonBudget) (sum estimate.Nanograms) {
	standing := map[types.UID]bool{}
	for _, caj := range l.jobs {
		standing[caj.UID] = hasEnded(caj) || caj.Status.ReservedGrams != ""
		if !hasEnded(caj) && newAccount(b, l.now).matches(caj.Labels) && slices.Contains(caj.Status.ReservedIn, b.Name) {
			sum += parseGrams(caj.Status.ReservedGrams)
		}
	}
	for _, g := range b.Status.Granted {
		if !standing[g.UID] {
			sum += parseGrams(g.Grams)
		}
	}
	return sum
}

func (l *lives) same(name string, start, end time.Time, consumed, avoided carbonv1alpha1.Decimal) {
	want := l.total(l.budgets[name], start, end)
	if parseGrams(consumed) != want.grams || parseGrams(avoided) != want.avoided {
		l.t.Errorf("%s from %s to %s: consumed %s g and avoided %s g, counted %s and %s", name, start, end, consumed, avoided, want.grams, want.avoided)
	}
}
