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

package controller

import (
	"reflect"

	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// burns takes over how a job emits while it runs; nil when it does not.
func (l *Ledger) burns(caj *carbonv1alpha1.CarbonAwareJob, as *burn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.space(caj.Namespace)
	b := s.jobs[caj.UID]
	if b == nil {
		return
	}
	was := b.burn
	b.burn = as
	if reflect.DeepEqual(was, as) {
		return
	}
	for _, a := range s.matching(b.labels) {
		if a.terminates { // it may be used up sooner
			s.news(a.name)
		}
	}
}

// exhaust says whether the limit of a budget that terminates is reached.
func (l *Ledger) exhaust(key types.NamespacedName, is bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.space(key.Namespace)
	if a := s.budgets[key.Name]; a != nil {
		if a.exhausted && !is {
			s.freed = true
			s.news(key.Name) // those who are held were tried before
		}
		a.exhausted = is
	}
}

// exhausted is a budget that terminates, is used up and counts the job; empty when there is none.
func (l *Ledger) exhausted(caj *carbonv1alpha1.CarbonAwareJob) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.space(caj.Namespace)
	b := s.jobs[caj.UID]
	if b == nil {
		return ""
	}
	return s.exhausted(b)
}

func (s *space) exhausted(b *booking) string {
	for _, a := range s.matching(b.labels) {
		if a.exhausted {
			return a.name
		}
	}
	return ""
}

func (s *space) anyExhausted() bool {
	for _, a := range s.budgets {
		if a.exhausted {
			return true
		}
	}
	return false
}
