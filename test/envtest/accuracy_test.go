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
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// metricsOf are the values of a region's metrics: by name, and by the labels other than region.
func metricsOf(region string) map[string]float64 {
	families, err := metrics.Registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	values := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			key, of := family.GetName(), ""
			for _, label := range m.GetLabel() {
				if label.GetName() == "region" {
					of = label.GetValue()
				} else {
					key += " " + label.GetValue()
				}
			}
			if of == region {
				values[key] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return values
}

var _ = Describe("What a source forecast", func() {
	It("is kept, and compared with what it publishes later", func(ctx context.Context) {
		w := newWorld(ctx)
		p := newProvider(w)
		gb := w.regionName("gb")
		w.region(gb, uk, nil)
		for i := range 2*40 + 1 {
			w.at(w.slot(i).Add(5*time.Minute), gb)
			if i == 60 {
				w.restart()
			}
		}
		now := w.slot(80).Add(5 * time.Minute)
		status := w.getRegion(gb).Status
		Expect(status.Issued).To(HaveLen(36))
		last := status.Issued[35]
		Expect(now.Sub(last.IssuedAt.Time)).To(BeNumerically("<", time.Hour))
		Expect(last.Start.Time).To(BeTemporally("<=", last.IssuedAt.Time))
		Expect(last.GramsPerKWh).To(And(HaveLen(52), HaveEach(BeEquivalentTo(200))))
		Expect(status.Accuracy.ComparedUntil.UTC()).To(BeTemporally("~", w.slot(80), time.Hour))
		Expect(status.Accuracy.LeadTimes).To(HaveLen(4))
		for i, hours := range []int32{1, 4, 12, 24} {
			lead := status.Accuracy.LeadTimes[i]
			Expect(lead.Hours).To(Equal(hours))
			Expect(lead.MeanAbsoluteErrorGramsPerKWh).To(BeEquivalentTo("1"), "200 forecast, 201 published")
			Expect(lead.Slots).To(BeNumerically("~", 80-2*hours, 3))
		}

		By("telling the metrics")
		values := metricsOf(gb)
		Expect(values).To(And(
			HaveKeyWithValue("ecotracker_region_intensity_grams_per_kwh Average ukCarbonIntensity", Or(Equal(200.0), Equal(201.0))),
			HaveKeyWithValue("ecotracker_region_quality Forecast", 1.0),
			HaveKeyWithValue("ecotracker_region_quality Stale", 0.0),
			HaveKeyWithValue("ecotracker_region_forecast_error_grams_per_kwh 24h", 1.0),
			HaveKey("ecotracker_region_forecast_fetched_timestamp_seconds"),
			HaveKey("ecotracker_source_last_success_timestamp_seconds ukCarbonIntensity"),
			HaveKeyWithValue("ecotracker_source_polls_total ukCarbonIntensity", BeNumerically(">=", p.calls)),
		))
		p.broken = func() *http.Response { return answer(http.StatusInternalServerError, "") }
		w.at(now.Add(time.Hour), gb)
		Expect(metricsOf(gb)).To(And(
			HaveKeyWithValue("ecotracker_source_failures_total SourceUnavailable ukCarbonIntensity", 1.0),
			HaveKeyWithValue("ecotracker_region_quality Stale", 1.0),
			HaveKeyWithValue("ecotracker_region_quality Forecast", 0.0),
		))

		By("forgetting what may be another source's")
		w.editRegion(gb, func(r *carbonv1alpha1.GridRegion) { r.Spec.Source.UKCarbonIntensity.RegionID = 13 })
		Expect(w.getRegion(gb).Status.Issued).To(BeEmpty())
		Expect(w.getRegion(gb).Status.Accuracy).To(BeNil())

		By("saying nothing of a region that is gone")
		Expect(api.Delete(ctx, w.getRegion(gb))).To(Succeed())
		w.readRegion(gb)
		Expect(metricsOf(gb)).To(BeEmpty())
	})

	It("fits into an object, with the shortest slots there are", func(ctx context.Context) {
		w := newWorld(ctx)
		w.sources = &http.Client{Transport: &wattTime{w: w}}
		w.restart()
		Expect(api.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "watttime", Namespace: w.namespace},
			Data:       map[string][]byte{"username": []byte("me"), "password": []byte("s3cret")},
		})).To(Succeed())
		us := w.regionName("us")
		w.region(us, carbonv1alpha1.IntensitySource{WattTime: &carbonv1alpha1.WattTimeSource{
			Region: "CAISO_NORTH", CredentialsSecretRef: carbonv1alpha1.SecretReference{Name: "watttime"},
		}}, nil)
		for i := range 38 {
			w.at(w.slot(2*i).Add(7*time.Minute), us)
		}
		region := w.getRegion(us)
		Expect(region.Status.Issued).To(HaveLen(36))
		Expect(region.Status.Accuracy.LeadTimes).To(HaveLen(4))
		data, err := json.Marshal(region)
		Expect(err).NotTo(HaveOccurred())
		GinkgoWriter.Println("bytes of the GridRegion:", len(data))
		Expect(len(data)).To(BeNumerically("<", 48<<10))
	})
})
