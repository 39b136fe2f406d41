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
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

func number(d carbonv1alpha1.Decimal) (float64, error) { return strconv.ParseFloat(string(d), 64) }

// nextSlotOn plays a Carbon Aware SDK that says nothing of the present: its forecast begins with the next half
// hour, 300 and more but for one slot, a gram more with every answer.
type nextSlotOn struct {
	w      *world
	green  int
	broken bool
	calls  int
}

func (s *nextSlotOn) RoundTrip(r *http.Request) (*http.Response, error) {
	if isPast(r) {
		return answer(http.StatusNotImplemented, ""), nil
	}
	s.calls++
	if s.broken {
		return answer(http.StatusBadGateway, ""), nil
	}
	first := 1
	for !s.w.clock.Now().Before(s.w.slot(first)) {
		first++
	}
	var points []string
	for i := first; i < first+24; i++ {
		value := fmt.Sprint(299 + s.calls)
		if i == s.green {
			value = "50"
		}
		points = append(points, s.w.sdkPoint(i, value))
	}
	return answer(http.StatusOK, s.w.sdkAnswer(points...)), nil
}

// isPast says whether a Carbon Aware SDK is asked for what was observed.
func isPast(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/bylocation") }

// other plays a second Carbon Aware SDK, which says 77 from the present slot on.
type other struct {
	http.RoundTripper
	w *world
}

func (o other) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == "other.example.org" && !isPast(r) {
		return answer(http.StatusOK, o.w.sdkGood("77")), nil
	}
	return o.RoundTripper.RoundTrip(r)
}

