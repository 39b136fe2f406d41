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
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// lives plays random lives of jobs and budgets against the ledger: what the API server would store is
// in jobs and budgets, and what every run ever emitted is kept aside, to count from scratch.
type lives struct {
	t       *testing.T
	random  *rand.Rand
	now     time.Time
	ledger  *Ledger
	jobs    map[string]*carbonv1alpha1.CarbonAwareJob
	budgets map[string]*carbonv1alpha1.CarbonBudget
	runs    map[types.UID]*run
	created int
}

// run is what a run came to, for good.
type run struct {
	labels         map[string]string
	grams, avoided estimate.Nanograms
	end            time.Time
}

// Get implements client.Reader; the ledger only lists.
func (l *lives) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	panic("the ledger asks for lists only")
}

// List implements client.Reader.
func (l *lives) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	switch list := list.(type) {
	case *carbonv1alpha1.CarbonAwareJobList:
		list.Items = nil
		for _, name := range slices.Sorted(maps.Keys(l.jobs)) {
			list.Items = append(list.Items, *l.jobs[name].DeepCopy())
		}
	case *carbonv1alpha1.CarbonBudgetList:
		for _, name := range slices.Sorted(maps.Keys(l.budgets)) {
			list.Items = append(list.Items, *l.budgets[name].DeepCopy())
		}
	}
	return nil
}

// Whatever happens, in whatever order, with processes that die between any two steps and writes that
// fail: what the budgets say is the sum of the records, counted from scratch, and nothing was granted
// that did not fit.
func TestRandomLivesAddUp(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			l := newLives(t, seed)
			steps := []func(){l.create, l.create, l.ask, l.ask, l.ask, l.end, l.end, l.revise, l.delete, l.letGo, l.letGo, l.countOne, l.countOne, l.pass, l.edit, l.restart}
			for range 400 {
				steps[l.random.IntN(len(steps))]()
			}
			l.check()
		})
	}
}

func newLives(t *testing.T, seed uint64) *lives {
	t.Helper()
	l := &lives{
		t: t, random: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2026, 3, 25, 7, 0, 0, 0, time.UTC),
		jobs: map[string]*carbonv1alpha1.CarbonAwareJob{}, budgets: map[string]*carbonv1alpha1.CarbonBudget{}, runs: map[types.UID]*run{},
	}
	periods := []carbonv1alpha1.BudgetPeriod{carbonv1alpha1.BudgetDaily, carbonv1alpha1.BudgetWeekly, carbonv1alpha1.BudgetMonthly, carbonv1alpha1.BudgetTotal}
	for i, selector := range []map[string]string{nil, {"team": "a"}, {"team": "b"}, {"team": "a", "tier": "x"}} {
		b := build.CarbonBudget(fmt.Sprintf("budget-%d", i), "ns", "500").Period(periods[l.random.IntN(len(periods))]).TimeZone("Europe/Amsterdam")
		if selector != nil {
			b.Selector(selector)
		}
		l.budgets[b.Obj().Name] = b.Obj()
	}
	l.restart()
	return l
}

