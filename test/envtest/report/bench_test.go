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

package report

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// Reports of few and many jobs, each beside a bare read of the same list in the same run: how long the
// program takes from its start to its end, and how much memory. `make bench-report` runs it.
func BenchmarkReport(b *testing.B) {
	var least int64 // memory of the smallest report
	for _, count := range []int{2_000, 10_000} {
		namespace := fmt.Sprintf("many-%d", count)
		seed(b, []string{namespace}, count)
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			var reports, lists time.Duration
			var memory int64
			for b.Loop() {
				lists += bareList(b, namespace)
				took, kilobytes := measured(b, "report", "-n", namespace, "-o", "json")
				reports, memory = reports+took, max(memory, kilobytes)
			}
			if least == 0 {
				least = memory
			}
			b.ReportMetric(reports.Seconds()/float64(b.N), "s/report")
			b.ReportMetric(reports.Seconds()/lists.Seconds(), "times-a-bare-list")
			b.ReportMetric(float64(memory)/1024, "MiB")
			b.ReportMetric(float64(memory)/float64(least), "times-the-least-memory")
			b.ReportMetric(0, "ns/op") // of both, which says nothing
		})
	}
}

// measured runs the plugin: how long it took, and the most memory that it had, in KiB.
func measured(b *testing.B, args ...string) (time.Duration, int64) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), plugin, append(args, "--kubeconfig", kubeconfig)...)
	begin := time.Now()
	check(b, cmd.Run())
	took := time.Since(begin)
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		b.Fatal("the memory of a process is not known here")
	}
	return took, usage.Maxrss
}

// bareList reads the list of jobs and does nothing with it.
func bareList(b *testing.B, namespace string) time.Duration {
	b.Helper()
	c, err := rest.HTTPClientFor(config)
	check(b, err)
	begin := time.Now()
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, strings.TrimSuffix(config.Host, "/")+"/apis/carbon.ecotracker.dev/v1alpha1/namespaces/"+namespace+"/carbonawarejobs", nil)
	check(b, err)
	response, err := c.Do(request)
	check(b, err)
	size, err := io.Copy(io.Discard, response.Body)
	check(b, errors.Join(err, response.Body.Close()))
	if response.StatusCode != http.StatusOK || size == 0 {
		b.Fatalf("%s, %d bytes", response.Status, size)
	}
	return time.Since(begin)
}
