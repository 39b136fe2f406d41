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
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
)

const (
	// maxLines is how many kinds of calls are told apart; the others are counted together, so that
	// neither a client nor an upstream can grow the memory with names.
	maxLines = 64
	// maxName is the longest name of a model, in bytes; longer ones are cut.
	maxName = 96
	// others stands for the names of the calls that are counted together.
	others = "other"
)

// Kind is what calls have in common that are counted together.
type Kind struct {
	Provider  string `json:"provider"` // gen_ai.provider.name of the OpenTelemetry conventions
	Operation string `json:"op"`       // gen_ai.operation.name
	Requested string `json:"req,omitempty"`
	Effective string `json:"eff,omitempty"` // as the answer names it, else as it was sent on
	// Status is the HTTP status, or cancelled, cut, unreachable or refused.
	Status     string `json:"status"`
	Downgraded bool   `json:"down,omitempty"`
}

// Tally is what calls of a kind add up to.
type Tally struct {
	Calls int64 `json:"calls"`
	Tokens
	// Estimated is the number of calls whose answer did not tell its tokens, or not to its end; their
	// output tokens are the pieces that a stream brought, at least.
	Estimated int64 `json:"estimated,omitempty"`
	// UnknownEnergy is the number of answered calls whose energy is unknown and in no sum.
	UnknownEnergy int64 `json:"unknownEnergy,omitempty"`
	// KWh is the energy, RequestedKWh what the requested model would have used, AssumedKWh the part of
	// KWh that was priced at an assumed intensity because none was known, StaleKWh the part that was priced
	// at one that was over.
	KWh          float64 `json:"kWh,omitempty"`
	RequestedKWh float64 `json:"reqKWh,omitempty"`
	AssumedKWh   float64 `json:"assumedKWh,omitempty"`
	StaleKWh     float64 `json:"staleKWh,omitempty"`
	// Nanograms are the emissions of KWh, RequestedNanograms those of RequestedKWh, in 1e-9 g of CO2e.
	Nanograms          estimate.Nanograms `json:"ng,omitempty"`
	RequestedNanograms estimate.Nanograms `json:"reqNg,omitempty"`
}

// Line is one kind of calls and what they add up to.
type Line struct {
	Kind
	Tally
}

func (t *Tally) add(o Tally) {
	t.Calls += o.Calls
	t.Input += o.Input
	t.Output += o.Output
	t.Cached += o.Cached
	t.Reasoning += o.Reasoning
	t.Estimated += o.Estimated
	t.UnknownEnergy += o.UnknownEnergy
	t.KWh += o.KWh
	t.RequestedKWh += o.RequestedKWh
	t.AssumedKWh += o.AssumedKWh
	t.StaleKWh += o.StaleKWh
	t.Nanograms = Sum(t.Nanograms, o.Nanograms)
	t.RequestedNanograms = Sum(t.RequestedNanograms, o.RequestedNanograms)
}

// Sum adds up emissions; it stops at the largest number, so that nothing that an upstream claims makes
// emissions negative.
func Sum(a, b estimate.Nanograms) estimate.Nanograms {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// nanograms are the emissions of an energy; more than can be told are the most that can.
func nanograms(kWh, gramsPerKWh float64) estimate.Nanograms {
	n, err := estimate.GramsToNano(kWh * gramsPerKWh)
	if err != nil {
		return math.MaxInt64
	}
	return n
}

// Total adds up all lines.
func Total(lines []Line) Tally {
	var total Tally
	for _, line := range lines {
		total.add(line.Tally)
	}
	return total
}

// ledger counts calls.
type ledger struct {
	mu    sync.Mutex
	lines map[Kind]*Tally
	grams estimate.Nanograms // of all lines
}

func newLedger(lines []Line) *ledger {
	l := &ledger{lines: map[Kind]*Tally{}}
	for _, line := range lines {
		l.add(line.Kind, line.Tally)
	}
	return l
}

// add counts calls and returns the kind that they are counted as.
func (l *ledger) add(k Kind, t Tally) Kind {
	k.Requested, k.Effective = tidy(k.Requested), tidy(k.Effective)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.grams = Sum(l.grams, t.Nanograms)
	if l.lines[k] == nil {
		if len(l.lines) >= maxLines-1 {
			k = theOthers
		}
		if l.lines[k] == nil {
			l.lines[k] = &Tally{}
		}
	}
	l.lines[k].add(t)
	return k
}

// theOthers is the kind of the calls that are counted together for want of room.
var theOthers = Kind{Provider: others, Operation: others, Requested: others, Effective: others, Status: others}

func (l *ledger) emitted() estimate.Nanograms {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.grams
}

// snapshot lists the lines, those with most calls first.
func (l *ledger) snapshot() []Line {
	l.mu.Lock()
	lines := make([]Line, 0, len(l.lines))
	for k, t := range l.lines {
		lines = append(lines, Line{Kind: k, Tally: *t})
	}
	l.mu.Unlock()
	slices.SortFunc(lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), strings.Compare(a.name(), b.name()))
	})
	return lines
}

func (k Kind) name() string {
	return strings.Join([]string{k.Provider, k.Operation, k.Requested, k.Effective, k.Status}, " ")
}

// tidy makes a name fit for logs and metrics.
func tidy(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == '"' || r == '\\' {
			return '_'
		}
		return r
	}, name)
	return clean[:min(len(clean), maxName)]
}
