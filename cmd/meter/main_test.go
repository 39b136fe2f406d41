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
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/llm"
)

// asMeter makes the test's own program the meter.
const asMeter = "RUN_AS_METER"

func TestMain(m *testing.M) {
	if os.Getenv(asMeter) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a meter that runs.
type process struct {
	t              *testing.T
	command        *exec.Cmd
	address        string
	state, message string
	out, log       *bytes.Buffer // whole when it has stopped
	logged         chan struct{}
}

// start runs a meter before an upstream, on a port of its own, and waits until it serves.
func start(t *testing.T, dir, upstream string, more ...string) *process {
	t.Helper()
	p := &process{t: t, state: filepath.Join(dir, "state"), message: filepath.Join(dir, "message"), out: &bytes.Buffer{}, log: &bytes.Buffer{}, logged: make(chan struct{})}
	args := append([]string{
		"--listen=127.0.0.1:0", "--metrics-bind-address=0", "--upstream-openai=" + upstream + "/v1",
		"--state=" + p.state, "--termination-message=" + p.message,
	}, more...)
	p.command = exec.CommandContext(t.Context(), os.Args[0], args...)
	p.command.Env = append(os.Environ(), asMeter+"=1")
	p.command.Stdout = p.out
	log, err := p.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(log)
	for p.address == "" && lines.Scan() {
		p.logLine(lines)
		var entry struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Msg == "Serving" {
			p.address = entry.Address
		}
	}
	if p.address == "" {
		t.Fatal("the meter did not start")
	}
	go func() {
		defer close(p.logged)
		for lines.Scan() {
			p.logLine(lines)
		}
	}()
	return p
}

func (p *process) logLine(lines *bufio.Scanner) {
	p.log.Write(lines.Bytes())
	p.log.WriteByte('\n')
}

// call makes a call and returns its status.
func (p *process) call() int { return p.post(`{"model":"gpt-4.1"}`) }

// post makes a call with this body and returns its status; 0 when it was not answered.
func (p *process) post(body string) int {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, "http://"+p.address+"/openai/chat/completions", strings.NewReader(body))
	if err != nil {
		p.t.Error(err)
		return 0
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Error(err)
		return 0
	}
	defer func() { _ = answer.Body.Close() }()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		p.t.Error(err)
	}
	return answer.StatusCode
}

// calls are those that a file of the meter tells; 0 when it tells none.
func calls(file string) int64 {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	report, err := meter.ParseReport(data)
	if err != nil {
		return 0
	}
	return meter.Total(report.Lines).Calls
}

func (p *process) stop(signal syscall.Signal) error {
	p.t.Helper()
	if err := p.command.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	<-p.logged
	return p.command.Wait()
}

// A meter that is stopped hands over what it counted, and one that was killed goes on with what it had
// saved: at most the calls of the last moment are lost.
func TestStopKillAndRestart(t *testing.T) {
	upstream := httptest.NewServer(&llm.Server{})
	t.Cleanup(upstream.Close)
	dir := t.TempDir()

	killed := start(t, dir, upstream.URL)
	for range 5 {
		if status := killed.call(); status != http.StatusOK {
			t.Fatalf("a call gave %d", status)
		}
	}
	saved, cancel := context.WithTimeout(t.Context(), time.Minute) // it takes a tenth of a second
	defer cancel()
	for calls(killed.message) < 5 {
		if saved.Err() != nil {
			t.Fatal("the calls are not saved")
		}
		runtime.Gosched()
	}
	if err := killed.stop(syscall.SIGKILL); err == nil || killed.out.Len() > 0 {
		t.Errorf("a kill left %v and %s", err, killed.out)
	}

	stopped := start(t, dir, upstream.URL)
	for range 3 {
		stopped.call()
	}
	if err := stopped.stop(syscall.SIGTERM); err != nil {
		t.Errorf("the meter ended with %v", err)
	}
	for _, file := range []string{stopped.state, stopped.message} {
		if got := calls(file); got != 8 {
			t.Errorf("%s tells %d calls, not 8", filepath.Base(file), got)
		}
	}
	var record struct {
		Usage []struct {
			Calls  int64 `json:"call_count"`
			Output int64 `json:"gen_ai.usage.output_tokens"`
		} `json:"model_usage"`
	}
	if err := json.Unmarshal(stopped.out.Bytes(), &record); err != nil {
		t.Fatalf("%v: %s", err, stopped.out)
	}
	if len(record.Usage) != 1 || record.Usage[0].Calls != 8 || record.Usage[0].Output != 8*llm.Output {
		t.Errorf("the record is %s", stopped.out)
	}
	if strings.Count(stopped.out.String(), "\n") != 1 {
		t.Errorf("the record is not one line: %s", stopped.out)
	}
}

// A meter that is asked to stop cuts calls off that do not end, and counts them.
func TestStopCutsCallsOff(t *testing.T) {
	arrived := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
	}))
	t.Cleanup(upstream.Close)
	p := start(t, t.TempDir(), upstream.URL)
	ended := make(chan error)
	go func() {
		answer, err := http.Post("http://"+p.address+"/openai/chat/completions", "application/json", strings.NewReader(`{"model":"gpt-4.1"}`)) //nolint:noctx // it ends with the meter
		if err == nil {
			_ = answer.Body.Close()
		}
		ended <- err
	}()
	<-arrived
	if err := p.stop(syscall.SIGTERM); err != nil {
		t.Errorf("the meter ended with %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("the client did not learn that its call was cut off")
	}
	if got := calls(p.message); got != 1 {
		t.Errorf("the message tells %d calls", got)
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--mode=Off", "--mode is \"Off\""},
		{"--assumed-intensity=-1", "positive"},
		{"--unknown=1", "unknown flag"},
		{"serve", "unexpected argument"},
	} {
		if _, err := parseOptions([]string{c.args}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", c.args, err)
		}
	}
	o, err := parseOptions([]string{"--upstream-openai=http://user:SECRET@%zz"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.parseUpstreams(); err == nil || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("got %v", err)
	}
	if err := run(context.Background(), o, io.Discard); err == nil {
		t.Error("a meter with a wrong upstream runs")
	}
}
