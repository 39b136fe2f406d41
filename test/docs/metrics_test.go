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

package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ecotracker-dev/ecotracker-operator/internal/metrics"
)

// TestEveryMetricThatIsAskedForExists finds the names in the dashboard, the alerts, their tests and the
// documents. That every query has an answer is shown end to end, with a real Prometheus.
func TestEveryMetricThatIsAskedForExists(t *testing.T) {
	exists := map[string]bool{}
	name := regexp.MustCompile(`fqName: "(\w+)"`)
	for _, c := range metrics.Collectors() {
		descs := make(chan *prometheus.Desc, 100)
		c.Describe(descs)
		close(descs)
		for d := range descs {
			exists[name.FindStringSubmatch(d.String())[1]] = true
		}
	}
	asked := regexp.MustCompile(`\becotracker_[a-z_]+[a-z]\b`)
	for file, least := range map[string]int{
		"config/grafana/ecotracker.json": 20, "config/prometheus/rules.yaml": 5, "config/prometheus/rules_test.yaml": 5, "docs/observability.md": 2,
	} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		found := asked.FindAllString(string(text), -1)
		for _, m := range found {
			base := m
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				base = strings.TrimSuffix(base, suffix)
			}
			if !exists[m] && !exists[base] {
				t.Errorf("%s asks for %s, which does not exist", file, m)
			}
		}
		if len(found) < least {
			t.Errorf("%s has only %d metrics", file, len(found))
		}
	}
}
