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

package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/goals"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/llm"
)

var (
	out   = flag.String("overhead.out", "", "file that the results are written to, as JSON")
	quiet = flag.Bool("overhead.quiet", false, "judge times as well: the machine does nothing else")
)

// thinkingTime is how long the upstream of many calls at once thinks: so they are in flight at the same
// time without keeping the processors busy, as with real ones.
const thinkingTime = 200 * time.Millisecond

// BenchmarkOverhead compares calls through the meter with direct ones, taken in turn in one run, and holds
// the differences against the goals of test/perf/thresholds.json: see make bench-meter.
func BenchmarkOverhead(b *testing.B) {
	instant := httptest.NewServer(&llm.Server{Discard: true})
	b.Cleanup(instant.Close)
	thinking := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(thinkingTime)
		(&llm.Server{Discard: true}).ServeHTTP(w, r)
	}))
	b.Cleanup(thinking.Close)
	collector := httptest.NewServer(&receiver{})
	b.Cleanup(collector.Close)
	instantly, pid := build(b, instant.URL)
	slowly, slowPID := build(b, thinking.URL)
	exporting, exportingPID := build(b, thinking.URL, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL, "OTEL_METRIC_EXPORT_INTERVAL=1000")
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200}}
	b.Cleanup(client.CloseIdleConnections)
	chat, stream := `{"model":"gpt-4.1","messages":[{"role":"user","content":"hi"}]}`, `{"model":"gpt-4.1","stream":true}`

	for b.Loop() {
		results := goals.Results{}
		compare(b, client, instant.URL, instantly, chat, 1, 4000).into(results, "alone")
		compare(b, client, instant.URL, instantly, stream, 1, 4000).into(results, "first streamed byte")
		compare(b, client, thinking.URL, slowly, chat, 100, 40).into(results, "100 at once")
		compare(b, client, thinking.URL, exporting, chat, 100, 20).into(results, "100 at once, with OTLP")
		results["memory MiB"] = max(peakMiB(b, pid), peakMiB(b, slowPID))
		results["memory with OTLP MiB"] = peakMiB(b, exportingPID)
		judge(b, results)
	}
}

// judge prints and keeps the results, and fails for those that miss their goal.
func judge(b *testing.B, results goals.Results) {
	b.Helper()
	for _, name := range slices.Sorted(maps.Keys(results)) {
		fmt.Printf("%-44s %8.3f\n", name, results[name]) // the log of a benchmark is cut after ten lines
	}
	if *out != "" {
		data, err := json.MarshalIndent(results, "", "  ")
		if err == nil {
			err = os.WriteFile(*out, append(data, '\n'), 0o600)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "test", "perf", "thresholds.json"))
	if err != nil {
		b.Fatal(err)
	}
	all, err := goals.Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	for _, line := range goals.Missed(all["meter"], results, *quiet) {
		b.Error(line)
	}
}

// build compiles a meter, runs it before the upstream and returns its address.
func build(b *testing.B, upstream string, env ...string) (string, int) {
	b.Helper()
	program := b.TempDir() + "/meter"
	compile := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, ".")
	compile.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := compile.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	command := exec.CommandContext(b.Context(), program, "--listen=127.0.0.1:0", "--metrics-bind-address=0",
		"--upstream-openai="+upstream+"/v1", "--state="+b.TempDir()+"/state")
	command.Env = append(os.Environ(), env...)
	log, err := command.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	line, err := bufio.NewReader(log).ReadString('\n')
	_, rest, ok := strings.Cut(line, `"address":"`)
	if err != nil || !ok {
		b.Fatalf("the meter said %q, %v", line, err)
	}
	address, _, _ := strings.Cut(rest, `"`)
	return "http://" + address, command.Process.Pid
}

// times are durations, sorted.
type times []time.Duration

func (t times) at(percent int) time.Duration { return t[len(t)*percent/100] }

type pair struct{ direct, via times }

// compare lets workers make calls, each a direct one and one through the meter in turn. They start one
// after the other, so that they do not all call at the same moment.
func compare(b *testing.B, client *http.Client, direct, via, body string, workers, rounds int) pair {
	b.Helper()
	var result pair
	var mu sync.Mutex
	var group sync.WaitGroup
	for n := range workers {
		group.Go(func() {
			time.Sleep(thinkingTime * time.Duration(n) / time.Duration(workers))
			for i := range rounds + 3 {
				d := firstByte(b, client, direct+"/v1/chat/completions", body)
				v := firstByte(b, client, via+"/openai/chat/completions", body)
				if i < 3 { // the first ones open connections
					continue
				}
				mu.Lock()
				result.direct, result.via = append(result.direct, d), append(result.via, v)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	slices.Sort(result.direct)
	slices.Sort(result.via)
	return result
}

// firstByte makes a call and returns how long its first byte took; the rest is read as well.
func firstByte(b *testing.B, client *http.Client, url, body string) time.Duration {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		b.Error(err)
		return 0
	}
	start := time.Now()
	answer, err := client.Do(r)
	if err != nil {
		b.Error(err)
		return 0
	}
	defer func() { _ = answer.Body.Close() }()
	_, err = io.ReadFull(answer.Body, make([]byte, 1))
	took := time.Since(start)
	if _, restErr := io.Copy(io.Discard, answer.Body); err != nil || restErr != nil || answer.StatusCode != http.StatusOK {
		b.Errorf("got %d, %v, %v", answer.StatusCode, err, restErr)
	}
	return took
}

// into takes the differences, and what direct calls took, into the results.
func (p pair) into(results goals.Results, name string) {
	for word, percent := range map[string]int{"median": 50, "p99": 99} {
		direct, via := p.direct.at(percent), p.via.at(percent)
		results[name+": added "+word+" ms"] = (via - direct).Seconds() * 1000
		results[name+": direct "+word+" ms"] = direct.Seconds() * 1000
	}
}

func peakMiB(b *testing.B, pid int) float64 {
	b.Helper()
	return float64(peakRSS(b, pid)) / 1024
}

// peakRSS is the most memory that the process has had, in KiB.
func peakRSS(tb testing.TB, pid int) int {
	tb.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		tb.Skip("only Linux tells the memory of a process: ", err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				tb.Fatal(err)
			}
			return kib
		}
	}
	tb.Fatal("there is no VmHWM")
	return 0
}
