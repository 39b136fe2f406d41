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
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/ecotracker-dev/ecotracker-operator/internal/report"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("kubectl carbon", func() {
	It("is found by kubectl, plans like the operator, and tells what became of it", func(ctx context.Context) {
		bin, err := filepath.Abs(filepath.Join("..", "..", "bin"))
		Expect(err).NotTo(HaveOccurred())
		GinkgoT().Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		ns := namespace(ctx)
		trace(ctx, "shown", 10*time.Second, nil, 300, 100, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300)
		startManager("")
		kubectl(ctx, "wait", "--for=condition=Ready", "gridregion/shown", "--timeout=30s")
		Expect(kubectl(ctx, "carbon", "forecast", "shown", "--duration=10s")).To(MatchRegexp(`(?m)^\S+Z +100 +\*$`))

		By("planning before the job is applied")
		key := types.NamespacedName{Namespace: ns, Name: "told"}
		job := runnable(build.CarbonAwareJob(key.Name, ns).Regions("shown").MaxDelay(60*time.Second).Duration(4*time.Second).Jitter(0).KWh("0.5"), 2*time.Second).Obj()
		job.APIVersion, job.Kind = "carbon.ecotracker.dev/v1alpha1", "CarbonAwareJob"
		manifest, err := yaml.Marshal(job)
		Expect(err).NotTo(HaveOccurred())
		file := filepath.Join(GinkgoT().TempDir(), "job.yaml")
		Expect(os.WriteFile(file, manifest, 0o600)).To(Succeed())
		Expect(kubectl(ctx, "carbon", "plan", "-f", file)).To(ContainSubstring("100 g/kWh in shown"))

		By("running it")
		kubectl(ctx, "apply", "-f", file)
		record := eventuallyFinal(ctx, key).Status.Emissions

		By("telling of it")
		var told report.Report
		Expect(json.Unmarshal([]byte(kubectl(ctx, "carbon", "report", "-n", ns, "-o", "json")), &told)).To(Succeed())
		Expect(told.Total.Jobs).To(Equal(1))
		Expect(told.Total.EmittedGrams.String()).To(Equal(string(record.ActualGrams)))
		Expect(told.Total.AvoidedGrams.String()).To(Equal(string(record.AvoidedGrams)))
		Eventually(func(g Gomega) {
			output, err := exec.CommandContext(ctx, "kubectl", "carbon", "explain", key.Name, "-n", ns).CombinedOutput()
			story := string(output)
			g.Expect(err).NotTo(HaveOccurred(), story)
			g.Expect(story).To(ContainSubstring("It emitted " + string(record.ActualGrams) + " g CO2e"))
			for _, reason := range []string{"Planned", "Created", "Started", "Completed", "EmissionsRecorded"} {
				g.Expect(story).To(MatchRegexp(`(?m)^\w+ \d+ [\d:]+ +` + reason + " "))
			}
		}).WithContext(ctx).Should(Succeed())
	})
})
