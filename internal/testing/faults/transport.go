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

// Package faults lets requests to the API server fail as they do in real life, on purpose and at a
// chosen request. It works under unmodified clients, as the transport of a rest.Config or behind a
// proxy in front of a real process.
package faults

import (
	"net/http"
	"strings"
	"sync"
)

// Fault carries out one request in its own way. The request's answer, if any, comes from next.
type Fault func(next http.RoundTripper, r *http.Request) (*http.Response, error)

// Rule says which requests meet a fault.
type Rule struct {
	// Match selects requests; nil selects all writes.
	Match func(*http.Request) bool
	// From and To are the first and the last of the selected requests, from 1, that meet the fault.
	// A To of 0 is From itself; both 0 are all of them.
	From, To int
	Fault    Fault

	seen int
}

// Transport is an http.RoundTripper that follows rules and remembers the writes that it carried.
// The first rule that fits counts.
type Transport struct {
	next http.RoundTripper

	mu     sync.Mutex
	rules  []*Rule
	counts func(*http.Request) bool
	writes []string
	dead   bool
}

// New makes a transport over next. It remembers those writes that counts selects; all when nil.
func New(next http.RoundTripper, counts func(*http.Request) bool) *Transport {
	return &Transport{next: next, counts: counts}
}

// Over puts the transport over another one: the form that rest.Config.WrapTransport wants.
func (t *Transport) Over(next http.RoundTripper) http.RoundTripper {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next = next
	return t
}

// Script replaces the rules and counts anew.
func (t *Transport) Script(rules ...Rule) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rules, t.writes = nil, nil
	for i := range rules {
		t.rules = append(t.rules, &rules[i])
	}
}

// Die makes every request from now on fail before it is sent, as those of a process that is dead.
func (t *Transport) Die() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dead = true
}

// Writes are the writes seen since the last script, in their order: "PATCH jobs/x".
func (t *Transport) Writes() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string{}, t.writes...)
}

// RoundTrip carries a request as the rules say.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	fault, next := t.pick(r)
	if fault == nil {
		return next.RoundTrip(r)
	}
	return fault(next, r)
}

func (t *Transport) pick(r *http.Request) (Fault, http.RoundTripper) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dead {
		return FailBefore, t.next
	}
	if IsWrite(r) && (t.counts == nil || t.counts(r)) {
		t.writes = append(t.writes, Describe(r))
	}
	for _, rule := range t.rules {
		if rule.meets(r) {
			return rule.Fault, t.next
		}
	}
	return nil, t.next
}

// meets counts a request that the rule selects, and says whether it meets the fault.
func (r *Rule) meets(request *http.Request) bool {
	match := r.Match
	if match == nil {
		match = IsWrite
	}
	if !match(request) {
		return false
	}
	r.seen++
	if r.From == 0 && r.To == 0 {
		return true
	}
	return r.seen >= r.From && r.seen <= max(r.From, r.To)
}

// IsWrite says whether the request changes something.
func IsWrite(r *http.Request) bool {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	default:
		return false
	}
}

// Describe is a request's method and the part of its path after the namespace.
func Describe(r *http.Request) string {
	path := r.URL.Path
	if _, after, found := strings.Cut(path, "/namespaces/"); found {
		if _, resource, found := strings.Cut(after, "/"); found {
			path = resource
		}
	}
	return r.Method + " " + path
}

// OfLife selects the writes that make up the lives of jobs in a namespace: those of their Jobs and
// of themselves, and not events, leases or regions.
func OfLife(namespace string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		_, rest, found := strings.Cut(r.URL.Path, "/namespaces/"+namespace+"/")
		return found && IsWrite(r) && (strings.HasPrefix(rest, "jobs") || strings.HasPrefix(rest, "carbonawarejobs"))
	}
}

// Watching selects the watches of a resource, for example "jobs".
func Watching(resource string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/"+resource) && r.URL.Query().Get("watch") != ""
	}
}
