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
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How calls end that have no HTTP status of the upstream.
const (
	statusCancelled   = "cancelled"   // by the client
	statusCut         = "cut"         // by the upstream, in the middle of its answer
	statusUnreachable = "unreachable" // no answer from the upstream
)

// StatusRefused is how calls end that the meter refused.
const StatusRefused = "refused"

// call is one request and its answer.
type call struct {
	meter     *Meter
	route     route
	path      string // below the base URL, escaped
	counted   bool   // its tokens are
	costs     bool   // it may cost energy
	decisions *Decisions
	request   *request
	usage     usage
	answer    *answer
	answerOK  bool
	status    string
	ctx       func() error
	began     time.Time
	held      int64  // bytes of its body that are in memory
	plain     []byte // the body as the client sent it, where the meter changed it to ask for the usage
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

func (m *Meter) newCall(route route, path string, r *http.Request) *call {
	op, known := route.shape.operation(path)
	c := &call{
		meter: m, route: route, path: path,
		counted:   known && r.Method == http.MethodPost,
		costs:     r.Method == http.MethodPost && !isFree(path) || r.Header.Get("Upgrade") != "",
		decisions: m.config.Control.Current(),
		ctx:       r.Context().Err,
		began:     m.config.Now(),
	}
	if !c.counted {
		op = operation{name: opOther}
	}
	c.request = &request{op: op, ask: m.config.AskUsage && !route.reticent.Load()}
	if m.config.Mode == Enforce && c.counted {
		c.request.models = c.decisions.Models
	}
	if op.model != "" {
		c.request.setModel(unescape(op.model))
	}
	return c
}

// isFree says whether a POST asks no model: counting tokens, uploading files, and ending work.
func isFree(path string) bool {
	return slices.ContainsFunc([]string{"/count_tokens", ":countTokens", "/input_tokens", "/files", "/cancel"},
		func(free string) bool { return strings.HasSuffix(path, free) })
}

func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// outgoing is the request with the body that is sent on. The error is that of the client's connection.
func (c *call) outgoing(r *http.Request) (*http.Request, error) {
	out := r.WithContext(context.WithValue(r.Context(), callKey{}, c))
	readable := r.Header.Get("Content-Encoding") == "" && r.ContentLength != 0
	switch {
	case !c.counted || !readable:
	case r.ContentLength > 0 && r.ContentLength <= wholeBody && c.hold(r.ContentLength):
		plain, err := readWhole(r.Body, r.ContentLength)
		if err != nil {
			return nil, err
		}
		setBody(out, changeWhole(plain, c.request))
		if _, _, asked := c.request.facts(); asked {
			c.plain = plain
		}
	default:
		out.Body = newBody(r.Body, c.request)
		if c.request.changes() {
			out.ContentLength = -1
		}
	}
	return out, nil
}

// hold says whether there is room for a body of so many bytes, twice: as it came and as it is sent on.
func (c *call) hold(length int64) bool {
	if c.meter.held.Add(2*length) > wholeBodies {
		c.meter.held.Add(-2 * length)
		return false
	}
	c.held = 2 * length
	return true
}

// forwarded are headers that proxies write, and that a client may have its own reasons to send.
var forwarded = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"}

// direct points a request at the upstream, which sees of it what it would have seen of the client's own.
func (c *call) direct(in, out *http.Request) {
	path := c.path
	if requested, sent, _ := c.request.facts(); c.request.op.model != "" && sent != requested {
		path = c.route.shape.withModel(path, url.PathEscape(sent))
	}
	target := *c.route.upstream
	base := strings.TrimSuffix(target.EscapedPath(), "/")
	if c.route.path == PathOpenAI && strings.HasSuffix(base, "/v1") && strings.HasPrefix(path, "/v1/") {
		path = path[len("/v1"):] // some clients add the version to a base URL, others want it there
	}
	target.RawPath = base + path
	target.Path = unescape(target.RawPath)
	target.RawQuery = in.URL.RawQuery
	for _, name := range forwarded {
		if values, has := in.Header[name]; has {
			out.Header[name] = values
		}
	}
	out.URL, out.Host = &target, ""
	if c.counted {
		// The transport asks for compression itself, and takes it off again.
		out.Header.Del("Accept-Encoding")
	}
}

// answered looks into an answer.
func (c *call) answered(r *http.Response) {
	c.status = strconv.Itoa(r.StatusCode)
	c.answerOK = r.StatusCode >= 200 && r.StatusCode <= 299 || r.StatusCode == http.StatusSwitchingProtocols
	if !c.counted {
		return
	}
	_, _, asked := c.request.facts()
	c.answer = newAnswer(r, c.route.shape, &c.usage, asked)
	r.Body = c.answer
}

// failed tells the client that there is no answer.
func (c *call) failed(w http.ResponseWriter, r *http.Request) {
	c.status = statusUnreachable
	if r.Context().Err() != nil {
		c.status = statusCancelled
	}
	c.tell(w, http.StatusBadGateway, "the meter could not reach "+c.route.upstream.Host)
}

// refuse tells the client that the call may not be made, and that trying again is no use.
func (c *call) refuse(w http.ResponseWriter, reason string) {
	c.status = StatusRefused
	w.Header().Set("X-Should-Retry", "false") // the OpenAI and Anthropic SDKs heed it
	c.tell(w, http.StatusForbidden, reason)
}

func (c *call) tell(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	//nolint:gosec // G705: it is JSON, made by an encoder
	_, _ = w.Write(c.route.shape.problem(status, message)) // a client that left needs no answer
}

// finish counts the call.
func (c *call) finish() {
	if !c.counted && !c.costs {
		return
	}
	if c.answer != nil {
		c.answer.finish()
		c.end()
	}
	requested, sent, _ := c.request.facts()
	kind := Kind{
		Provider: c.route.provider, Operation: c.request.op.name,
		Requested: requested, Effective: c.usage.model, Status: c.status,
		Downgraded: sent != requested,
	}
	if kind.Effective == "" {
		kind.Effective = sent
	}
	c.meter.count(kind, c.tally(requested, sent), c.began)
}

// end corrects the status of an answer that did not come to its end. A client that leaves after it has
// seen everything leaves a complete call.
func (c *call) end() {
	switch {
	case c.answer.ended || c.usage.complete:
	case c.answer.broken && c.ctx() == nil:
		c.status = statusCut
	default:
		c.status = statusCancelled
	}
}

// energy is what the call needed, in kWh, and what it would have needed with the model that was asked for.
func (c *call) energy(requested, sent string, output int64) (kWh, would float64, known bool) {
	of := func(model string) (float64, bool) {
		return c.meter.config.Estimate(c.route.provider, model, output)
	}
	if kWh, known = of(c.usage.model); !known {
		kWh, known = of(sent)
	}
	if would = kWh; sent != requested {
		if asked, is := of(requested); is {
			would = asked
		}
	}
	return kWh, would, known
}

// tally is what the call adds to its line.
func (c *call) tally(requested, sent string) Tally {
	t := Tally{Calls: 1}
	if !c.answerOK {
		return t
	}
	if !c.counted {
		t.UnknownEnergy = 1
		return t
	}
	tokens, complete := c.usage.final()
	t.Tokens = tokens
	if !complete {
		t.Estimated = 1
	}
	kWh, would, known := c.energy(requested, sent, tokens.Output)
	if !known || (!complete && tokens.Output == 0) {
		t.UnknownEnergy = 1
		return t
	}
	t.KWh, t.RequestedKWh = kWh, would
	intensity, trust := c.meter.intensity(c.meter.config.Now())
	t.Nanograms, t.RequestedNanograms = nanograms(t.KWh, intensity), nanograms(t.RequestedKWh, intensity)
	switch trust {
	case assumed:
		t.AssumedKWh = kWh
	case stale:
		t.StaleKWh = kWh
	case told:
	}
	return t
}
