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
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Mode says how far the meter goes.
type Mode string

// The modes.
const (
	// Observe counts calls and changes none.
	Observe Mode = "Observe"
	// Enforce also rewrites models and refuses calls, as it is told to.
	Enforce Mode = "Enforce"
)

// The paths below which the meter stands in for a provider. A base URL is the meter's address and one
// of them; what follows it is added to the upstream's base URL.
const (
	PathOpenAI    = "/openai"
	PathAzure     = "/azure"
	PathAnthropic = "/anthropic"
	PathGemini    = "/gemini"
)

// UpstreamVariable is the environment variable from which the base URL behind a path is read.
func UpstreamVariable(path string) string {
	return "METER_UPSTREAM_" + strings.ToUpper(strings.TrimPrefix(path, "/"))
}

// Config is what a meter needs.
type Config struct {
	// Upstreams are the providers' base URLs by path. Paths without one are not served.
	Upstreams map[string]*url.URL
	Mode      Mode
	// AskUsage asks OpenAI streams for their usage where the client did not, and keeps it from the client.
	AskUsage bool
	Control  *Control
	// Estimate is the energy of a call in kWh; false when the model is unknown.
	Estimate func(provider, model string, outputTokens int64) (kWh float64, known bool)
	// AssumedIntensity in gCO2e/kWh prices calls while no intensity is known.
	AssumedIntensity float64
	// Now is the time.
	Now func() time.Time
	// Lines are the counts of before a restart.
	Lines     []Line
	Transport http.RoundTripper
	Log       *slog.Logger
	// Changed is called after each call; it must not block.
	Changed func()
	// Observe, where set, gets each call that is over, counted as its line, and how long it took. It must
	// not block.
	Observe func(line Line, took time.Duration)
}

// Meter is a reverse proxy for the APIs of LLM providers that counts what passes through it.
type Meter struct {
	config   Config
	routes   []route
	proxy    *httputil.ReverseProxy
	ledger   *ledger
	inFlight atomic.Int64
	held     atomic.Int64 // bytes of bodies that are held as a whole
	calls    sync.WaitGroup
}

type route struct {
	path     string
	provider string // gen_ai.provider.name of the OpenTelemetry conventions
	shape    shape
	upstream *url.URL
	// reticent says that the upstream refuses to be asked for its usage.
	reticent *atomic.Bool
}

// New is a meter; an error for an upstream that is not an http or https URL.
func New(config Config) (*Meter, error) {
	m := &Meter{config: config, ledger: newLedger(config.Lines)}
	for _, r := range []route{
		{path: PathOpenAI, provider: "openai", shape: openAI{}},
		{path: PathAzure, provider: "azure.ai.openai", shape: openAI{azure: true}},
		{path: PathAnthropic, provider: "anthropic", shape: anthropic{}},
		{path: PathGemini, provider: "gcp.gemini", shape: gemini{}},
	} {
		r.upstream = config.Upstreams[r.path]
		if r.upstream == nil {
			continue
		}
		if (r.upstream.Scheme != "https" && r.upstream.Scheme != "http") || r.upstream.Host == "" {
			return nil, fmt.Errorf("the upstream of %s has to be an http or https URL with a host", r.path)
		}
		r.reticent = &atomic.Bool{}
		m.routes = append(m.routes, r)
	}
	m.proxy = &httputil.ReverseProxy{
		Rewrite:        func(p *httputil.ProxyRequest) { callOf(p.In.Context()).direct(p.In, p.Out) },
		ModifyResponse: func(r *http.Response) error { callOf(r.Request.Context()).answered(r); return nil },
		ErrorHandler:   func(w http.ResponseWriter, r *http.Request, _ error) { callOf(r.Context()).failed(w, r) },
		FlushInterval:  -1, // at once
		BufferPool:     buffers{},
		Transport:      asking{config.Transport},
		ErrorLog:       slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelError), // its messages may tell URLs
	}
	return m, nil
}

// buffers lends the buffers through which answers are copied.
type buffers struct{}

var bufferPool = sync.Pool{New: func() any { return new([pieceSize]byte) }}

func (buffers) Get() []byte { return bufferPool.Get().(*[pieceSize]byte)[:] }

func (buffers) Put(b []byte) { bufferPool.Put((*[pieceSize]byte)(b)) }

// dialTimeout is how long an upstream may take to accept a connection. The client's own limit cannot
// tell: it is connected to the meter at once.
const dialTimeout = 10 * time.Second

