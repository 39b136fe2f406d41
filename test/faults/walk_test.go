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
	"os"
	"strconv"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/audit"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/faults"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/process"
)

// The walk: this many seeds at once, each for so many steps, one every stepEvery. SEEDS, STEPS and
// FIRST_SEED in the environment change it.
var (
	seeds     = number("SEEDS", 20)
	steps     = number("STEPS", 500)
	firstSeed = number("FIRST_SEED", 1)
)

const (
	stepEvery = 200 * time.Millisecond
	// disturbEvery is after how many steps of each walker the manager is disturbed, more or less by half: 15 s where the
	// machine keeps up, and longer where it does not, so that a manager always gets something done.
	disturbEvery = 75
	// errorRate is the part of the operator's requests that fails.
	errorRate = 0.02
)

func number(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return fallback
}

var _ = Describe("A random walk", func() {
	It("breaks no promise, whatever people do and whatever fails", func(ctx context.Context) {
		proxy := newProxy("")
		disturb(proxy, uint64(firstSeed))
		var walkers []*walker
		for i := range seeds {
			walkers = append(walkers, newWalker(ctx, uint64(firstSeed+i), 200))
		}
		stop, stepped := make(chan struct{}), make(chan struct{}, seeds*(steps+1))
		random := rand.New(rand.NewPCG(1, 2))
		manager := keepRunning(proxy, func() bool {
			for range seeds * (disturbEvery/2 + random.IntN(disturbEvery)) {
				select {
				case <-stop:
					return false
				case <-stepped:
				}
			}
			return true
		}, func(*process.Process) {})
		walk(ctx, walkers, func(w *walker) bool {
			stepped <- struct{}{}
			return w.steps < steps
		})
		close(stop)
		m := <-manager
		settle(ctx, proxy, walkers)
		Expect(m.Running()).To(BeTrue())
	})
})

var _ = Describe("A soak", func() {
	It("of half an hour loses nothing, and memory stays flat", func(ctx context.Context) {
		length, err := time.ParseDuration(os.Getenv("SOAK"))
		if err != nil {
			Skip("SKIPPED: `make soak` runs it; SOAK says how long, for example 30m")
		}
		proxy := newProxy("")
		disturb(proxy, uint64(firstSeed))
		var walkers []*walker
		for i := range 4 {
			w := newWalker(ctx, uint64(firstSeed+i), int(length/wildSlot)+200)
			w.ttl = 60 // so that there are never many at a time
			walkers = append(walkers, w)
		}
		stop := make(chan struct{})
		var memory []float64
		random := rand.New(rand.NewPCG(1, 2))
		manager := keepRunning(proxy, func() bool {
			timer := time.NewTimer(time.Minute + time.Duration(random.Int64N(int64(30*time.Second))))
			defer timer.Stop()
			select {
			case <-stop:
				return false
			case <-timer.C:
				return true
			}
		}, func(m *process.Process) { memory = append(memory, m.Memory()) })
		end := time.Now().Add(length)
		walk(ctx, walkers, func(*walker) bool { return time.Now().Before(end) })
		close(stop)
		<-manager
		settle(ctx, proxy, walkers)
		AddReportEntry("MiB before each kill", memory, ReportEntryVisibilityAlways)
		third := len(memory) / 3
		Expect(third).To(BeNumerically(">", 0), "too short to tell")
		Expect(mean(memory[len(memory)-third:])).To(BeNumerically("<", 1.3*mean(memory[:third])), "memory stays flat: %v", memory)
	})
})

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// disturb lets a part of the operator's requests fail.
func disturb(proxy *faults.Proxy, seed uint64) {
	proxy.Script(faults.Rule{Fault: faults.Sometimes(seed, errorRate, faults.FailBefore, faults.LoseAnswer, faults.Conflict,
		faults.TooManyRequests, faults.InternalError, faults.Unavailable, faults.Delay(time.Second))})
}

// walk lets all walkers go at once for as long as each may.
func walk(ctx context.Context, walkers []*walker, more func(*walker) bool) {
	GinkgoHelper()
	var all sync.WaitGroup
	for _, w := range walkers {
		all.Go(func() {
			defer GinkgoRecover()
			pace := time.NewTicker(stepEvery)
			defer pace.Stop()
			for more(w) {
				w.step(ctx)
				<-pace.C
			}
		})
	}
	all.Wait()
}

// keepRunning runs a manager behind the proxy and, whenever next returns true, kills it, asks it to end or
// lets it sleep, after a look at it. Once next returns false, the last one is handed over.
func keepRunning(proxy *faults.Proxy, next func() bool, look func(*process.Process)) <-chan *process.Process {
	GinkgoHelper()
	last := make(chan *process.Process, 1)
	random := rand.New(rand.NewPCG(3, 4))
	m := startManagerBehind(proxy)
	go func() {
		defer GinkgoRecover()
		defer func() { last <- m }()
		for next() {
			look(m)
			switch random.IntN(3) {
			case 0:
				m.Kill()
			case 1:
				Expect(m.Terminate()).To(Succeed(), "it ends when asked to")
			case 2:
				m.Pause()
				<-time.After(3 * time.Second)
				m.Resume()
				continue
			}
			m = startManagerBehind(proxy)
		}
	}()
	return last
}

