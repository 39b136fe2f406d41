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
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

var _ = Describe("An edit of a GridRegion", func() {
	It("that leaves its source alone costs nothing that is known of it, and no call", func(ctx context.Context) {
		w := newWorld(ctx)
		p := newProvider(w)
		gb := w.regionName("gb")
		w.region(gb, uk, nil)
		for i := range 6 {
			w.at(w.start.Add(time.Duration(i)*35*time.Minute), gb)
		}
		edit := func(change func(*carbonv1alpha1.GridRegionSpec)) {
			generation := w.getRegion(gb).Generation
			w.editRegion(gb, func(r *carbonv1alpha1.GridRegion) { change(&r.Spec) })
			Expect(w.getRegion(gb).Status.ObservedGeneration).To(Equal(generation + 1))
		}
		known := func() carbonv1alpha1.GridRegionStatus {
			s := w.getRegion(gb).Status
			return carbonv1alpha1.GridRegionStatus{Forecast: s.Forecast, Recent: s.Recent, Profile: s.Profile, Issued: s.Issued, Accuracy: s.Accuracy}
		}
		was, calls := known(), p.calls
		Expect(was.Issued).NotTo(BeEmpty())
		Expect(was.Accuracy).NotTo(BeNil())
		edit(func(s *carbonv1alpha1.GridRegionSpec) {
			s.Placement = &carbonv1alpha1.RegionPlacement{NodeSelector: map[string]string{"a": "b"}}
		})
		Expect(known()).To(Equal(was))
		Expect(p.calls).To(Equal(calls))

		By("also after a restart, and while the source is down")
		w.restart()
		edit(func(s *carbonv1alpha1.GridRegionSpec) { s.MaxStartsPerWindow = new(int32(5)) })
		Expect(known()).To(Equal(was))
		Expect(p.calls).To(Equal(calls))
		p.broken = func() *http.Response { return answer(http.StatusBadGateway, "") }
		w.at(w.clock.Now().Add(34*time.Minute), gb)
		stale := []string{"200", "Stale", "ukCarbonIntensity", "True/ForecastAvailable", "False/SourceUnavailable"}
		Expect(w.chain(gb)).To(Equal(stale))
		was, calls = known(), p.calls
		edit(func(s *carbonv1alpha1.GridRegionSpec) {
			s.AnnualMean = "GBR"
			s.Fallbacks = []carbonv1alpha1.IntensitySource{traceSource("nowhere")}
		})
		Expect(known()).To(Equal(was), "the last good forecast still counts")
		Expect(p.calls).To(Equal(calls), "it is left alone for as long as before")
		Expect(w.chain(gb)).To(Equal(stale))
	})

	It("that names another grid leaves nothing of the old one, whatever the new one answers", func(ctx context.Context) {
		w := newWorld(ctx)
		source := &electricityMaps{w: w}
		w.sources = &http.Client{Transport: source}
		w.restart()
		Expect(api.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "em", Namespace: w.namespace}, Data: map[string][]byte{"token": []byte("t")},
		})).To(Succeed())
		zone := func(name string) carbonv1alpha1.IntensitySource {
			return carbonv1alpha1.IntensitySource{ElectricityMaps: &carbonv1alpha1.ElectricityMapsSource{
				Zone: name, TokenSecretRef: carbonv1alpha1.SecretKeyReference{Name: "em", Key: "token"},
			}}
		}
		region := w.regionName("x")
		w.region(region, zone("DE"), nil)
		w.at(w.start.Add(time.Hour), region)
		Expect(w.getRegion(region).Status.Profile).NotTo(BeNil())
		Expect(w.getRegion(region).Status.Issued).To(HaveLen(2))

		By("answering, but not about its past")
		source.mute = []string{"past-range"}
		w.editRegion(region, func(r *carbonv1alpha1.GridRegion) { r.Spec.Source = zone("FR") })
		Expect(w.getRegion(region).Status.Profile).To(BeNil(), "that was of another grid")
		Expect(w.getRegion(region).Status.Issued).To(HaveLen(1), "by the new source")

		By("answering nothing at all")
		source.mute = []string{"past-range", "forecast"}
		w.editRegion(region, func(r *carbonv1alpha1.GridRegion) { r.Spec.Source = zone("NL") })
		Expect(w.chain(region)).To(Equal([]string{"unknown", "False/SourceUnavailable", "False/SourceUnavailable"}))
		Expect(w.getRegion(region).Status).To(And(HaveField("Forecast", BeNil()), HaveField("Recent", BeNil()), HaveField("Issued", BeEmpty())))
	})

	It("whose trace is gone does not ask the fallback again after a restart", func(ctx context.Context) {
		w := newWorld(ctx)
		p := newProvider(w)
		gb := w.regionName("gb")
		w.region(gb, traceSource("nowhere"), nil)
		w.editRegion(gb, func(r *carbonv1alpha1.GridRegion) { r.Spec.Fallbacks = []carbonv1alpha1.IntensitySource{uk} })
		calls := p.calls
		w.restart()
		w.readRegion(gb)
		Expect(w.chain(gb)).To(Equal([]string{"200", "Forecast", "ukCarbonIntensity", "True/ForecastAvailable", "True/FallbackInUse"}))
		Expect(p.calls).To(Equal(calls))
	})

	It("that creates it again knows nothing of the former one", func(ctx context.Context) {
		w := newWorld(ctx)
		p := newProvider(w)
		gb := w.regionName("gb")
		w.region(gb, uk, nil)
		calls := p.calls
		Expect(api.Delete(ctx, w.getRegion(gb))).To(Succeed())
		w.region(gb, uk, nil) // before anybody has noticed that it was gone
		Expect(p.calls).To(Equal(calls + 1))
	})
})
