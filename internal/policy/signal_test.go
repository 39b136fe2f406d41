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
	"strings"
	"testing"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

func ofSignal(s forecast.Signal, r Region) Region {
	r.Signal = s
	return r
}

func TestSignalsAreNeverCompared(t *testing.T) {
	average := ofSignal(forecast.Average, region("gb", 200, 190, 180, 170))
	greener := ofSignal(forecast.Marginal, region("us", 20, 10, 20, 20))
	tests := map[string]struct {
		regions []Region
		region  string
		why     []string // by region; what its exclusion says
	}{
		"an average home": {
			[]Region{average, greener},
			"gb",
			[]string{"", "region us has marginal intensities, gb has average ones: they cannot be compared"},
		},
		"a marginal home": {
			[]Region{greener, average, ofSignal(forecast.Marginal, region("pjm", 5, 5, 5, 5))},
			"pjm",
			[]string{"", "region gb has average intensities, us has marginal ones", ""},
		},
		"a home that does not exist": {[]Region{excluded("de"), greener, average}, "us", []string{"de does not exist", "", "region gb has average"}},
		"another reason counts first": {
			[]Region{average, ofSignal(forecast.Marginal, excluded("us"))}, "gb", []string{"", "us does not exist"},
		},
		"a home that is excluded is the home all the same": {
			[]Region{ofSignal(forecast.Average, excluded("gb")), greener}, "", []string{"gb does not exist", "region us has marginal"},
		},
	}
	for name, tt := range tests {
		r := request(tt.regions...)
		plan := Choose(r)
		if plan.Region != tt.region {
			t.Errorf("%s: chose %q, want %q", name, plan.Region, tt.region)
		}
		for i, c := range plan.Candidates {
			if (c.Excluded == "") != (tt.why[i] == "") || !strings.Contains(c.Excluded, tt.why[i]) {
				t.Errorf("%s: %s is excluded because %q, want %q", name, c.Region, c.Excluded, tt.why[i])
			}
		}
		if r.Regions[1].Excluded != tt.regions[1].Excluded {
			t.Errorf("%s: the request itself was changed", name)
		}
	}
}
