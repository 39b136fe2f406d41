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

package envtest

import (
	"context"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/controller"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// budget creates a CarbonBudget and counts it once.
func (w *world) budget(b *build.Budget) {
	Expect(api.Create(w.ctx, b.Obj())).To(Succeed())
	w.count(b.Obj().Name)
}

// count runs one pass of the budget's reconciler.
func (w *world) count(name string) ctrl.Result {
	result, err := w.budgets.Reconcile(w.ctx, ctrl.Request{NamespacedName: w.key(name)})
	Expect(err).NotTo(HaveOccurred())
	return result
}

func (w *world) getBudget(name string) *carbonv1alpha1.CarbonBudget {
	budget := &carbonv1alpha1.CarbonBudget{}
	Expect(api.Get(w.ctx, w.key(name), budget)).To(Succeed())
	return budget
}

// sums are consumed, reserved and remaining grams of a budget that was just counted.
func (w *world) sums(name string) []carbonv1alpha1.Decimal {
	w.count(name)
	s := w.getBudget(name).Status
	return []carbonv1alpha1.Decimal{s.ConsumedGrams, s.ReservedGrams, s.RemainingGrams}
}

func grams(values ...carbonv1alpha1.Decimal) []carbonv1alpha1.Decimal { return values }

func (w *world) editBudget(name string, change func(*carbonv1alpha1.CarbonBudgetSpec)) {
	budget := w.getBudget(name)
	before := budget.DeepCopy()
	change(&budget.Spec)
	Expect(api.Patch(w.ctx, budget, client.MergeFrom(before))).To(Succeed())
	w.count(name)
}

func limit(grams string) func(*carbonv1alpha1.CarbonBudgetSpec) {
	return func(s *carbonv1alpha1.CarbonBudgetSpec) { s.LimitGrams = new(resource.MustParse(grams)) }
}

func budgetStatus(b *carbonv1alpha1.CarbonBudget) string {
	if c := meta.FindStatusCondition(b.Status.Conditions, carbonv1alpha1.BudgetReady); c != nil {
		return c.Reason
	}
	return ""
}

// pass runs the planner, then the starter.
func (w *world) pass(names ...string) {
	for _, name := range names {
		w.plan(name)
		w.startDue(name)
	}
}

// stale is the starter as it is now, with a cache that shows no later state of the job than this one.
func (w *world) stale(name string) *controller.Starter {
	seen := w.get(name)
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	starter := &controller.Starter{Recorder: w.recorder, Clock: w.clock, Ledger: w.starter.Ledger}
	starter.Client = interceptor.NewClient(c, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if caj, is := o.(*carbonv1alpha1.CarbonAwareJob); is {
				seen.DeepCopyInto(caj)
				return nil
			}
			return c.Get(ctx, key, o, opts...)
		},
	})
	return starter
}

// isStarted says whether the Job was let go.
func (w *world) isStarted(name string) bool {
	return !*w.job(name).Spec.Suspend
}

// startedOf are those of the jobs that were let go, sorted.
func (w *world) startedOf(names ...string) []string {
	started := []string{}
	for _, name := range names {
		if w.isStarted(name) {
			started = append(started, name)
		}
	}
	slices.Sort(started)
	return started
}

// asks creates a job that may not wait and is expected to emit 60 g: 0.3 kWh at 200 g/kWh.
func (w *world) asks(name, region string) *build.Job {
	return build.CarbonAwareJob(name, w.namespace).Regions(region).MaxDelay(0).KWh("0.3")
}

// finishes brings a started job to its end at t and to its final record.
func (w *world) finishes(name, region string, t time.Time) {
	if w.job(name).Status.StartTime == nil {
		w.running(name, w.clock.Now())
		w.plan(name)
	}
	w.completed(name, t)
	w.at(t, region)
	w.plan(name)
}

func reasonOfBudget(b *carbonv1alpha1.CarbonBudget, conditionType string) string {
	if c := meta.FindStatusCondition(b.Status.Conditions, conditionType); c != nil {
		return string(c.Status) + "/" + c.Reason
	}
	return ""
}

// noon is a time zone in which the world starts around noon, so that no midnight comes unasked.
func (w *world) noon() string {
	return fmt.Sprintf("Etc/GMT%+d", w.start.UTC().Hour()-12) // its signs are the other way round
}