func (l *lives) restart() {
	l.ledger = NewLedger(l, nil)
	if err := l.ledger.load(l.t.Context(), l.now); err != nil {
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

func (l *lives) create() {
	l.created++
	labels := []map[string]string{nil, {"team": "a"}, {"team": "b"}, {"team": "a", "tier": "x"}}[l.random.IntN(4)]
	caj := build.CarbonAwareJob(fmt.Sprintf("job-%d", l.created%40), "ns").Labels(labels).Obj() // names come again
	if l.jobs[caj.Name] != nil {
		return
	}
	caj.UID = types.UID(fmt.Sprintf("uid-%d", l.created))
	caj.Finalizers = []string{carbonv1alpha1.FinalizerCarbonAwareJob}
	caj.Status.Plan = &carbonv1alpha1.PlanStatus{Start: metav1.NewTime(l.now)}
	l.jobs[caj.Name] = caj
	l.ledger.note(caj)
}

func (l *lives) ask() {
	caj := l.one(func(caj *carbonv1alpha1.CarbonAwareJob) bool {
		return !hasEnded(caj) && caj.Status.ReservedGrams == "" && caj.DeletionTimestamp == nil
	})
	if caj == nil {
		return
	}
	grams := estimate.Nanograms(1 + l.random.Int64N(200e9))
	v := l.ledger.reserve(caj, grams, l.now)
	l.sumsAreRight()
	if l.dies() {
		return // before the write
	}
	status, reason := metav1.ConditionFalse, carbonv1alpha1.ReasonBudgetHold
	if v.held == nil {
		l.mustFit(caj, v)
		status, reason = metav1.ConditionTrue, carbonv1alpha1.ReasonReserved
		caj.Status.ReservedGrams = carbonv1alpha1.Decimal(v.granted.String())
	}
	setCondition(&caj.Status.Conditions, l.now, 1, carbonv1alpha1.ConditionWithinBudget, status, reason, "")
	if !l.dies() {
		l.ledger.note(caj)
	}
}

// sumsAreRight compares the sums that decide with a count from scratch.
func (l *lives) sumsAreRight() {
	s := l.ledger.spaces["ns"]
	for name, a := range s.budgets {
		var setAside estimate.Sum
		for _, job := range s.jobs {
			if job.state == reserved && a.matches(job.labels) {
				setAside.Add(job.grams)
			}
		}
		got, want := a.budget(), l.total(l.budgets[name], a.start, a.end).grams
		if got.Consumed != want || got.Reserved != setAside.Total() {
			l.t.Fatalf("%s: consumed %s g and reserved %s, counted %s and %s", name, got.Consumed, got.Reserved, want, setAside.Total())
		}
	}
}

// mustFit counts from scratch whether there was room: what has ended in the period, what others have
// reserved, and this job.
func (l *lives) mustFit(caj *carbonv1alpha1.CarbonAwareJob, v verdict) {
	for _, name := range v.budgets {
		b := l.budgets[name]
		if b.Spec.Enforcement == carbonv1alpha1.BudgetWarn {
			continue
		}
		zone, _ := zoneOf(b)
		start, end := periodOf(b).Bounds(l.now, zone)
		sum := l.total(b, start, end).grams + v.granted
		for _, other := range l.jobs {
			if other.UID != caj.UID && !hasEnded(other) && newAccount(b, l.now).matches(other.Labels) {
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
	if caj == nil {
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
	caj.Status.ReservedGrams = ""
	caj.Status.Emissions = &carbonv1alpha1.EmissionsStatus{
		ActualGrams: carbonv1alpha1.Decimal(r.grams.String()), AvoidedGrams: carbonv1alpha1.Decimal(r.avoided.String()),
	}
	if !l.dies() {
		l.ledger.note(caj)
	}
}

func (l *lives) delete() {
	caj := l.one(func(caj *carbonv1alpha1.CarbonAwareJob) bool { return caj.DeletionTimestamp == nil })
	if caj != nil {
		caj.DeletionTimestamp = new(metav1.NewTime(l.now))
	}
}

// letGo takes the finalizer off a deleted job if all its budgets have its grams.
func (l *lives) letGo() {
	caj := l.one(func(caj *carbonv1alpha1.CarbonAwareJob) bool { return caj.DeletionTimestamp != nil })
	if caj == nil {
		return
	}
	l.ledger.note(caj)
	if !l.ledger.settled(caj) {
		return
	}
	delete(l.jobs, caj.Name)
	if !l.dies() {
		l.ledger.forget(client.ObjectKeyFromObject(caj))
	}
}

func (l *lives) countOne() { l.count(fmt.Sprintf("budget-%d", l.random.IntN(len(l.budgets))), true) }

func (l *lives) count(name string, mayFail bool) {
	b := l.budgets[name].DeepCopy()
	l.ledger.setBudget(b, l.now)
	v, _ := l.ledger.viewOf(b, l.now)
	b.Status = budgetStatus(b, v, l.now)
	if mayFail && l.random.IntN(4) == 0 {
		return // a conflict
	}
	l.budgets[name] = b
	if mayFail && l.dies() {
		return
	}
	l.ledger.setBudget(b, l.now)
}

func (l *lives) pass() {
	l.now = l.now.Add(time.Duration(l.random.Int64N(int64(60 * time.Hour))))
}

func (l *lives) edit() {
	b := l.budgets[fmt.Sprintf("budget-%d", l.random.IntN(len(l.budgets)))]
	b.Generation++
	b.Spec.LimitGrams = new(resource.MustParse(fmt.Sprint(l.random.IntN(2000))))
	b.Spec.Enforcement = []carbonv1alpha1.BudgetEnforcement{carbonv1alpha1.BudgetHold, carbonv1alpha1.BudgetWarn, carbonv1alpha1.BudgetTerminate}[l.random.IntN(3)]
	l.ledger.setBudget(b, l.now)
}

// total counts the runs from scratch.
func (l *lives) total(b *carbonv1alpha1.CarbonBudget, start, end time.Time) (sum run) {
	account := newAccount(b, l.now)
	for _, r := range l.runs {
		if account.matches(r.labels) && (end.IsZero() || !r.end.Before(start) && r.end.Before(end)) {
			sum.grams += r.grams
			sum.avoided += r.avoided
		}
	}
	return sum
}

// check counts every budget, and compares it with a count from scratch, period by period.
func (l *lives) check() {
	for name := range l.budgets {
		l.count(name, false)
		b := l.budgets[name]
		var start, end time.Time
		if p := b.Status.Period; p != nil {
			start, end = p.Start.Time, p.End.Time
		}
		l.same(name, start, end, b.Status.ConsumedGrams, b.Status.AvoidedGrams)
		for _, p := range b.Status.History {
			l.same(name, p.Start.Time, p.End.Time, p.ConsumedGrams, p.AvoidedGrams)
		}
		var setAside estimate.Nanograms
		for _, caj := range l.jobs {
			if !hasEnded(caj) && newAccount(b, l.now).matches(caj.Labels) {
				setAside += parseGrams(caj.Status.ReservedGrams)
			}
		}
		standing := l.ledger.spaces["ns"]
		for _, job := range standing.jobs { // those that were granted room and have not asked again
			if job.state == reserved && !job.standing && standing.budgets[name].matches(job.labels) {
				setAside += job.grams
			}
		}
		if got := parseGrams(b.Status.ReservedGrams); got != setAside {
			l.t.Errorf("%s: reserved %s g, counted %s", name, got, setAside)
		}
	}
}

func (l *lives) same(name string, start, end time.Time, consumed, avoided carbonv1alpha1.Decimal) {
	want := l.total(l.budgets[name], start, end)
	if parseGrams(consumed) != want.grams || parseGrams(avoided) != want.avoided {
		l.t.Errorf("%s from %s to %s: consumed %s g and avoided %s g, counted %s and %s", name, start, end, consumed, avoided, want.grams, want.avoided)
	}
}

// What stands in a job's status is not asked for again, whatever a cache that lags shows.
func TestReservationStands(t *testing.T) {
	now := time.Date(2026, 3, 25, 7, 0, 0, 0, time.UTC)
	l := &lives{t: t, now: now, jobs: map[string]*carbonv1alpha1.CarbonAwareJob{}, budgets: map[string]*carbonv1alpha1.CarbonBudget{
		"team": build.CarbonBudget("team", "ns", "100").Obj(),
	}}
	l.restart()
	caj := build.CarbonAwareJob("x", "ns").Obj()
	caj.UID = "x"
	if v := l.ledger.reserve(caj, 60e9, now); v.held != nil {
		t.Fatalf("held: %+v", v.held)
	}
	old := caj.DeepCopy()
	caj.Status.ReservedGrams = "60"
	l.ledger.note(caj)
	l.ledger.withdraw(old)
	if v := l.ledger.reserve(old, 200e9, now); v.held != nil || v.granted != 60e9 {
		t.Errorf("granted %s, held %+v; want the 60 g that stand", v.granted, v.held)
	}
}
