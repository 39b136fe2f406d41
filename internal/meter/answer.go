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
	"errors"
	"io"
	"mime"
	"net/http"
)

// answer is the body of an upstream's answer: it passes it on as it arrives and reads the usage.
type answer struct {
	io.ReadCloser

	observe func(piece []byte)
	finish  func()
	hide    *hider // nil when the client sees everything
	in      []byte
	buffer  []byte
	out     []byte // ready to be read, in the buffer
	err     error
	ended   bool // it was read to its end
	broken  bool // the upstream ended it too early
}

// newAnswer looks into an answer of the call. Only a successful one tells a usage.
func newAnswer(response *http.Response, s shape, u *usage, hide bool) *answer {
	a := &answer{ReadCloser: response.Body, observe: func([]byte) {}, finish: func() {}}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return a
	}
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil {
		kind = ""
	}
	read := func(m members) { s.read(m, u) }
	data := newCollector(s.want())
	if kind == "text/event-stream" {
		stream := &events{data: data, event: read}
		a.observe, a.finish = stream.write, stream.finish
		if hide {
			a.hide = newHider()
			response.Header.Del("Content-Length")
			response.ContentLength = -1
		}
		return a
	}
	a.observe = data.write
	a.finish = func() { read(data.values) }
	return a
}

// Read implements io.Reader.
func (a *answer) Read(p []byte) (int, error) {
	if a.hide == nil {
		n, err := a.ReadCloser.Read(p)
		a.observe(p[:n])
		a.note(err)
		return n, err
	}
	for len(a.out) == 0 && a.err == nil {
		if a.in == nil {
			a.in = make([]byte, pieceSize)
		}
		var n int
		n, a.err = a.ReadCloser.Read(a.in)
		a.observe(a.in[:n])
		a.buffer = a.hide.write(a.buffer[:0], a.in[:n])
		if a.err != nil {
			a.buffer = append(a.buffer, a.hide.rest()...)
		}
		a.out = a.buffer
		a.note(a.err)
	}
	n := copy(p, a.out)
	a.out = a.out[n:]
	if n == 0 && len(p) > 0 {
		return 0, a.err
	}
	return n, nil
}

func (a *answer) note(err error) {
	if err != nil {
		a.ended = errors.Is(err, io.EOF)
		a.broken = !a.ended
	}
}
