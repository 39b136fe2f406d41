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

package meter

// maxValue is how much of a wanted value is kept, in bytes. A usage object has some hundred.
const maxValue = 16 << 10

// members are the wanted members of a JSON text: raw values by their path.
type members map[string][]byte

// span is where a member stands in its text, the comma before it included.
type span struct{ start, end int }

// collector keeps the wanted members of a JSON text that arrives in pieces. Of a member that comes
// twice the last value counts, as in most parsers; of a long value only the beginning is kept.
type collector struct {
	scanner scanner
	values  members
	spans   map[string]span
	path    string
	holding bool
	from    int
}

func newCollector(want []string) *collector {
	return &collector{scanner: scanner{want: want}, values: members{}, spans: map[string]span{}}
}

func (c *collector) write(b []byte) {
	for len(b) > 0 {
		n, at := c.scanner.step(b)
		if c.holding {
			room := min(n, maxValue-len(c.values[c.path]))
			c.values[c.path] = append(c.values[c.path], b[:room]...)
		}
		switch at {
		case valueStart:
			c.path, c.holding, c.from = c.scanner.path(), true, c.scanner.memberAt
			c.values[c.path] = c.values[c.path][:0]
		case valueEnd:
			c.holding = false
			c.spans[c.path] = span{start: c.from, end: c.scanner.pos}
		case closing, nowhere:
		}
		b = b[n:]
	}
}

// reset forgets the text but keeps the memory.
func (c *collector) reset() {
	c.scanner.reset()
	c.holding = false
	for path := range c.values {
		c.values[path] = c.values[path][:0]
	}
	clear(c.spans)
}
