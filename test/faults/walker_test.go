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

package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// walker takes random steps in a namespace of its own, the same ones for the same seed: it creates,
// edits and deletes jobs, budgets and the tables of regions, as people do, rightly and wrongly.
type walker struct {
	seed      uint64
	random    *rand.Rand
	namespace string
	// flat is a region that never changes; wild one that changes all the time.
	flat, wild string
	names      []string
	steps      int
	ttl        int32
}

// A run of the team "flat" emits exactly flatGrams, attempts that were lost come on top; its budget has room for flatRoom
// runs.
const (
	flatGrams = 200
	flatRoom  = 12
	wildSlot  = 5 * time.Second
	// ahead is how many jobs a walker may be ahead of the operator. Without a bound, what is left to do when the walk
	// ends depends on how slow the machine is, and so does how late the last of it is started.
	ahead = 8
)

func newWalker(ctx context.Context, seed uint64, slots int) *walker {
	GinkgoHelper()
	w := &walker{seed: seed, random: rand.New(rand.NewPCG(seed, 2)), namespace: namespace(ctx), ttl: 600}
	w.flat = region(ctx, 6*time.Hour, flatGrams, flatGrams)
	w.wild = region(ctx, wildSlot, w.grams(slots)...)
	for name, selector := range map[string]*carbonv1alpha1.BudgetSelector{
		"flat": {MatchLabels: map[string]string{"team": "flat"}}, "warn": nil,
	} {
		budget := &carbonv1alpha1.CarbonBudget{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.namespace},
			Spec: carbonv1alpha1.CarbonBudgetSpec{
				LimitGrams: new(resource.MustParse(fmt.Sprint(flatGrams * flatRoom))), Period: carbonv1alpha1.BudgetTotal,
				Selector: selector, Enforcement: carbonv1alpha1.BudgetHold,
			},
		}
		if name == "warn" {
			budget.Spec.Enforcement = carbonv1alpha1.BudgetWarn
		}
		Expect(api.Create(ctx, budget)).To(Succeed())
	}
	return w
}

func (w *walker) grams(n int) []int {
	grams := make([]int, n)
	for i := range grams {
		grams[i] = 50 + w.random.IntN(450)
	}
	return grams
}

// step takes one step. A step at an object that is not there (any more), or that somebody else changed
// meanwhile, is none.
func (w *walker) step(ctx context.Context) {
	GinkgoHelper()
	w.steps++
	var err error
	switch n := w.random.IntN(100); {
	case n < 15 || len(w.names) == 0:
		w.wait(ctx)
		err = w.create(ctx)
	case n < 50:
		err = w.edit(ctx)
	case n < 60:
		w.editWrongly(ctx)
	case n < 75:
		err = w.remove(ctx, &carbonv1alpha1.CarbonAwareJob{})
	case n < 80:
		err = w.remove(ctx, &batchv1.Job{})
	case n < 83:
		err = w.news(ctx)
	case n < 87:
		err = w.editBudget(ctx)
	case n < 89:
		err = w.editRegion(ctx)
	default:
		_, err = w.look(ctx, w.name()) // people look more often than they act
	}
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		Expect(err).NotTo(HaveOccurred(), "seed %d, step %d", w.seed, w.steps)
	}
}

func (w *walker) name() string { return w.names[w.random.IntN(len(w.names))] }

// wait lets the operator catch up: until it has said something of the job that the walker made so many jobs ago.
func (w *walker) wait(ctx context.Context) {
	GinkgoHelper()
	if len(w.names) < ahead {
		return
	}
	Eventually(func() bool {
		caj, err := w.look(ctx, w.names[len(w.names)-ahead])
		return apierrors.IsNotFound(err) || err == nil && len(caj.Status.Conditions) > 0
	}).WithTimeout(4*time.Minute).Should(BeTrue(), "seed %d: the operator is at work", w.seed)
}

func (w *walker) create(ctx context.Context) error {
	name := fmt.Sprintf("w%d-%d", w.seed, len(w.names))
	w.names = append(w.names, name)
	j := build.CarbonAwareJob(name, w.namespace).KWh("1").Regions(w.wild, w.flat).
		MaxDelay(time.Duration(w.random.IntN(30)) * time.Second).Duration(wildSlot)
	switch w.random.IntN(8) {
	case 0, 1, 2:
		j = j.Regions(w.flat).Labels(map[string]string{"team": "flat"})
	case 3:
		j = j.Suspend(true)
	case 4:
		j = j.MaxDelay(0)
	case 5:
		j = j.Env("OPENAI_MODEL", "gpt-4o").Model("OPENAI_MODEL", "", "", 200)
	case 6:
		j = j.Template(func(t *batchv1.JobTemplateSpec) { t.Spec.Template.Spec.Containers[0].Name = "Not_Valid" })
	}
	j.Template(func(t *batchv1.JobTemplateSpec) {
		t.Spec.BackoffLimit = new(int32)
		t.Spec.Template.Annotations = map[string]string{runFor: fmt.Sprintf("%ds", w.random.IntN(6))}
		if w.random.IntN(10) == 0 {
			t.Spec.Template.Annotations[failAnnotation] = "true"
		}
	})
	return api.Create(ctx, j.TTL(w.ttl).Obj())
}

func (w *walker) look(ctx context.Context, name string) (*carbonv1alpha1.CarbonAwareJob, error) {
	caj := &carbonv1alpha1.CarbonAwareJob{}
	return caj, api.Get(ctx, types.NamespacedName{Namespace: w.namespace, Name: name}, caj)
}

