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

package install

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// From an empty cluster to a job that has run, and back to an empty one, by the commands of the page alone. Only
// the image is not pulled: the pods are simulated, so the manager runs as a process.
var _ = Describe("The quick start", func() {
	DescribeTable("leads to a job that has run, and leaves nothing", func(ctx context.Context, install, uninstall string) {
		beginEmpty(ctx)
		begin := time.Now()
		sh(ctx, "%s", documented("install.md", install))
		installed := time.Since(begin)
		startManager(ctx)
		sh(ctx, "%s", documented("install.md", "first job"))
		AddReportEntry("from nothing", fmt.Sprintf("%s: installed after %.1f s, the first job had run after %.1f s", install, installed.Seconds(), time.Since(begin).Seconds()), ReportEntryVisibilityAlways)
		sh(ctx, "%s", documented("install.md", uninstall))
		sh(ctx, "kubectl wait --for=delete job --all -n default --timeout=3m")
		Expect(left(ctx)).To(BeEmpty())
		Expect(sh(ctx, "kubectl get jobs,pods -n default -o name")).To(BeEmpty())
	},
		Entry("with kubectl", "install", "uninstall"),
		Entry("with Helm", "helm install", "helm uninstall"),
	)
})
