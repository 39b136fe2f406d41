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

package envtest

import (
	"errors"
	"sync"
)

// errDead is what every write of a process meets after its death.
var errDead = errors.New("the process is dead")

// death ends a process at one of its writes: from then on nothing of what it does reaches the API
// server. The write itself does, if it dies after it, but the process never hears of that.
type death struct {
	mu sync.Mutex
	// at is the write (from 1) to die at; 0 never.
	at      int
	after   bool
	written int
	dead    bool
}

// reset gives a new process its own death, or none.
func (d *death) reset(at int, after bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at, d.after, d.written, d.dead = at, after, 0, false
}

func (d *death) isDead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dead
}

func (d *death) around(write func() error) error {
	d.mu.Lock()
	d.written++
	if !d.dead && d.at > 0 && d.written == d.at {
		d.dead = true
		if d.after {
			_ = write() // nobody hears the answer
		}
	}
	dead := d.dead
	d.mu.Unlock()
	if dead {
		return errDead
	}
	return write()
}
