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

package perf

import (
	"context"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	crcache "sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// watcher counts what happens to jobs, as any other client would see it.
type watcher struct {
	mu sync.Mutex
	// changes are the writes seen of Jobs and CarbonAwareJobs, by namespace.
	changes map[string]int
	counts  map[string]map[string]int
	// plans are the planned starts of jobs, least the shortest time from one to when the start was seen.
	plans map[types.NamespacedName]time.Time
	least map[string]float64
}

func newWatcher(b *bench) *watcher {
	b.t.Helper()
	w := &watcher{
		changes: map[string]int{}, counts: map[string]map[string]int{}, plans: map[types.NamespacedName]time.Time{}, least: map[string]float64{},
	}
	c, err := crcache.New(b.plane.Config(0), crcache.Options{Scheme: b.api.Scheme(), DefaultTransform: crcache.TransformStripManagedFields()})
	check(b.t, err)
	ctx, cancel := context.WithCancel(b.ctx)
	b.t.Cleanup(cancel)
	for _, object := range []client.Object{&carbonv1alpha1.CarbonAwareJob{}, &batchv1.Job{}} {
		informer, err := c.GetInformer(ctx, object, crcache.BlockUntilSynced(false))
		check(b.t, err)
		_, err = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(o any) { w.see(nil, o) },
			UpdateFunc: func(old, o any) { w.see(old, o) },
		})
		check(b.t, err)
	}
	go func() { _ = c.Start(ctx) }()
	if !c.WaitForCacheSync(ctx) {
		b.t.Fatal("the harness cannot watch")
	}
	return w
}

// states are the words that are counted: a job is counted once for each that holds.
func states(o any) []string {
	switch o := o.(type) {
	case *carbonv1alpha1.CarbonAwareJob:
		var words []string
		if o.Status.Plan != nil && o.Status.Job != nil {
			words = append(words, "planned", "planned for "+o.Status.Plan.Start.UTC().Format(time.RFC3339))
		}
		if meta.IsStatusConditionTrue(o.Status.Conditions, carbonv1alpha1.ConditionEmissionsRecorded) {
			words = append(words, "recorded")
		}
		if meta.IsStatusConditionTrue(o.Status.Conditions, carbonv1alpha1.ConditionStarted) {
			words = append(words, "told started")
		}
		return words
	case *batchv1.Job:
		var words []string
		if o.Annotations[carbonv1alpha1.AnnotationStart] != "" {
			words = append(words, "started")
		}
		if o.Status.CompletionTime != nil && len(o.Finalizers) == 0 {
			words = append(words, "released")
		}
		if o.Labels["perf"] == "cron" {
			words = append(words, "cron")
		}
		return words
	}
	return nil
}

func (w *watcher) see(old, o any) {
	object, ok := o.(client.Object)
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	ns := object.GetNamespace()
	w.changes[ns]++
	if w.counts[ns] == nil {
		w.counts[ns] = map[string]int{}
	}
	for _, word := range states(old) {
		w.counts[ns][word]--
	}
	for _, word := range states(o) {
		w.counts[ns][word]++
	}
	w.clock(old, o)
}

// clock notes how late a start was seen, by the harness's own clock: nothing may start early.
func (w *watcher) clock(old, o any) {
	switch o := o.(type) {
	case *carbonv1alpha1.CarbonAwareJob:
		if o.Status.Plan != nil {
			w.plans[client.ObjectKeyFromObject(o)] = o.Status.Plan.Start.Time
		}
	case *batchv1.Job:
		was, known := old.(*batchv1.Job)
		plan, planned := w.plans[client.ObjectKeyFromObject(o)]
		if !known || !planned || was.Annotations[carbonv1alpha1.AnnotationStart] != "" || o.Annotations[carbonv1alpha1.AnnotationStart] == "" {
			return
		}
		late := time.Since(plan).Seconds()
		if least, has := w.least[o.Namespace]; !has || late < least {
			w.least[o.Namespace] = late
		}
	}
}

// leastLateness is the shortest time in seconds from a planned start of the namespace to when the start
// was seen.
func (w *watcher) leastLateness(ns string) float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if least, known := w.least[ns]; known {
		return least
	}
	return -1
}

func (w *watcher) count(ns, word string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts[ns][word]
}

func (w *watcher) seen(ns string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changes[ns]
}

// until waits until the count is reached, and returns when.
func (b *bench) until(ns, word string, n int) time.Time {
	b.t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	limit := time.Now().Add(30 * time.Minute)
	for b.watch.count(ns, word) < n {
		if now := <-ticker.C; now.After(limit) {
			b.t.Fatalf("only %d of %d are %s", b.watch.count(ns, word), n, word)
		}
	}
	return time.Now()
}