// settle ends the faults, lets everything come to its end, and checks every promise.
func settle(ctx context.Context, proxy *faults.Proxy, walkers []*walker) {
	GinkgoHelper()
	proxy.Script()
	for _, w := range walkers {
		w.rest(ctx)
	}
	for _, w := range walkers {
		Eventually(func() []string { return unfinished(ctx, w.namespace) }).WithTimeout(4*time.Minute).
			Should(BeEmpty(), "seed %d in %s: everything ends, what is deleted goes", w.seed, w.namespace)
	}
	all, writes := 0, 0
	for _, w := range walkers {
		Eventually(func() []string { return audit.Broken(livesUntilNow(ctx, w.namespace)) }).Should(BeEmpty(), "seed %d: a write is in the log a moment after it can be read", w.seed)
		events := written(w.namespace)
		writes += len(events)
		events = append(events, present(ctx, w.namespace)...)
		lives := audit.Lives(events)
		all += len(lives)
		Expect(audit.Late(lives, calm)).To(BeEmpty(), "seed %d: nobody has killed a manager since", w.seed)
		Expect(audit.Overspent(events, w.namespace, "flat")).To(BeEmpty(), "seed %d", w.seed)
		w.addUp(ctx, lives)
	}
	By("deleting all jobs: their grams stay, and the next spec does not begin among them")
	for _, w := range walkers {
		Expect(api.DeleteAllOf(ctx, &carbonv1alpha1.CarbonAwareJob{}, client.InNamespace(w.namespace))).To(Succeed())
	}
	for _, w := range walkers {
		Eventually(func(g Gomega) {
			var jobs carbonv1alpha1.CarbonAwareJobList
			g.Expect(api.List(ctx, &jobs, client.InNamespace(w.namespace))).To(Succeed())
			g.Expect(jobs.Items).To(BeEmpty(), "seed %d", w.seed)
		}).WithTimeout(4 * time.Minute).Should(Succeed())
		w.addUp(ctx, lives(w.namespace))
	}
	AddReportEntry("the walk", fmt.Sprintf("%d lives, %d writes", all, writes), ReportEntryVisibilityAlways)
}

// addUp checks that the budgets are the sums over the records of all jobs that ever lived.
func (w *walker) addUp(ctx context.Context, lives map[types.UID]*audit.Life) {
	GinkgoHelper()
	for _, name := range []string{"flat", "warn"} {
		want := consumed(lives, name == "flat")
		Eventually(func(g Gomega) {
			budget := &carbonv1alpha1.CarbonBudget{}
			g.Expect(api.Get(ctx, types.NamespacedName{Namespace: w.namespace, Name: name}, budget)).To(Succeed())
			g.Expect(decimal(budget.Status.ConsumedGrams)).To(BeNumerically("~", want, 1e-6), "budget %s of seed %d is the sum of all records", name, w.seed)
			g.Expect(budget.Status.ReservedGrams).To(BeEquivalentTo("0"))
		}).Should(Succeed())
	}
}

// unfinished are the jobs of a namespace that are not at their end, with what they wait for.
func unfinished(ctx context.Context, namespace string) []string {
	var jobs carbonv1alpha1.CarbonAwareJobList
	if err := api.List(ctx, &jobs, client.InNamespace(namespace)); err != nil {
		return []string{err.Error()}
	}
	var names []string
	for i := range jobs.Items {
		j := &jobs.Items[i]
		conditions := j.Status.Conditions
		ended := meta.IsStatusConditionTrue(conditions, carbonv1alpha1.ConditionComplete) || meta.IsStatusConditionTrue(conditions, carbonv1alpha1.ConditionFailed)
		if recorded := meta.FindStatusCondition(conditions, carbonv1alpha1.ConditionEmissionsRecorded); ended && recorded != nil && j.DeletionTimestamp.IsZero() {
			continue
		}
		ready := meta.FindStatusCondition(conditions, carbonv1alpha1.ConditionReady)
		text := "no condition"
		if ready != nil {
			text = ready.Reason + ": " + ready.Message
		}
		names = append(names, fmt.Sprintf("%s (deleted %v): %s", j.Name, j.DeletionTimestamp, text))
	}
	return names
}

// consumed is what records sum up to, of all that ever lived.
func consumed(lives map[types.UID]*audit.Life, flatOnly bool) float64 {
	sum := 0.0
	for _, life := range lives {
		caj := life.Last
		if caj == nil || caj.Status.Emissions == nil || flatOnly && caj.Labels["team"] != "flat" {
			continue
		}
		sum += decimal(caj.Status.Emissions.ActualGrams)
	}
	return sum
}

func decimal(d carbonv1alpha1.Decimal) float64 {
	f, err := strconv.ParseFloat(string(d), 64)
	if err != nil {
		return -1
	}
	return f
}
