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
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// Every default downgrade stands in the guide and, for kubectl explain, in the CRD.
func TestEveryDefaultDowngradeIsDocumented(t *testing.T) {
	guide := strings.ToLower(read(t, filepath.Join(root, "docs/carbonawarejob.md")))
	crd := strings.ToLower(read(t, filepath.Join(root, "config/crd/bases/carbon.ecotracker.dev_carbonawarejobs.yaml")))
	for model, cheaper := range policy.DefaultDowngrades() {
		row := regexp.MustCompile(`(?m)^\| [^|]*\b` + regexp.QuoteMeta(model) + `[,| ][^|]*\|[^|]*\b` + regexp.QuoteMeta(strings.ToLower(cheaper)) + `\b`)
		if !row.MatchString(guide) {
			t.Errorf("docs/carbonawarejob.md does not say that %s becomes %s", model, cheaper)
		}
		if !strings.Contains(crd, strings.TrimPrefix(strings.ToLower(cheaper), "meta-")) {
			t.Errorf("kubectl explain does not name %s", cheaper)
		}
	}
}
