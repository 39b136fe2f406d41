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

package plane

import (
	"path/filepath"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/process"
)

// Component is one program of the control plane. It comes back on the same port and with the same
// data.
type Component struct {
	*process.Process
	name, program string
	args          []string
}

func (p *Plane) component(name string, args []string) (*Component, error) {
	c := &Component{name: name, program: filepath.Join(p.options.Bin, name), args: args}
	return c, c.Start()
}

// Start starts the program, anew after it was killed.
func (c *Component) Start() (err error) {
	c.Process, err = process.Start(c.program, nil, c.args...)
	return err
}

// tail is the end of the program's log.
func (c *Component) tail() string {
	const enough = 2000
	log := c.Log()
	return log[max(0, len(log)-enough):]
}
