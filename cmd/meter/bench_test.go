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
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/llm"
)

// What the meter may cost: issue 6.
const (
	mostMedian   = 500 * time.Microsecond
	mostP99      = 2 * time.Millisecond
	mostRSS      = 25 << 10 // KiB
	thinkingTime = 200 * time.Millisecond
)

// BenchmarkOverhead compares calls through the meter with direct ones, taken in turn in one run:
//
//	go test ./cmd/meter -run '^$' -bench Overhead -benchtime 1x
//
// An upstream that thinks for a while keeps 100 calls in flight without keeping the processors busy, as
// real ones do.
func BenchmarkOverhead(b *testing.B) {
	instant := httptest.NewServer(&llm.Server{Discard: true})
	b.Cleanup(instant.Close)
	thinking := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(thinkingTime)
		(&llm.Server{Discard: true}).ServeHTTP(w, r)
	}))
	b.Cleanup(thinking.Close)
	instantly, pid := build(b, instant.URL)
	slowly, slowPID := build(b, thinking.URL)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200}}
	b.Cleanup(client.CloseIdleConnections)
	chat, stream := `{"model":"gpt-4.1","messages":[{"role":"user","content":"hi"}]}`, `{"model":"gpt-4.1","stream":true}`

	for b.Loop() {
		one := compare(b, client, instant.URL, instantly, chat, 1, 4000)
		report(b, "alone", one)
		first := compare(b, client, instant.URL, instantly, stream, 1, 4000)
		report(b, "first-byte", first)
		many := compare(b, client, thinking.URL, slowly, chat, 100, 40)
		report(b, "parallel", many)
		if over := one.via.at(50) - one.direct.at(50); over > mostMedian {
			b.Errorf("the median overhead is %s, more than %s", over, mostMedian)
		}
		if over := many.via.at(99) - many.direct.at(99); over > mostP99 {
			b.Errorf("the overhead at p99 with 100 calls in flight is %s, more than %s", over, mostP99)
		}
		for _, id := range []int{pid, slowPID} {
			rss := peakRSS(b, id)
			b.ReportMetric(float64(rss)/1024, fmt.Sprintf("MiB-rss-%d", slices.Index([]int{pid, slowPID}, id)))
			if rss > mostRSS {
				b.Errorf("the meter took %d KiB of memory, more than %d", rss, mostRSS)
			}
		}
	}
}

// build compiles a meter, runs it before the upstream and returns its address.
func build(b *testing.B, upstream string) (string, int) {
	b.Helper()
	program := b.TempDir() + "/meter"
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	command := exec.CommandContext(b.Context(), program, "--listen=127.0.0.1:0", "--metrics-bind-address=0",
		"--upstream-openai="+upstream+"/v1", "--state="+b.TempDir()+"/state")
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

func report(b *testing.B, name string, p pair) {
	b.Helper()
	for _, percent := range []int{50, 99} {
		d, v := p.direct.at(percent), p.via.at(percent)
		b.Logf("%s p%d: direct %s, through the meter %s: %s more, %.2f times", name, percent, d, v, v-d, float64(v)/float64(d))
		b.ReportMetric(float64((v - d).Microseconds()), fmt.Sprintf("us-%s-p%d", name, percent))
	}
}

// peakRSS is the most memory that the process has had, in KiB.
func peakRSS(b *testing.B, pid int) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skip("only Linux tells the memory of a process: ", err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return kib
		}
	}
	b.Fatal("there is no VmHWM")
	return 0
}