// edit changes a job as its kind allows. What may not change any more after the start is refused then.
func (w *walker) edit(ctx context.Context) error {
	caj, err := w.look(ctx, w.name())
	if err != nil {
		return err
	}
	before := caj.DeepCopy()
	switch w.random.IntN(5) {
	case 0, 1:
		suspend := caj.Spec.Suspend == nil || !*caj.Spec.Suspend
		caj.Spec.Suspend = &suspend
	case 2:
		caj.Spec.MaxDelay = &metav1.Duration{Duration: time.Duration(w.random.IntN(40)) * time.Second}
	case 3:
		caj.Annotations = map[string]string{carbonv1alpha1.AnnotationRunNow: "true"}
	case 4:
		caj.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Name = "main"
	}
	err = api.Patch(ctx, caj, client.MergeFrom(before))
	if apierrors.IsInvalid(err) && (before.Status.Job != nil || apierrors.IsInvalid(err)) {
		return nil
	}
	return err
}

// editWrongly tries what must be refused.
func (w *walker) editWrongly(ctx context.Context) {
	GinkgoHelper()
	caj, err := w.look(ctx, w.name())
	if err != nil {
		return
	}
	before := caj.DeepCopy()
	switch w.random.IntN(3) {
	case 0:
		caj.Spec.MaxDelay = &metav1.Duration{Duration: -time.Hour}
	case 1:
		caj.Spec.Energy = &carbonv1alpha1.EnergySpec{KWh: new(resource.MustParse("1")), Watts: new(resource.MustParse("1"))}
	case 2:
		caj.Spec.Regions = []string{w.flat, w.flat}
	}
	err = api.Patch(ctx, caj, client.MergeFrom(before))
	Expect(apierrors.IsInvalid(err) || apierrors.IsNotFound(err)).To(BeTrue(), "seed %d, step %d: %v", w.seed, w.steps, err)
}

// editBudget changes the budget that only warns, rightly or wrongly; what is consumed stays the sum of all records.
func (w *walker) editBudget(ctx context.Context) error {
	GinkgoHelper()
	budget := &carbonv1alpha1.CarbonBudget{}
	if err := api.Get(ctx, types.NamespacedName{Namespace: w.namespace, Name: "warn"}, budget); err != nil {
		return err
	}
	before := budget.DeepCopy()
	limit, valid := int64(1+w.random.IntN(5000)), w.random.IntN(3) > 0
	if !valid {
		limit = -limit
	}
	budget.Spec.LimitGrams = resource.NewQuantity(limit, resource.DecimalSI)
	err := api.Patch(ctx, budget, client.MergeFrom(before))
	if !valid {
		Expect(apierrors.IsInvalid(err)).To(BeTrue(), "seed %d, step %d: a limit of %d g: %v", w.seed, w.steps, limit, err)
		return nil
	}
	return err
}

// editRegion caps the starts in the wild region, or lets them be, rightly or wrongly.
func (w *walker) editRegion(ctx context.Context) error {
	GinkgoHelper()
	region := &carbonv1alpha1.GridRegion{}
	if err := api.Get(ctx, types.NamespacedName{Name: w.wild}, region); err != nil {
		return err
	}
	before := region.DeepCopy()
	limit, valid := int32(w.random.IntN(5)), w.random.IntN(3) > 0
	if !valid {
		limit = -1 - limit
	}
	region.Spec.MaxStartsPerWindow = &limit
	err := api.Patch(ctx, region, client.MergeFrom(before))
	if !valid {
		Expect(apierrors.IsInvalid(err)).To(BeTrue(), "seed %d, step %d: %d starts a window: %v", w.seed, w.steps, limit, err)
		return nil
	}
	return err
}

func (w *walker) remove(ctx context.Context, object client.Object) error {
	object.SetNamespace(w.namespace)
	object.SetName(w.name())
	policies := []client.PropagationPolicy{"Background", "Foreground"}
	return api.Delete(ctx, object, policies[w.random.IntN(len(policies))])
}

// news changes the table of the wild region from the next slot on.
func (w *walker) news(ctx context.Context) error {
	table := &corev1.ConfigMap{}
	if err := api.Get(ctx, types.NamespacedName{Namespace: operatorNamespace, Name: w.wild}, table); err != nil {
		return err
	}
	before := table.DeepCopy()
	from := time.Now().UTC().Truncate(time.Second).Add(-wildSlot)
	table.Data["trace.csv"] = traceTable(from, wildSlot, w.grams(200)...)
	return api.Patch(ctx, table, client.MergeFrom(before))
}

// rest lets everything that the walker left behind come to its end: nothing is held any more, and
// every template is valid.
func (w *walker) rest(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		budget := &carbonv1alpha1.CarbonBudget{}
		g.Expect(api.Get(ctx, types.NamespacedName{Namespace: w.namespace, Name: "flat"}, budget)).To(Succeed())
		before := budget.DeepCopy()
		budget.Spec.LimitGrams = new(resource.MustParse("1000000"))
		g.Expect(api.Patch(ctx, budget, client.MergeFrom(before))).To(Succeed())
		var jobs carbonv1alpha1.CarbonAwareJobList
		g.Expect(api.List(ctx, &jobs, client.InNamespace(w.namespace))).To(Succeed())
		for i := range jobs.Items {
			caj := &jobs.Items[i]
			before := caj.DeepCopy()
			caj.Spec.Suspend = nil
			if caj.Status.Job == nil {
				caj.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Name = "main"
			}
			g.Expect(client.IgnoreNotFound(api.Patch(ctx, caj, client.MergeFrom(before)))).To(Succeed())
		}
	}).Should(Succeed())
}
