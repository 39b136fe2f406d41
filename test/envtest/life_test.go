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

package envtest

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("A CarbonAwareJob's life", func() {
	It("is planned, created suspended, started once at its time, completed and recorded", func(ctx context.Context) {
		w := newWorld(ctx)
		placement := &carbonv1alpha1.RegionPlacement{NodeSelector: map[string]string{"region": "de"}, Env: []carbonv1alpha1.RegionEnvVar{{Name: "AWS_REGION", Value: "eu-central-1"}}}
		home := w.trace("gb", nil, 300, 300, 280, 280, 290, 300, 300, 300, 300, 300)
		de := w.trace("de", placement, 320, 320, 320, 320, 100, 320, 320, 320, 320, 320)
		Expect(api.Create(ctx, build.CarbonAwareJob("eval", w.namespace).Regions(home, de).Jitter(0).
			KWh("2").Env("OPENAI_MODEL", "gpt-4o").Model("OPENAI_MODEL", "", "", 90).Obj())).To(Succeed())

		By("planning it for the greenest window of the greenest region, with a suspended Job")
		w.plan("eval")
		caj := w.get("eval")
		Expect(readyOf(caj)).To(Equal("Waiting"))
		Expect(caj.Status.Plan.Region).To(Equal(de))
		Expect(caj.Status.Plan.Start.UTC()).To(Equal(w.slot(4)))
		Expect(caj.Status.Plan.GramsPerKWh).To(BeEquivalentTo("100"))
		Expect(w.job("eval").Spec.Suspend).To(HaveValue(BeTrue()))
		Expect(caj.Status.Job.UID).To(Equal(w.job("eval").UID))

		By("not starting it before its time")
		w.at(w.slot(4).Add(-time.Second), home, de)
		Expect(w.startDue("eval").RequeueAfter).To(Equal(time.Second))
		Expect(w.job("eval").Spec.Suspend).To(HaveValue(BeTrue()))

		By("starting it at its time with one patch")
		w.at(w.slot(4), home, de)
		w.writes = nil
		w.startDue("eval")
		Expect(w.writes).To(Equal([]string{"patch *v1.Job"}))
		w.startDue("eval")
		Expect(w.writes).To(HaveLen(1), "a second start must do nothing")
		job := w.job("eval")
		Expect(job.Spec.Suspend).To(HaveValue(BeFalse()))
		Expect(job.Spec.Template.Spec.NodeSelector).To(HaveKeyWithValue("region", "de"))
		Expect(job.Spec.Template.Annotations).To(HaveKeyWithValue("model.carbon.ecotracker.dev/OPENAI_MODEL", "gpt-4o-mini"))
		Expect(job.Spec.Template.Annotations).To(HaveKeyWithValue("model.carbon.ecotracker.dev/AWS_REGION", "eu-central-1"))

		By("following the run")
		w.running("eval", w.slot(4))
		w.plan("eval")
		caj = w.get("eval")
		Expect(readyOf(caj)).To(Equal("Running"))
		Expect(caj.Status.Model).To(HaveValue(Equal(carbonv1alpha1.ModelStatus{Requested: "gpt-4o", Effective: "gpt-4o-mini"})))
		w.completed("eval", w.slot(5))
		w.at(w.slot(5), home, de)
		w.plan("eval")

		By("recording grams that equal the hand calculation")
		caj = w.get("eval")
		Expect(readyOf(caj)).To(Equal("Completed"))
		Expect(caj.Status.Emissions).NotTo(BeNil())
		e := caj.Status.Emissions
		// 2 kWh: baseline 2 x 300 (30 minutes from the submission on are slots 0 and 1),
		// run in slot 4: home 290, chosen 100.
		Expect([]carbonv1alpha1.Decimal{e.BaselineGrams, e.ActualGrams, e.AvoidedGrams}).To(Equal([]carbonv1alpha1.Decimal{"600", "200", "400"}))
		Expect(e.AvoidedBy).To(Equal(carbonv1alpha1.AvoidedBy{Time: "20", Region: "380", Model: "0"}))
		Expect(e.Quality).To(Equal(carbonv1alpha1.QualityActual))
		Expect(e.FinalAt).NotTo(BeNil())
		Expect(w.job("eval").Finalizers).To(BeEmpty(), "a recorded Job is let go")

		By("telling the story in Events")
		Expect(w.events()).To(HaveExactElements(
			ContainSubstring("ForecastAvailable"), ContainSubstring("ForecastAvailable"),
			HavePrefix("Normal Planned start"), "Normal Created created Job eval, suspended",
			HavePrefix("Normal Downgraded gpt-4o-mini instead of gpt-4o: 100 g/kWh is above the limit of 90"),
			HavePrefix("Normal Started started Job eval in "),
			HavePrefix("Normal Completed"),
			HavePrefix("Normal EmissionsRecorded emitted 200 g, avoided 400 g (time 20, region 380, model 0)"),
		))
	})

	It("costs seven writes, and none while nothing changes", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, 300, 300, 100, 300, 300, 300, 300, 300, 300, 300)
		Expect(api.Create(ctx, build.CarbonAwareJob("thrifty", w.namespace).Regions(gb).Jitter(0).KWh("1").Obj())).To(Succeed())
		w.writes = nil
		for range 5 {
			w.plan("thrifty")
			w.startDue("thrifty")
		}
		Expect(w.writes).To(Equal([]string{"patch *v1alpha1.CarbonAwareJob", "create *v1.Job", "patch status of *v1alpha1.CarbonAwareJob"}))

		w.at(w.slot(1), gb)
		w.writes = nil
		w.plan("thrifty")
		Expect(w.writes).To(BeEmpty(), "a forecast that changes nothing writes nothing")

		w.at(w.slot(2), gb)
		w.writes = nil
		w.startDue("thrifty")
		w.plan("thrifty")
		w.running("thrifty", w.slot(2))
		w.plan("thrifty")
		w.completed("thrifty", w.slot(3))
		w.at(w.slot(3), gb)
		w.writes = nil
		w.plan("thrifty")
		w.plan("thrifty")
		Expect(w.writes).To(Equal([]string{"patch status of *v1alpha1.CarbonAwareJob", "patch *v1.Job"}))
	})
})
