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
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
)

const (
	// wholeBody is up to which length a request's body is read as a whole, so that it is sent on with
	// its length; a longer one is changed while it flows.
	wholeBody = 1 << 20
	// wholeBodies is how much may be held so at the same time, in bytes. Beyond it, bodies flow.
	wholeBodies = 8 << 20
	pieceSize   = 8 << 10
)

// request is what the meter learns from a request while its body flows by. The transport reads the
// body in a goroutine of its own.
type request struct {
	op     operation
	models map[string]string // requested to effective; nil when nothing is to be rewritten
	ask    bool              // ask a stream for its usage

	mu        sync.Mutex
	requested string // the model that the client asked for
	sent      string // the model that was asked of the upstream
	stream    bool
	options   bool // the client sent stream_options
	asked     bool // the meter asked for the usage, the client did not
}

// facts are the requested model, the one that was sent on, and whether the meter asked for a usage
// that the client does not expect.
func (r *request) facts() (requested, sent string, asked bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requested, r.sent, r.asked
}

// setModel notes the requested model and returns the one to use.
func (r *request) setModel(model string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requested, r.sent = model, model
	if effective := r.models[model]; effective != "" {
		r.sent = effective
	}
	return r.sent
}

// changes says whether the body may have to be changed.
func (r *request) changes() bool {
	return r.ask && r.op.asksUsage || r.op.model == "" && len(r.models) > 0
}

// wants lists the members of the body that edit looks at.
func (r *request) wants() []string {
	return []string{"model", "stream", "stream_options"}
}

// edit returns the value that replaces one of the body's members.
func (r *request) edit(path string, value []byte) []byte {
	switch path {
	case "model":
		var model string
		if r.op.model != "" || json.Unmarshal(value, &model) != nil {
			return value
		}
		if sent := r.setModel(model); sent != model {
			return encode(sent)
		}
	case "stream":
		r.mu.Lock()
		r.stream = string(value) == "true"
		r.mu.Unlock()
	case "stream_options":
		return r.editOptions(value)
	}
	return value
}

// editOptions turns include_usage on. Without stream_options there is none to edit: see tail.
func (r *request) editOptions(value []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.options = true
	var options map[string]json.RawMessage
	if !r.ask || !r.op.asksUsage || json.Unmarshal(value, &options) != nil || options == nil {
		return value
	}
	if string(options["include_usage"]) == "true" {
		return value
	}
	options["include_usage"] = json.RawMessage("true")
	r.asked = true
	return encode(options)
}

// tail is what is added at the end of the body's object.
func (r *request) tail() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ask || !r.op.asksUsage || !r.stream || r.options {
		return ""
	}
	r.asked = true
	return `,"stream_options":{"include_usage":true}`
}

// body reads a request's body, changed as request.edit says, in memory that does not grow with it.
type body struct {
	io.Closer

	source  io.Reader
	request *request
	scanner scanner
	in      []byte
	buffer  []byte
	out     []byte // ready to be read, in the buffer
	held    []byte // the beginning of a value that may be replaced
	holding bool
	err     error
}

func newBody(source io.ReadCloser, r *request) *body {
	return &body{Closer: source, source: source, request: r, scanner: scanner{want: r.wants()}}
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	for len(b.out) == 0 && b.err == nil {
		if b.in == nil {
			b.in = make([]byte, pieceSize)
		}
		var n int
		n, b.err = b.source.Read(b.in)
		b.buffer = b.change(b.buffer[:0], b.in[:n])
		if b.err != nil {
			b.buffer = append(b.buffer, b.held...)
			b.held = nil
		}
		b.out = b.buffer
	}
	n := copy(p, b.out)
	b.out = b.out[n:]
	if n == 0 && len(p) > 0 {
		return 0, b.err
	}
	return n, nil
}

// change appends the changed piece to out.
func (b *body) change(out, piece []byte) []byte {
	for len(piece) > 0 {
		n, at := b.scanner.step(piece)
		if b.holding {
			b.held = append(b.held, piece[:n]...)
		} else {
			out = append(out, piece[:n]...)
		}
		piece = piece[n:]
		switch at {
		case valueStart:
			b.holding = true
		case valueEnd:
			if b.holding {
				out = append(out, b.request.edit(b.scanner.path(), b.held)...)
				b.held, b.holding = b.held[:0], false
			}
		case closing:
			out = append(out, b.request.tail()...)
		case nowhere:
			if len(b.held) > maxValue { // no value that the meter knows is as long
				out = append(out, b.held...)
				b.held, b.holding = b.held[:0], false
			}
		}
	}
	return out
}

// readWhole reads a short body. The error is that of the client's connection.
func readWhole(source io.ReadCloser, length int64) ([]byte, error) {
	defer func() { _ = source.Close() }()
	whole := make([]byte, length)
	if _, err := io.ReadFull(source, whole); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return whole, nil
}

// changeWhole is a whole body, changed as request.edit says.
func changeWhole(whole []byte, r *request) []byte {
	b := newBody(http.NoBody, r)
	changed := b.change(make([]byte, 0, len(whole)+64), whole)
	return append(changed, b.held...)
}

// setBody gives a request a body that can be sent more than once.
func setBody(r *http.Request, body []byte) {
	r.ContentLength = int64(len(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.Body = io.NopCloser(bytes.NewReader(body))
}
