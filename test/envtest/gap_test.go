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
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// chain is the intensity in use, its quality and source, and the conditions Ready and Fresh.
func (w *world) chain(region string) []string {
	status := w.getRegion(region).Status
	out := []string{"unknown"}
	if is := status.Intensity; is != nil {
		out = []string{string(is.GramsPerKWh), string(is.Quality), is.Source}
	}
	for _, name := range []string{carbonv1alpha1.RegionReady, carbonv1alpha1.RegionFresh} {
		c := meta.FindStatusCondition(status.Conditions, name)
		out = append(out, string(c.Status)+"/"+c.Reason)
	}
	return out
}

var _ = Describe("A forecast", func() {
	fine := []string{"200", "Forecast", "ukCarbonIntensity", "True/ForecastAvailable", "True/ForecastAvailable"}

	It("with a gap in the middle leaves that slot to the next step of the chain", func(ctx context.Context) {
		w := newWorld(ctx)
		p := newProvider(w)
		p.gap, p.noHistory = w.slot(1), true
		dark, backed := w.regionName("dark"), w.regionName("backed")
		w.region(dark, uk, nil)
		w.region(backed, uk, nil)
		w.setTrace(backed, w.csv(flat(20, 77)...))
		w.editRegion(backed, func(r *carbonv1alpha1.GridRegion) {
			r.Spec.Fallbacks = []carbonv1alpha1.IntensitySource{traceSource(backed)}
		})
		Expect(w.chain(dark)).To(Equal(fine))
		Expect(w.chain(backed)).To(Equal(fine))

		By("saying that the slot is unknown where nothing else is known")
		w.at(w.slot(1), dark, backed)
		Expect(w.chain(dark)).To(Equal([]string{"unknown", "False/MalformedAnswer", "False/MalformedAnswer"}))
		Expect(w.chain(backed)).To(Equal([]string{"77", "Forecast", "trace", "True/ForecastAvailable", "True/FallbackInUse"}))

		By("going on with the rest of the forecast, also when its source has gone meanwhile")
		p.broken = func() *http.Response { return answer(http.StatusBadGateway, "") }
		w.at(w.slot(2), dark)
		Expect(w.chain(dark)).To(HaveExactElements("200", BeElementOf("Forecast", "Stale"), "ukCarbonIntensity", "True/ForecastAvailable", Not(BeEmpty())))
		w.at(w.slot(3), dark)
		Expect(w.chain(dark)).To(Equal([]string{"200", "Stale", "ukCarbonIntensity", "True/ForecastAvailable", "False/SourceUnavailable"}))
	})

	It("that ends before the source has news is asked for again when it ends", func(ctx context.Context) {
		w := newWorld(ctx)
		p := newProvider(w)
		p.ahead, p.noHistory = 1, true
		gb := w.regionName("gb")
		w.region(gb, uk, nil)
		Expect(w.chain(gb)).To(Equal(fine))
		for slot := 1; slot < 4; slot++ {
			w.at(w.slot(slot).Add(time.Second), gb)
			Expect(w.chain(gb)).To(Equal(fine), "slot %d", slot)
			Expect(p.calls).To(Equal(slot + 1))
		}
	})
})
