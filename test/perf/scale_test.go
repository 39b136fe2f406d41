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
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// TestScale measures what a job costs while more and more of them wait: what grows faster than the number
// of jobs shows here first.
func TestScale(t *testing.T) {
	if !*run {
		t.Skip("SKIPPED: measurements take minutes; `make perf-scale` runs them")
	}
	ctrl.SetLogger(logr.Discard())
	b := newBench(t)
	clear(b.results) // the sizes of the other measurements
	b.namespace(waitNS)
	start := time.Now().Truncate(time.Second)
	b.region("wait", start, hour, greenest(24, 5)...)
	b.empty()
	var sizes []int
	have := 1
	for text := range strings.SplitSeq(*curve, ",") {
		n, err := strconv.Atoi(text)
		check(t, err)
		begin := time.Now()
		b.clone(waitNS, have, n-step)
		b.until(waitNS, "planned", n-step)
		b.measureAt(n, start)
		have, sizes = n, append(sizes, n)
		b.keep(fmt.Sprintf("%d jobs (%s)", n, time.Since(begin).Round(time.Second)))
	}
	b.flatness(sizes)
	b.keep("flatness")
	b.report("scale")
}

// step is how many jobs at each point are planned by the operator; the others are copies, see clone.
const step = 500

// measureAt measures a new process when so many jobs wait that n do after the next few: its start, the
// planning of those, a minute of waiting, and a look at all of them for a forecast that moves none.
func (b *bench) measureAt(n int, start time.Time) {
	writes := b.watch.seen(waitNS)
	m := b.startManager()
	b.rest(m)
	b.results[point(n)+"CPU per job of a start-up ms"] = perJob(m.cpu(), n-step)
	b.results[point(n)+"writes at the start-up"] = float64(b.watch.seen(waitNS) - writes)
	cpu := m.cpu()
	b.createFrom(n-step, waitNS, n, later("wait", hour))
	b.until(waitNS, "planned", n)
	b.rest(m) // Events come last
	b.results[point(n)+"CPU per planned job ms"] = perJob(m.cpu()-cpu, step)
	b.idle(strings.TrimSuffix(point(n), ": "), m, waitNS, n)
	b.results[point(n)+"memory peak MiB"] = m.PeakMemory()
	cpu, writes = m.cpu(), b.watch.seen(waitNS)
	grams := greenest(24, 5)
	grams[23] = 299 - len(b.results) // another one each time, and after the latest start of all jobs
	b.news("wait", start, hour, grams...)
	b.rest(m)
	b.results[point(n)+"CPU per job of a new forecast ms"] = perJob(m.cpu()-cpu, n)
	b.results[point(n)+"writes for a new forecast"] = float64(b.watch.seen(waitNS) - writes)
	m.Kill()
}

// rest waits until the manager has used next to no processor time for some seconds.
func (b *bench) rest(m *manager) {
	for idle := 0; idle < 5; {
		before := m.cpu()
		<-time.After(time.Second)
		if idle++; m.cpu()-before > 50*time.Millisecond {
			idle = 0
		}
	}
}

func point(n int) string { return fmt.Sprintf("at %d: ", n) }

// flatness compares the costs of a job at the largest number with those at the smallest of 5,000 or more:
// below that, what does not depend on jobs is most of what is measured.
func (b *bench) flatness(sizes []int) {
	least, most := 0, sizes[len(sizes)-1]
	for _, n := range sizes {
		if n >= 5000 && (least == 0 || n < least) {
			least = n
		}
	}
	if least == 0 {
		b.t.Fatal("the curve needs a point of 5,000 jobs or more to tell whether it is flat")
	}
	for _, cost := range []string{"CPU per planned job ms", "CPU per job of a start-up ms", "CPU per job of a new forecast ms", "KiB per job"} {
		b.results["flat: "+cost] = b.results[point(most)+cost] / b.results[point(least)+cost]
	}
	for _, total := range []string{"writes at the start-up", "writes/min", "writes for a new forecast"} {
		for _, n := range sizes {
			b.results["all points: "+total] += b.results[point(n)+total]
		}
	}
}
