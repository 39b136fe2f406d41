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
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	testingclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// sleepersCache is the client of a process that was stopped: it shows what there was before, and lets every
// write through.
type sleepersCache struct {
	client.Client
	caj     *carbonv1alpha1.CarbonAwareJob
	job     *batchv1.Job
	patched []client.Object
}

func (c *sleepersCache) Get(_ context.Context, _ client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	switch o := o.(type) {
	case *carbonv1alpha1.CarbonAwareJob:
		c.caj.DeepCopyInto(o)
	case *batchv1.Job:
		c.job.DeepCopyInto(o)
	}
	return nil
}

func (c *sleepersCache) List(context.Context, client.ObjectList, ...client.ListOption) error {
	return nil
}

func (c *sleepersCache) Patch(_ context.Context, o client.Object, _ client.Patch, _ ...client.PatchOption) error {
	c.patched = append(c.patched, o)
	return nil
}

// A job that counted in no budget when the process fell asleep, or in one that warns, has no reservation, so the
// API server refuses nothing when it wakes up: it has to ask whether that is still so.
func TestStartAfterASilence(t *testing.T) {
	budget := func(selector map[string]string) func(*lives) {
		return func(l *lives) { l.budgets["new"] = l.stored(build.CarbonBudget("new", "ns", "0").Selector(selector)) }
	}
	enforced := func(l *lives) {
		l.budgets["warns"] = l.stored(build.CarbonBudget("warns", "ns", "0"))
	}
	tests := map[string]struct {
		silence   time.Duration
		meanwhile func(*lives)
		starts    bool
	}{
		"nothing happened":             {time.Hour, func(*lives) {}, true},
		"a budget came":                {time.Hour, budget(nil), false},
		"a budget of others came":      {time.Hour, budget(map[string]string{"team": "b"}), true},
		"a budget that warned holds":   {time.Hour, enforced, false},
		"the job was written":          {time.Hour, func(l *lives) { l.touch(l.jobs["x"]) }, false},
		"the job is gone":              {time.Hour, func(l *lives) { delete(l.jobs, "x") }, false},
		"a budget came, but no doubts": {time.Second, budget(nil), true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := &lives{t: t, now: time.Date(2026, 3, 25, 7, 0, 0, 0, time.UTC), store: newStore()}
			l.budgets["warns"] = l.stored(build.CarbonBudget("warns", "ns", "0").Enforcement(carbonv1alpha1.BudgetWarn))
			caj := l.due("x", 0)
			caj.Status.Job = &carbonv1alpha1.JobStatus{Name: "x", UID: "job"}
			setCondition(&caj.Status.Conditions, l.now, 0, carbonv1alpha1.ConditionWithinBudget, metav1.ConditionUnknown, carbonv1alpha1.ReasonEnergyUnknown, "")
			l.restart()
			cache := &sleepersCache{caj: caj.DeepCopy(), job: buildJob(caj, nil, "")}
			cache.job.UID = "job"
			now := testingclock.NewFakeClock(l.now)
			vigil := NewVigil(now)
			vigil.beat()
			starter := &Starter{Client: cache, APIReader: l.store, Clock: now, Ledger: l.ledger, Vigil: vigil, Recorder: &events.FakeRecorder{}}

			now.Step(test.silence)
			test.meanwhile(l)
			result, err := starter.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(caj)})
			if err != nil {
				t.Fatal(err)
			}
			if starts := len(cache.patched) > 0; starts != test.starts {
				t.Errorf("started: %t, want %t", starts, test.starts)
			}
			if !test.starts && result.RequeueAfter == 0 {
				t.Error("not started, and not tried again")
			}
		})
	}
}

// A job that waits for the word of a budget which is deleted before it speaks is started all the same.
func TestABudgetThatGoesBeforeItIsAsked(t *testing.T) {
	l := teamOf(t)
	caj := l.due("x", 0)
	caj.Status.Job = &carbonv1alpha1.JobStatus{Name: "x", UID: "job"}
	cache := &sleepersCache{caj: caj.DeepCopy(), job: buildJob(caj, nil, "")}
	cache.job.UID = "job"
	starter := &Starter{Client: cache, APIReader: l.store, Clock: testingclock.NewFakeClock(l.now), Ledger: l.ledger, Recorder: &events.FakeRecorder{}}
	pass := func() ctrl.Result {
		result, err := starter.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(caj)})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	if result := pass(); len(cache.patched) > 0 || result.RequeueAfter == 0 {
		t.Errorf("started %d times before its budget spoke, looks again after %s", len(cache.patched), result.RequeueAfter)
	}
	l.ledger.dropBudget(client.ObjectKeyFromObject(l.budgets["team"]), l.budgets["team"].UID)
	if pass(); len(cache.patched) != 1 {
		t.Errorf("started %d times without a budget", len(cache.patched))
	}
}

// stored is a budget as the API server gives it.
func (l *lives) stored(b *build.Budget) *carbonv1alpha1.CarbonBudget {
	budget := b.Obj()
	l.touch(budget)
	return budget
}
