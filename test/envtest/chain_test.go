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
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("A region with a source on the network", func() {
	reasons := func(r *carbonv1alpha1.GridRegion) []string {
		var out []string
		for _, name := range []string{carbonv1alpha1.RegionReady, carbonv1alpha1.RegionFresh} {
			c := meta.FindStatusCondition(r.Status.Conditions, name)
			out = append(out, string(c.Status)+"/"+c.Reason)
		}
		return out
	}
	dead := func() *http.Response { return answer(http.StatusInternalServerError, "secret words") }

	It("asks it once a period, however many jobs there are and after a restart too", func(ctx context.Context) {
		w := newWorld(ctx)
		p := newProvider(w)
		p.green = w.slot(4)
		gb := w.regionName("gb")
		w.region(gb, uk, nil)
		region := w.getRegion(gb)
		Expect(reasons(region)).To(Equal([]string{"True/ForecastAvailable", "True/ForecastAvailable"}))
		Expect(region.Status.Intensity).To(HaveValue(And(
			HaveField("GramsPerKWh", BeEquivalentTo("200")), HaveField("Source", "ukCarbonIntensity"), HaveField("Quality", carbonv1alpha1.QualityForecast))))
		Expect(region.Status.Recent.ActualUntil.UTC()).To(Equal(w.slot(0)))
		Expect(region.Status.Greenest.Start.UTC()).To(Equal(w.slot(4)))

		for i := range 20 {
			name := fmt.Sprintf("x%d", i)
			w.create(build.CarbonAwareJob(name, w.namespace).Regions(gb).Jitter(0))
			w.plan(name)
			Expect(w.get(name).Status.Plan.Start.UTC()).To(Equal(w.slot(4)))
			w.readRegion(gb)
		}
		Expect([]int{p.calls, p.histories}).To(Equal([]int{1, 1}))

		By("remembering by its status what it knew before a restart")
		w.clock.SetTime(w.start.Add(29 * time.Minute)) // mostly in another slot
		w.restart()
		again := w.readRegion(gb).RequeueAfter
		Expect(p.calls).To(Equal(1))
		Expect(reasons(w.getRegion(gb))).To(Equal([]string{"True/ForecastAvailable", "True/ForecastAvailable"}))
		Expect(again).To(BeNumerically("<=", 30*time.Minute))

		By("asking again when there is news")
		w.clock.SetTime(w.start.Add(33 * time.Minute))
		w.readRegion(gb)
		Expect([]int{p.calls, p.histories}).To(Equal([]int{2, 1}))
		w.readRegion(gb)
		Expect([]int{p.calls, p.histories}).To(Equal([]int{2, 1}))

		By("asking for the past once a day")
		w.clock.SetTime(w.start.Add(24 * time.Hour))
		w.readRegion(gb)
		Expect([]int{p.calls, p.histories}).To(Equal([]int{3, 2}))
	})

	It("is planned by its mean day when no forecast is left", func(ctx context.Context) {
		w := newWorld(ctx)
		p := newProvider(w)
		gb := w.regionName("gb")
		w.region(gb, uk, nil)
		w.editRegion(gb, func(r *carbonv1alpha1.GridRegion) { r.Spec.AnnualMean = "GBR" })
		profile := w.getRegion(gb).Status.Profile
		Expect(profile).NotTo(BeNil())
		Expect(profile.GramsPerKWh).To(HaveLen(48))
		Expect(profile.Source).To(Equal("ukCarbonIntensity"))

		p.broken = dead
		w.at(w.slot(97).Add(time.Hour), gb) // the forecast reached 48 hours
		region := w.getRegion(gb)
		Expect(reasons(region)).To(Equal([]string{"True/ProfileInUse", "False/SourceUnavailable"}))
		Expect(region.Status.Intensity).To(HaveValue(And(
			HaveField("Quality", carbonv1alpha1.QualityProfile), HaveField("Source", "ukCarbonIntensity"), HaveField("GramsPerKWh", BeEquivalentTo("201")))))
		Expect(region.Status.Profile).To(Equal(profile), "it outlives the outage")

		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).MaxDelay(100 * time.Hour).KWh("1"))
		w.plan("x")
		plan := w.get("x").Status.Plan
		Expect(plan.Quality).To(Equal(carbonv1alpha1.QualityProfile))
		Expect(plan.GramsPerKWh).To(BeEquivalentTo("201"))

		By("a forecast again when the source is back")
		p.broken = nil
		w.at(w.slot(200), gb)
		Expect(reasons(w.getRegion(gb))).To(Equal([]string{"True/ForecastAvailable", "True/ForecastAvailable"}))
	})

	It("backs off while it fails, longer when it is told to, and recovers by itself", func(ctx context.Context) {
		w := newWorld(ctx)
		p := newProvider(w)
		p.broken = dead
		gb := w.regionName("gb")
		w.region(gb, uk, nil)
		region := w.getRegion(gb)
		Expect(reasons(region)).To(Equal([]string{"False/SourceUnavailable", "False/SourceUnavailable"}))
		Expect(conditionMessage(region.Status.Conditions, "Ready")).To(Equal("ukCarbonIntensity: it answered with HTTP status 500"))
		Expect(region.Status.Intensity).To(BeNil(), "unknown is not 0")

		now, waits := w.start, []time.Duration{}
		for range 8 {
			wait := w.readRegion(gb).RequeueAfter
			waits = append(waits, wait.Truncate(time.Minute))
			w.clock.SetTime(now.Add(wait - time.Second))
			calls := p.calls
			w.readRegion(gb)
			Expect(p.calls).To(Equal(calls), "not before its time")
			now = now.Add(wait)
			w.clock.SetTime(now)
		}
		Expect(waits[0]).To(Equal(time.Minute))
		Expect(waits).To(HaveEach(BeNumerically("<=", 33*time.Minute)))
		Expect(waits[7]).To(BeNumerically(">=", 30*time.Minute))
		Expect(w.warnings()).To(HaveLen(1), "one Event, not one a call")

		p.broken = func() *http.Response { return answer(http.StatusTooManyRequests, "", "Retry-After", "7200") }
		Expect(w.readRegion(gb).RequeueAfter).To(BeNumerically(">=", 2*time.Hour))
		Expect(w.getRegion(gb).Status.SourceFailure).To(HaveValue(And(HaveField("Reason", "SourceUnavailable"), HaveField("Attempts", BeEquivalentTo(9)))))

		By("leaving it alone after a restart too")
		calls := p.calls
		w.restart()
		w.clock.SetTime(now.Add(119 * time.Minute))
		Expect(w.readRegion(gb).RequeueAfter).To(BeNumerically("<=", 5*time.Minute))
		Expect(p.calls).To(Equal(calls))
		Expect(reasons(w.getRegion(gb))).To(Equal([]string{"False/SourceUnavailable", "False/SourceUnavailable"}))

		p.broken = nil
		w.clock.SetTime(now.Add(3 * time.Hour))
		w.readRegion(gb)
		Expect(w.getRegion(gb).Status.SourceFailure).To(BeNil())
		Expect(reasons(w.getRegion(gb))).To(Equal([]string{"True/ForecastAvailable", "True/ForecastAvailable"}))
	})

	DescribeTable("never believes what cannot be",
		func(ctx context.Context, body string) {
			w := newWorld(ctx)
			p := newProvider(w)
			p.broken = func() *http.Response { return answer(http.StatusOK, body) }
			gb := w.regionName("gb")
			w.region(gb, uk, nil)
			region := w.getRegion(gb)
			Expect(reasons(region)).To(Equal([]string{"False/MalformedAnswer", "False/MalformedAnswer"}))
			Expect(region.Status.Intensity).To(BeNil())
			Expect(conditionMessage(region.Status.Conditions, "Fresh")).NotTo(ContainSubstring("secret"))
		},
		Entry("HTML", "<html>secret words</html>"),
		Entry("a negative intensity", `{"data":[{"from":"2026-05-06T00:00Z","to":"2026-05-06T00:30Z","intensity":{"forecast":-1}}]}`),
		Entry("nothing for now", `{"data":[{"from":"2020-05-06T00:00Z","to":"2020-05-06T00:30Z","intensity":{"forecast":100}}]}`),
		Entry("more than a megabyte", strings.Repeat(" ", 2<<20)),
	)

	It("goes down the chain step by step, visibly, and up again", func(ctx context.Context) {
		w := newWorld(ctx)
		p := newProvider(w)
		p.broken = dead
		gb := w.regionName("gb")
		w.region(gb, uk, nil)
		w.editRegion(gb, func(r *carbonv1alpha1.GridRegion) {
			r.Spec.Fallbacks = []carbonv1alpha1.IntensitySource{traceSource(gb)}
			r.Spec.AnnualMean = "GBR"
		})
		By("the annual mean when nothing else is known")
		region := w.getRegion(gb)
		Expect(reasons(region)).To(Equal([]string{"True/AnnualMeanInUse", "False/SourceUnavailable"}))
		Expect(region.Status.Intensity).To(HaveValue(And(
			HaveField("GramsPerKWh", BeEquivalentTo("211")), HaveField("Source", "annualMean"), HaveField("Quality", carbonv1alpha1.QualityAnnualMean))))

		By("the fallback when it answers")
		w.setTrace(gb, w.csv(flat(4, 150)...))
		region = w.getRegion(gb)
		Expect(reasons(region)).To(Equal([]string{"True/ForecastAvailable", "True/FallbackInUse"}))
		Expect(conditionMessage(region.Status.Conditions, "Fresh")).To(Equal("trace speaks for the source: ukCarbonIntensity: it answered with HTTP status 500"))
		Expect(region.Status.Intensity).To(HaveValue(And(HaveField("GramsPerKWh", BeEquivalentTo("150")), HaveField("Source", "trace"))))

		By("the last good forecast when neither does")
		w.setTrace(gb, "broken")
		region = w.getRegion(gb)
		Expect(reasons(region)).To(Equal([]string{"True/ForecastAvailable", "False/SourceUnavailable"}))
		Expect(region.Status.Intensity.Quality).To(Equal(carbonv1alpha1.QualityStale))

		By("the annual mean again when that has ended")
		w.at(w.slot(4), gb)
		Expect(reasons(w.getRegion(gb))[0]).To(Equal("True/AnnualMeanInUse"))

		By("the source when it answers again")
		p.broken = nil
		w.at(w.slot(6), gb)
		region = w.getRegion(gb)
		Expect(reasons(region)).To(Equal([]string{"True/ForecastAvailable", "True/ForecastAvailable"}))
		Expect(region.Status.Intensity.Source).To(Equal("ukCarbonIntensity"))
	})

	It("takes its token from a Secret, when it is needed, and shows it nowhere", func(ctx context.Context) {
		w := newWorld(ctx)
		p := newProvider(w)
		var sent []string
		p.broken = func() *http.Response { return answer(http.StatusForbidden, "token s3cret is not allowed") }
		w.sources.Transport = tokens{p, &sent}
		de := w.regionName("de")
		w.region(de, carbonv1alpha1.IntensitySource{ElectricityMaps: &carbonv1alpha1.ElectricityMapsSource{
			Zone: "DE", TokenSecretRef: carbonv1alpha1.SecretKeyReference{Name: "em", Key: "token"},
		}}, nil)
		fresh := func() string { return conditionMessage(w.getRegion(de).Status.Conditions, "Fresh") }
		Expect(reasons(w.getRegion(de))[1]).To(Equal("False/CredentialsRefused"))
		Expect(fresh()).To(Equal(fmt.Sprintf("electricityMaps: Secret %s/em does not exist", w.namespace)))

		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "em", Namespace: w.namespace}, Data: map[string][]byte{"token": []byte("s3cret\n")}}
		Expect(api.Create(ctx, secret)).To(Succeed())
		w.at(w.start.Add(2*time.Minute), de)
		Expect(sent).To(Equal([]string{"s3cret"}))
		Expect(fresh()).To(Equal("electricityMaps: it answered with HTTP status 403"))

		By("taking a new one at the next call")
		secret.Data["token"] = []byte("another")
		Expect(api.Update(ctx, secret)).To(Succeed())
		w.at(w.start.Add(4*time.Minute), de)
		Expect(sent).To(Equal([]string{"s3cret", "another"}))
		data, err := json.Marshal(w.getRegion(de))
		Expect(err).NotTo(HaveOccurred())
		Expect(string(data) + strings.Join(w.events(), " ")).NotTo(ContainSubstring("s3cret"))
	})

	It("that is down all day makes no job late, and its runs are recorded for what they are", func(ctx context.Context) {
		w := newWorld(ctx)
		p := newProvider(w)
		p.broken = dead
		gb, dark := w.regionName("gb"), w.regionName("dark")
		w.region(gb, uk, nil)
		w.editRegion(gb, func(r *carbonv1alpha1.GridRegion) { r.Spec.AnnualMean = "GBR" })
		w.region(dark, uk, nil)
		for name, region := range map[string]string{"mean": gb, "nothing": dark} {
			w.create(build.CarbonAwareJob(name, w.namespace).Regions(region).KWh("2"))
			w.plan(name)
			plan := w.get(name).Status.Plan
			Expect(plan.Start.Time).To(BeTemporally("<=", plan.LatestStart.Time))
			w.clock.SetTime(plan.Start.Time)
			w.startDue(name)
			w.running(name, w.clock.Now())
			w.plan(name)
			w.completed(name, w.slot(4))
		}
		Expect(w.get("mean").Status.Plan.Quality).To(Equal(carbonv1alpha1.QualityAnnualMean))
		Expect(w.get("nothing").Status.Plan.Reason).To(Equal("NoForecast"))

		w.at(w.slot(4), gb, dark)
		w.plan("mean")
		w.plan("nothing")
		Expect(reasonOf(w.get("mean"), "EmissionsRecorded")).To(Equal("Unknown/Provisional"), "the source may come back")
		Expect(w.get("mean").Status.Emissions.ActualGrams).To(BeEquivalentTo("422"))
		Expect(reasonOf(w.get("nothing"), "EmissionsRecorded")).To(Equal("Unknown/IntensityUnknown"))

		By("the actual values of the day when it comes back")
		p.broken = nil
		w.at(w.slot(10), gb, dark)
		for _, name := range []string{"mean", "nothing"} {
			w.plan(name)
			Expect(reasonOf(w.get(name), "EmissionsRecorded")).To(Equal("True/Final"))
			Expect(w.get(name).Status.Emissions.ActualGrams).To(BeEquivalentTo("402"), "2 kWh at 201 g/kWh")
		}
	})
})
