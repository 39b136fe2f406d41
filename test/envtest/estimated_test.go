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
	"path"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// electricityMaps plays that API: 300 in every hour to come, 250 in those that ended, estimated or not.
type electricityMaps struct {
	w         *world
	estimated bool
	// mute are the kinds of question that are not answered.
	mute []string
}

func (e *electricityMaps) RoundTrip(r *http.Request) (*http.Response, error) {
	kind, zone := path.Base(r.URL.Path), r.URL.Query().Get("zone")
	if slices.Contains(e.mute, kind) {
		return answer(http.StatusBadGateway, ""), nil
	}
	first, grams := e.w.clock.Now().UTC().Truncate(time.Hour), 300
	if kind != "forecast" {
		first, grams = first.Add(-24*time.Hour), 250
	}
	var points []any
	for i := range 24 {
		points = append(points, map[string]any{
			"zone": zone, "carbonIntensity": grams, "datetime": first.Add(time.Duration(i) * time.Hour).Format("2006-01-02T15:04:05.000Z"),
			"isEstimated": e.estimated,
		})
	}
	list := map[string]string{"forecast": "forecast", "history": "history", "past-range": "data"}[kind]
	body, err := json.Marshal(map[string]any{"zone": zone, list: points})
	Expect(err).NotTo(HaveOccurred())
	return answer(http.StatusOK, string(body)), nil
}

var _ = Describe("What a source only estimated", func() {
	It("is told apart from what was measured, in the region and in records", func(ctx context.Context) {
		w := newWorld(ctx)
		source := &electricityMaps{w: w, estimated: true}
		w.sources = &http.Client{Transport: source}
		w.restart()
		Expect(api.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "em", Namespace: w.namespace}, Data: map[string][]byte{"token": []byte("t")},
		})).To(Succeed())
		de := w.regionName("de")
		w.region(de, carbonv1alpha1.IntensitySource{ElectricityMaps: &carbonv1alpha1.ElectricityMapsSource{
			Zone: "DE", TokenSecretRef: carbonv1alpha1.SecretKeyReference{Name: "em", Key: "token"},
		}}, nil)
		Expect(w.getRegion(de).Status.Recent.Qualities).To(Equal("EEEEEEEEEEEEEEEEEEEEEEEE"))
		Expect(w.getRegion(de).Status.Recent.ActualUntil).To(BeNil())

		By("keeping a record provisional that is made of it")
		hour := w.start.UTC().Truncate(time.Hour)
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(de).KWh("1"), hour.Add(time.Hour))
		w.completed("x", hour.Add(2*time.Hour))
		w.at(hour.Add(2*time.Hour+35*time.Minute), de)
		w.plan("x")
		Expect(reasonOf(w.get("x"), "EmissionsRecorded")).To(Equal("Unknown/Provisional"))
		Expect(w.get("x").Status.Emissions.Quality).To(Equal(carbonv1alpha1.QualityEstimated))
		Expect(w.get("x").Status.Emissions.ActualGrams).To(BeEquivalentTo("250"))

		By("knowing it after a restart, without a call")
		w.restart()
		w.at(hour.Add(2*time.Hour+36*time.Minute), de)
		Expect(w.getRegion(de).Status.Recent.Qualities).To(Equal("EEEEEEEEEEEEEEEEEEEEEEEEEE"), "those that the source tells no more, too")

		By("making the record final once it is measured")
		source.estimated = false
		w.at(hour.Add(3*time.Hour+10*time.Minute), de)
		w.plan("x")
		Expect(reasonOf(w.get("x"), "EmissionsRecorded")).To(Equal("True/Final"))
		Expect(w.get("x").Status.Emissions.Quality).To(Equal(carbonv1alpha1.QualityActual))
	})
})
