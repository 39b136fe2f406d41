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

// Package process runs programs for tests, which kill, pause and restart them.
package process

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Process is one running program. It dies with the test binary.
type Process struct {
	cmd   *exec.Cmd
	log   buffer
	ended chan struct{}
	err   error
}

// Start runs a program with the given arguments and environment; a nil environment is our own.
func Start(program string, environment []string, args ...string) (*Process, error) {
	p := &Process{ended: make(chan struct{})}
	//nolint:noctx,gosec // the test's own program; it must outlive a spec node's context until it is stopped
	p.cmd = exec.Command(program, args...)
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Env = &p.log, &p.log, environment
	p.cmd.SysProcAttr = attributes()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", program, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// Pid is the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Ended is closed once the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Running says whether the process has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Kill ends the process at once, as a crash would, and waits until it is gone.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// Terminate asks the process to end, waits until it has, and returns how it ended.
func (p *Process) Terminate() error {
	p.signal(syscall.SIGTERM)
	<-p.ended
	return p.err
}

// Pause stops the process where it is; Resume lets it go on as if no time had passed.
func (p *Process) Pause() { p.signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (p *Process) Resume() { p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) {
	_ = p.cmd.Process.Signal(s) // it may have ended already
}

// Memory is the resident memory of the process in MiB, as Linux tells it; 0 elsewhere.
func (p *Process) Memory() float64 { return p.status("VmRSS:") }

// PeakMemory is the most that it ever had.
func (p *Process) PeakMemory() float64 { return p.status("VmHWM:") }

func (p *Process) status(what string) float64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(data), what)
	fields := strings.Fields(after)
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		return 0
	}
	return kib / 1024
}

// Log is what the process has written so far.
func (p *Process) Log() string { return p.log.String() }

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write keeps what the process writes.
func (l *buffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *buffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