// maxHeader is how long the header of an answer may be, in bytes. The clients of Node.js and Python refuse
// such a long one as well.
const maxHeader = 128 << 10

// NewTransport is a transport to upstreams: HTTP/2 where they speak it, compressed where they can, as
// many connections as the client has, through the proxy that the environment names. Only connecting has
// a limit of time, since a model may think for long and the client has limits of its own.
func NewTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        50 * time.Second,
		TLSHandshakeTimeout:    dialTimeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxHeader,
		// A connection that died in silence must not take all calls of the next minutes with it.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
}

// ServeHTTP passes a call on, unless it is refused, and counts it.
func (m *Meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, route := range m.routes {
		rest, ok := strings.CutPrefix(r.URL.EscapedPath(), route.path)
		if ok && (rest == "" || rest[0] == '/') {
			m.serve(w, r, m.newCall(route, rest, r))
			return
		}
	}
	http.Error(w, "the meter serves /openai, /azure, /anthropic and /gemini, where it has an upstream for them", http.StatusNotFound)
}

func (m *Meter) serve(w http.ResponseWriter, r *http.Request, c *call) {
	m.inFlight.Add(1)
	m.calls.Add(1)
	defer m.calls.Done()
	defer func() {
		m.inFlight.Add(-1)
		m.held.Add(-c.held)
		c.finish()
	}()
	if reason := m.refusal(c); reason != "" {
		if r.Header.Get("Expect") == "" { // a client that is still sending might not see the answer
			_, _ = io.Copy(io.Discard, r.Body)
		}
		c.refuse(w, reason)
		return
	}
	out, err := c.outgoing(r)
	if err != nil {
		c.status = statusCancelled
		panic(http.ErrAbortHandler) // the client did not send what it had announced
	}
	m.proxy.ServeHTTP(w, out)
}

// refusal says why the call may not be made; empty when it may.
func (m *Meter) refusal(c *call) string {
	if m.config.Mode != Enforce || !c.costs {
		return ""
	}
	emitted, limit := m.ledger.emitted(), c.decisions.MaxGrams
	switch {
	case c.decisions.Open:
		return fmt.Sprintf("carbon budget exceeded: this job has used up its grams of CO2e (%s g in this pod), further calls are refused", emitted)
	case limit != nil && emitted >= *limit:
		return fmt.Sprintf("carbon budget exceeded: %s g of CO2e used, %s g allowed, further calls are refused", emitted, *limit)
	}
	return ""
}

// trust says how an intensity is known.
type trust int

const (
	told trust = iota
	// stale: it was told, and the time that it holds for is over.
	stale
	// assumed: none was told.
	assumed
)

// lateNews is how long after its end an intensity still holds: the kubelet passes a new one on with the
// delay of a minute or so.
const lateNews = 3 * time.Minute

// intensity is that at which calls are priced that end now, in gCO2e/kWh.
func (m *Meter) intensity(now time.Time) (float64, trust) {
	d := m.config.Control.Current()
	switch {
	case math.IsNaN(d.Intensity):
		return m.config.AssumedIntensity, assumed
	case !d.Until.IsZero() && now.After(d.Until.Add(lateNews)):
		return d.Intensity, stale
	}
	return d.Intensity, told
}

// count takes a call that is over into the ledger, and tells who wants to know.
func (m *Meter) count(kind Kind, t Tally, began time.Time) {
	kind = m.ledger.add(kind, t)
	m.config.Changed()
	if m.config.Observe != nil {
		m.config.Observe(Line{Kind: kind, Tally: t}, m.config.Now().Sub(began))
	}
}

// Wait returns when all calls are counted. No call may come any more.
func (m *Meter) Wait() { m.calls.Wait() }

// Report is what was counted so far, those lines first that have the most calls.
func (m *Meter) Report() Report {
	return Report{Lines: m.ledger.snapshot(), Open: m.open(m.config.Control.Current())}
}

// Lines are the counts so far, those with most calls first.
func (m *Meter) Lines() []Line { return m.ledger.snapshot() }

// open says whether the breaker is open.
func (m *Meter) open(d *Decisions) bool {
	return m.config.Mode == Enforce && (d.Open || d.MaxGrams != nil && m.ledger.emitted() >= *d.MaxGrams)
}

// Idle says whether the breaker is open and no call is under way any more.
func (m *Meter) Idle() bool {
	return m.inFlight.Load() == 0 && m.open(m.config.Control.Current())
}
