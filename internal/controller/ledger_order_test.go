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
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// A cache that lags behind the budget's own write must not make room of what deleted jobs have used.
func TestBudgetFromACacheThatLags(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	ledger := &Ledger{loaded: true, spaces: map[string]*space{}}
	old := build.CarbonBudget("team", "ns", "100").Obj()
	old.ResourceVersion = "99"
	ledger.setBudget(old, now)
	caj := build.CarbonAwareJob("x", "ns").Obj()
	caj.UID = "uid"
	caj.Status.Emissions = &carbonv1alpha1.EmissionsStatus{ActualGrams: "60"}
	setCondition(&caj.Status.Conditions, now, 1, carbonv1alpha1.ConditionComplete, metav1.ConditionTrue, "Completed", "")
	ledger.note(caj)

	written := old.DeepCopy()
	written.ResourceVersion = "100"
	written.Status.Settled = &carbonv1alpha1.SettledTotal{ConsumedGrams: "60", Jobs: 1}
	written.Status.Settling = []carbonv1alpha1.SettlingJob{{UID: "uid", Grams: "60"}}
	ledger.setBudget(written, now)
	ledger.forget(types.NamespacedName{Namespace: "ns", Name: "x"})
	ledger.setBudget(old, now)
	next := build.CarbonAwareJob("y", "ns").Obj()
	next.UID = "next"
	if v := ledger.reserve(next, 50e9, now); v.held == nil {
		t.Error("50 g were granted where 40 are left")
	}
}

// A reservation is not given back while the start is under way that it was made for, and no start begins
// once it is.
func TestReservationIsGivenBackOrUsed(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	ledger := &Ledger{loaded: true, spaces: map[string]*space{}}
	ledger.setBudget(build.CarbonBudget("team", "ns", "100").Obj(), now)
	caj := build.CarbonAwareJob("x", "ns").Obj()
	caj.UID = "uid"
	ledger.reserve(caj, 60e9, now)
	caj.Status.ReservedGrams = "60"
	ledger.note(caj)

	if !ledger.begin(caj) || ledger.bar(caj) {
		t.Error("given back while the start is under way")
	}
	ledger.end(caj)
	if !ledger.bar(caj) || ledger.begin(caj) {
		t.Error("started while it is given back")
	}
	stale := caj.DeepCopy()
	caj.Status.ReservedGrams = ""
	ledger.release(caj)
	ledger.note(caj)
	if ledger.begin(stale) {
		t.Error("started by a reservation that was given back")
	}
	next := build.CarbonAwareJob("y", "ns").Obj()
	next.UID = "next"
	if v := ledger.reserve(next, 100e9, now); v.held != nil {
		t.Errorf("the room is not there again: %s", v.held.message())
	}
}
