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

import (
	"bytes"
	"slices"
)

// maxEvent is how much of an event is held back to be looked at as a whole. The events that are
// changed have some hundred bytes.
const maxEvent = 64 << 10

// events reads a stream of server-sent events that arrives in pieces and calls back with the wanted
// members of each event's data, in memory that does not grow.
// See https://html.spec.whatwg.org/multipage/server-sent-events.html.
type events struct {
	data  *collector
	event func(members)

	field  []byte // the beginning of a line, as long as it may be "data:"
	inData bool   // in a line of data
	skip   bool   // in another line
	some   bool   // the event has data
	cr     bool   // the last byte was a carriage return
}

var dataField = []byte("data:")

func (e *events) write(b []byte) {
	for len(b) > 0 {
		if c := b[0]; c == '\n' || c == '\r' {
			if c == '\r' || !e.cr { // a pair is one line end
				e.endLine()
			}
			e.cr = c == '\r'
			b = b[1:]
			continue
		}
		e.cr = false
		end := bytes.IndexAny(b, "\r\n")
		if end < 0 {
			end = len(b)
		}
		e.line(b[:end])
		b = b[end:]
	}
}

// line reads a piece of a line.
func (e *events) line(piece []byte) {
	if !e.inData && !e.skip {
		n := min(len(piece), len(dataField)-len(e.field))
		e.field = append(e.field, piece[:n]...)
		piece = piece[n:]
		e.skip = !bytes.HasPrefix(dataField, e.field)
		e.inData = len(e.field) == len(dataField) && !e.skip
	}
	if e.inData {
		e.some = true
		e.data.write(piece)
	}
}

func (e *events) endLine() {
	blank := len(e.field) == 0 && !e.inData && !e.skip
	switch {
	case e.inData:
		e.data.write([]byte{'\n'})
	case blank:
		e.finish()
	}
	e.field, e.inData, e.skip = e.field[:0], false, false
}

// finish ends an event, also the last one, which may lack its blank line.
func (e *events) finish() {
	if e.some {
		e.event(e.data.values)
	}
	e.data.reset()
	e.some = false
}

// hider takes out of a stream of chat completions what the client did not ask for: "usage":null in
// each event, and the event that only carries the usage. It holds back one event at a time.
type hider struct {
	data    *collector
	pending []byte // an event that is not complete
	through bool   // this event is too long to be looked at
}

func newHider() *hider { return &hider{data: newCollector([]string{"usage", "choices"})} }

// write appends to out what the client may see of the piece.
func (h *hider) write(out, piece []byte) []byte {
	for len(piece) > 0 {
		from := max(0, len(h.pending)-3)
		h.pending = append(h.pending, piece...)
		end := endOfEvent(h.pending, from)
		if end < 0 {
			if h.through || len(h.pending) > maxEvent {
				// Keep what may be the first half of the event's end.
				keep := min(3, len(h.pending))
				out = append(out, h.pending[:len(h.pending)-keep]...)
				h.pending = append(h.pending[:0], h.pending[len(h.pending)-keep:]...)
				h.through = true
			}
			return out
		}
		event := h.pending[:end]
		if !h.through {
			event = h.visible(event)
		}
		out = append(out, event...)
		piece = bytes.Clone(h.pending[end:])
		h.pending, h.through = h.pending[:0], false
	}
	return out
}

// rest is what is left at the end of the stream.
func (h *hider) rest() []byte { return h.pending }

// endOfEvent is the index behind the first blank line, -1 if there is none at or after from.
func endOfEvent(b []byte, from int) int {
	first := -1
	for _, blank := range []string{"\n\n", "\r\n\r\n", "\r\r"} {
		if i := bytes.Index(b[from:], []byte(blank)); i >= 0 && (first < 0 || from+i+len(blank) < first) {
			first = from + i + len(blank)
		}
	}
	return first
}

// visible is the event as the client would have got it.
func (h *hider) visible(event []byte) []byte {
	start := len(dataField)
	if !bytes.HasPrefix(event, dataField) {
		line := bytes.Index(event, []byte("\ndata:"))
		if line < 0 {
			return event
		}
		start += line + 1
	}
	text := event[start:]
	h.data.reset()
	h.data.write(text)
	at, ok := h.data.spans["usage"]
	if !ok {
		return event
	}
	if string(h.data.values["usage"]) == "null" {
		return slices.Concat(event[:start+at.start], text[cutEnd(text, at):])
	}
	if _, ok := h.data.spans["choices"]; ok && !hasElements(h.data.values["choices"]) {
		return nil
	}
	return event
}

// cutEnd is where the text goes on when a member is taken out. The first member of an object has no
// comma before it, so the one behind it goes too.
func cutEnd(text []byte, at span) int {
	if text[at.start] == ',' {
		return at.end
	}
	rest := text[at.end:]
	trimmed := bytes.TrimLeft(rest, " \n\r\t")
	if len(trimmed) > 0 && trimmed[0] == ',' {
		return at.end + len(rest) - len(trimmed) + 1
	}
	return at.end
}
