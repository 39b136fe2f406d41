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
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// stopGrace is how long a process may take to end before it is killed.
const stopGrace = 15 * time.Second

// process is one running component. It leads a process group of its own, so that a Ctrl-C in the
// terminal reaches only us and everything is stopped in order.
type process struct {
	name, log string
	cmd       *exec.Cmd
	ended     chan struct{}
	err       error
}

// launcher starts processes that die when this process dies. The kernel ties that to the thread
// which started them, so one thread starts them all and lives as long as we do.
type launcher struct {
	work chan func()
	died chan *process
	dir  string
}

func newLauncher(logDir string) *launcher {
	l := &launcher{work: make(chan func()), died: make(chan *process, 64), dir: logDir}
	go func() {
		runtime.LockOSThread()
		for f := range l.work {
			f()
		}
	}()
	return l
}

// start starts a component whose output goes to a log file of its own.
func (l *launcher) start(name, program string, env []string, args ...string) (*process, error) {
	p := &process{name: name, log: filepath.Join(l.dir, name+".log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", name, err)
	}
	p.cmd = exec.Command(program, args...) //nolint:gosec,noctx // our own programs; stop ends them in order
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	l.work <- func() { started <- p.cmd.Start() }
	if err := <-started; err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w", name, err), log.Close())
	}
	go func() {
		p.err = p.cmd.Wait()
		_ = log.Close() // the log is for people; nothing depends on it
		close(p.ended)
		l.died <- p
	}()
	return p, nil
}

// stop asks the component to end, and kills its whole group when it does not.
func (p *process) stop() {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-p.ended:
	case <-time.After(stopGrace):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // as above
		<-p.ended
	}
}

// failure tells of a component that ended by itself.
func (p *process) failure() error {
	data, err := os.ReadFile(p.log)
	if err != nil {
		data = []byte(err.Error())
	}
	return fmt.Errorf("%s ended by itself (%w); the end of its log:\n%s", p.name, errors.Join(p.err, errEnded), tail(string(data), 15))
}

var errEnded = errors.New("it should have gone on")

// poll tries until it succeeds, a component dies, or the time is up.
func (l *launcher) poll(parent context.Context, what string, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(parent, readyLimit)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case p := <-l.died:
			return p.failure()
		case <-ctx.Done():
			if parent.Err() != nil { // we are told to stop
				return parent.Err()
			}
			return fmt.Errorf("%s: not within %s: %w", what, readyLimit, err)
		case <-ticker.C:
		}
	}
}
