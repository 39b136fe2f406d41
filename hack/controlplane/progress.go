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
	"fmt"
	"os"
	"time"
)

// tick is how often a long step says that it is still at work.
const tick = 10 * time.Second

// progress tells on standard error what is being done, and for how long.
type progress struct{ quiet bool }

func (p *progress) say(format string, args ...any) {
	if !p.quiet {
		fmt.Fprintf(os.Stderr, "controlplane: "+format+"\n", args...)
	}
}

// during runs a step and tells of its begin, its course and its end.
func (p *progress) during(ctx context.Context, what string, step func() error) error {
	begin := time.Now()
	done := make(chan error, 1)
	p.say("%s", what)
	go func() { done <- step() }()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case err := <-done:
			if err == nil {
				p.say("%s: done in %s", what, time.Since(begin).Round(time.Second))
			}
			return err
		case <-ticker.C:
			if ctx.Err() == nil {
				p.say("%s: %s so far", what, time.Since(begin).Round(time.Second))
			}
		}
	}
}
