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

package e2e

import (
	"context"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The samples", func() {
	It("are accepted by the API server, all of them at once", func(ctx context.Context) {
		output := kubectl(ctx, "apply", "--dry-run=server", "-k", filepath.Join("..", "..", "config", "samples"))
		for _, line := range []string{"configmap/replayed-trace", "gridregion.carbon.ecotracker.dev/gb", "carbonawarejob.carbon.ecotracker.dev/nightly-eval"} {
			Expect(output).To(ContainSubstring(line))
		}
		kubectl(ctx, "apply", "--dry-run=server", "-f", filepath.Join("..", "..", "config", "samples", "cloud"))
	})
})
