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

package policy

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
)

func TestBudgetFits(t *testing.T) {
	for _, row := range []struct {
		name    string
		budget  Budget
		grams   estimate.Nanograms
		fits    bool
		uses80  bool
		remains estimate.Nanograms
	}{
		{name: "empty", budget: Budget{Limit: 100}, grams: 100, fits: true, remains: 100},
		{name: "a nanogram too much", budget: Budget{Limit: 100}, grams: 101, remains: 100},
		{name: "all used", budget: Budget{Limit: 100, Consumed: 60, Reserved: 40}, grams: 1, uses80: true},
		{name: "80 percent", budget: Budget{Limit: 100, Consumed: 40, Reserved: 40}, grams: 20, fits: true, uses80: true, remains: 20},
		{name: "79 percent", budget: Budget{Limit: 100, Consumed: 79}, grams: 21, fits: true, remains: 21},
		{name: "overdrawn", budget: Budget{Limit: 100, Consumed: 150}, grams: 0, uses80: true, remains: -50},
		{name: "of nothing", budget: Budget{}, grams: 1, uses80: true},
		{name: "beyond what can be told", budget: Budget{Limit: 100, Consumed: math.MaxInt64, Reserved: math.MaxInt64}, grams: 1, uses80: true, remains: -math.MaxInt64},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := row.budget
			if !b.Fits(math.MaxInt64) {
				t.Error("a budget that only warns must let everything through")
			}
			b.Enforced = true
			if got := b.Fits(row.grams); got != row.fits {
				t.Errorf("fits %d: %t, want %t", row.grams, got, row.fits)
			}
			if got := b.Uses(80); got != row.uses80 {
				t.Errorf("uses 80 percent: %t, want %t", got, row.uses80)
			}
			if got := b.Remaining(); got != row.remains {
				t.Errorf("remaining %d, want %d", got, row.remains)
			}
		})
	}
}

func TestAdmitOldestFirst(t *testing.T) {
	at := func(minutes int) time.Time { return time.Unix(0, 0).Add(time.Duration(minutes) * time.Minute) }
	claims := []Claim{
		{UID: "late", Start: at(9), Grams: 10, Budgets: []int{0}},
		{UID: "b", Start: at(5), Grams: 10, Budgets: []int{0}},
		{UID: "a", Start: at(5), Grams: 10, Budgets: []int{0}},
		{UID: "large", Start: at(1), Grams: 50, Budgets: []int{0}},
		{UID: "both", Start: at(2), Grams: 10, Budgets: []int{0, 1}},
		{UID: "other", Start: at(3), Grams: 10, Budgets: []int{1}},
	}
	got := Admit(claims, []Budget{{Limit: 20, Enforced: true}, {Limit: 5, Enforced: true}})
	var names []string
	for _, c := range got {
		names = append(names, c.UID)
	}
	// The large one never fits, and the one in two budgets takes nothing where only one has room.
	if want := []string{"a", "b"}; !slices.Equal(names, want) {
		t.Errorf("granted %v, want %v", names, want)
	}
}

// Whatever is asked: no enforced budget is overdrawn by what is granted, nothing that was passed over
// would have fitted at its turn, and the order of the input makes no difference.
func TestAdmitNeverOverspends(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		budgets := make([]Budget, 1+random.IntN(4))
		for i := range budgets {
			budgets[i] = Budget{
				Limit: estimate.Nanograms(random.Int64N(100)), Consumed: estimate.Nanograms(random.Int64N(60)),
				Reserved: estimate.Nanograms(random.Int64N(60)), Enforced: random.IntN(4) > 0,
			}
		}
		claims := make([]Claim, random.IntN(12))
		for i := range claims {
			claims[i] = Claim{UID: fmt.Sprint(i), Start: time.Unix(random.Int64N(5), 0), Grams: estimate.Nanograms(random.Int64N(40))}
			for b := range budgets {
				if random.IntN(2) == 0 {
					claims[i].Budgets = append(claims[i].Budgets, b)
				}
			}
		}
		granted := Admit(claims, budgets)
		after := slices.Clone(budgets)
		for _, c := range granted {
			for _, b := range c.Budgets {
				if !after[b].Fits(c.Grams) {
					t.Fatalf("claim %+v does not fit into %+v\nclaims %+v\nbudgets %+v", c, after[b], claims, budgets)
				}
				after[b].Reserved += c.Grams
			}
		}
		for _, c := range claims {
			passedOver := !slices.ContainsFunc(granted, func(g Claim) bool { return g.UID == c.UID })
			if passedOver && !slices.ContainsFunc(c.Budgets, func(b int) bool { return !after[b].Fits(c.Grams) }) {
				t.Fatalf("claim %+v would fit even at the end\nclaims %+v\nbudgets %+v", c, claims, budgets)
			}
		}
		random.Shuffle(len(claims), func(i, j int) { claims[i], claims[j] = claims[j], claims[i] })
		again := Admit(claims, budgets)
		if !slices.EqualFunc(granted, again, func(a, b Claim) bool { return a.UID == b.UID }) {
			t.Fatalf("granted %+v, and in another order %+v", granted, again)
		}
	}
}