var _ = Describe("A forecast that begins with the next slot", func() {
	sdk := carbonv1alpha1.IntensitySource{CarbonAwareSDK: &carbonv1alpha1.CarbonAwareSDKSource{Endpoint: "https://carbon.example.org", Location: "uksouth"}}
	start := func(ctx context.Context) (*world, *nextSlotOn) {
		w := newWorld(ctx)
		s := &nextSlotOn{w: w, green: 5}
		w.sources = &http.Client{Transport: s}
		w.restart()
		return w, s
	}
	fine := func(grams string) []string {
		return []string{grams, "Forecast", "carbonAwareSDK", "True/ForecastAvailable", "True/ForecastAvailable"}
	}

	It("is kept until then: the chain's next step has the present, and plans go by what comes", func(ctx context.Context) {
		w, s := start(ctx)
		dark, mean, backed := w.regionName("dark"), w.regionName("mean"), w.regionName("backed")
		w.setTrace(backed, w.csv(flat(20, 77)...))
		for name, spec := range map[string]carbonv1alpha1.GridRegionSpec{
			dark: {Source: sdk}, mean: {Source: sdk, AnnualMean: "GBR"}, backed: {Source: sdk, Fallbacks: []carbonv1alpha1.IntensitySource{traceSource(backed)}},
		} {
			s.calls = 0
			w.region(name, spec.Source, nil)
			w.editRegion(name, func(r *carbonv1alpha1.GridRegion) { r.Spec = spec })
		}
		Expect(w.chain(dark)).To(Equal([]string{"unknown", "False/ForecastNotBegun", "False/ForecastNotBegun"}))
		Expect(w.chain(mean)).To(Equal([]string{"211", "AnnualMean", "annualMean", "True/AnnualMeanInUse", "False/ForecastNotBegun"}))
		Expect(w.chain(backed)).To(Equal([]string{"77", "Forecast", "trace", "True/ForecastAvailable", "True/FallbackInUse"}))

		By("planning for the greenest slot, and saying of the present what is known of it")
		covered := w.slot(1).Sub(w.start).Minutes() / 30 // of a run that begins now
		for region, baseline := range map[string]types.GomegaMatcher{
			dark: BeEmpty(), mean: WithTransform(number, BeNumerically("~", 211*covered+300*(1-covered), 0.001)),
		} {
			status := w.getRegion(region).Status
			Expect(status.Forecast.Start.UTC()).To(Equal(w.slot(1)))
			Expect(status.Greenest.Start.UTC()).To(Equal(w.slot(5)))
			w.create(build.CarbonAwareJob(region[:4], w.namespace).Regions(region).Jitter(0).KWh("1"))
			w.plan(region[:4])
			plan := w.get(region[:4]).Status.Plan
			Expect(plan.Start.UTC()).To(Equal(w.slot(5)), region)
			Expect(plan.Quality).To(Equal(carbonv1alpha1.QualityForecast))
			Expect(plan.GramsPerKWh).To(BeEquivalentTo("50"))
			Expect(plan.BaselineGramsPerKWh).To(baseline, region)
		}

		By("counting when its time comes, without another call")
		calls := s.calls
		w.at(w.slot(1), dark, mean, backed)
		for _, region := range []string{dark, mean, backed} {
			Expect(w.chain(region)).To(Equal(fine("300")), region)
		}
		Expect(s.calls).To(Equal(calls))
	})

	It("follows the one before it: the present is never unknown, and what was forecast stays on record", func(ctx context.Context) {
		w, s := start(ctx)
		gb := w.regionName("gb")
		w.region(gb, sdk, nil)
		for i := range 8 {
			if i == 4 {
				w.restart()
			}
			w.at(w.slot(1).Add(time.Duration(i)*36*time.Minute+time.Minute), gb)
			intensity := w.chain(gb)
			Expect(intensity).To(Equal(fine(intensity[0])))
			Expect(intensity[0]).To(Or(Equal(fmt.Sprint(298+s.calls)), Equal(fmt.Sprint(299+s.calls)), Equal("50")))
			Expect(s.calls).To(BeNumerically("<=", i+2))
		}
		recent := w.getRegion(gb).Status.Recent
		Expect(recent.Start.UTC()).To(Equal(w.slot(1)))
		Expect(recent.GramsPerKWh[4]).To(BeEquivalentTo("50"))
		Expect(recent.Qualities).To(MatchRegexp("^F+$"))
	})

	It("is not mistaken for its fallback's after a restart, though both are of one kind", func(ctx context.Context) {
		w, s := start(ctx)
		gb := w.regionName("gb")
		w.sources = &http.Client{Transport: other{s, w}}
		w.restart()
		w.region(gb, sdk, nil)
		w.editRegion(gb, func(r *carbonv1alpha1.GridRegion) {
			r.Spec.Fallbacks = []carbonv1alpha1.IntensitySource{{CarbonAwareSDK: &carbonv1alpha1.CarbonAwareSDKSource{Endpoint: "https://other.example.org", Location: "uksouth"}}}
		})
		Expect(w.chain(gb)).To(Equal([]string{"77", "Forecast", "carbonAwareSDK", "True/ForecastAvailable", "True/FallbackInUse"}))
		w.restart()
		w.readRegion(gb)
		Expect(w.chain(gb)).To(Equal([]string{"77", "Forecast", "carbonAwareSDK", "True/ForecastAvailable", "True/FallbackInUse"}))
		w.at(w.slot(1), gb)
		Expect(w.chain(gb)).To(Equal(fine(fmt.Sprint(299 + s.calls))))
	})

	It("does not make a stale one fresh before it begins", func(ctx context.Context) {
		w, s := start(ctx)
		gb := w.regionName("gb")
		w.region(gb, sdk, nil)
		w.at(w.slot(1), gb)
		s.broken = true
		w.at(w.slot(3), gb)
		Expect(w.chain(gb)).To(Equal([]string{"300", "Stale", "carbonAwareSDK", "True/ForecastAvailable", "False/SourceUnavailable"}))
		s.broken = false
		w.at(w.slot(4).Add(5*time.Minute), gb)
		Expect(w.chain(gb)).To(Equal([]string{"300", "Stale", "carbonAwareSDK", "True/ForecastAvailable", "False/ForecastNotBegun"}))
		status := w.getRegion(gb).Status
		Expect(status.Forecast.GramsPerKWh[:3]).To(HaveExactElements(BeEquivalentTo("300"), BeEquivalentTo("50"), BeEquivalentTo("302")))
		Expect(status.SourceFailure).To(BeNil())
		w.at(w.slot(5), gb)
		Expect(w.chain(gb)).To(Equal(fine("50")))
	})
})
