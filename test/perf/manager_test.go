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
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/plane"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/process"
)

// manager is the real manager, measured from outside.
type manager struct {
	*process.Process
	b *bench
}

func (b *bench) startManager(flags ...string) *manager {
	b.t.Helper()
	kubeconfig := filepath.Join(b.t.TempDir(), "kubeconfig")
	check(b.t, plane.WriteKubeconfig(kubeconfig, b.plane.Config(0), ""))
	p, err := process.Start(*manage, nil, append(append(flags, strings.Fields(*args)...), "--kubeconfig="+kubeconfig, "--namespace="+operatorNamespace,
		"--metrics-bind-address=0", "--health-probe-bind-address=0")...)
	check(b.t, err)
	b.t.Cleanup(p.Kill)
	return &manager{p, b}
}

// cpu is the processor time used so far.
func (m *manager) cpu() time.Duration { return cpuOf(m.b, m.Pid()) }

// rest waits until the manager takes less than a fiftieth of a core.
func (m *manager) rest() {
	const idle = settle / 50
	for last := m.cpu(); ; {
		<-time.After(settle)
		now := m.cpu()
		if now-last < idle {
			return
		}
		last = now
	}
}

func cpuOf(b *bench, pid int) time.Duration {
	b.t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	check(b.t, err)
	_, after, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(after)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	const tick = 10 * time.Millisecond // USER_HZ is 100 on Linux
	return time.Duration(user+system) * tick
}

// lateness is, in seconds, how long after its planned start each start was acknowledged, as the
// manager logs it.
func (m *manager) lateness(namespace string) []float64 {
	m.b.t.Helper()
	var all []float64
	for text := range strings.Lines(m.Log()) {
		var line struct{ Msg, Namespace, Lateness string }
		if json.Unmarshal([]byte(text), &line) != nil || line.Msg != "Started Job" || line.Namespace != namespace {
			continue
		}
		d, err := time.ParseDuration(line.Lateness)
		check(m.b.t, err)
		all = append(all, d.Seconds())
	}
	slices.Sort(all)
	return all
}

// percentile of sorted values, p from 0 to 100.
func percentile(sorted []float64, p int) float64 {
	if len(sorted) == 0 {
		return -1
	}
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}
