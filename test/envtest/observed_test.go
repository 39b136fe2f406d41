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
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// observing plays a Carbon Aware SDK that forecasts 300 from the next slot on, and tells so many slots late that it
// was 310.
type observing struct {
	w      *world
	late   int
	broken bool
	calls  []string
}

// present is the number of the slot that it is.
func (o *observing) present() int { return int(o.w.clock.Now().Sub(o.w.slot(0)) / (30 * time.Minute)) }

func (o *observing) RoundTrip(r *http.Request) (*http.Response, error) {
	o.calls = append(o.calls, r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
	if o.broken {
		return answer(http.StatusBadGateway, ""), nil
	}
	present := o.present()
	if !isPast(r) {
		var points []string
		for i := present + 1; i <= present+60; i++ {
			points = append(points, o.w.sdkPoint(i, "300"))
		}
		return answer(http.StatusOK, o.w.sdkAnswer(points...)), nil
	}
	from, err := time.Parse(time.RFC3339, r.URL.Query().Get("time"))
	Expect(err).NotTo(HaveOccurred())
	var slots []string
	for i := present - o.late; !o.w.slot(i).Before(from); i-- {
		slots = append(slots, fmt.Sprintf(`{"location":"UK","time":%q,"rating":310,"duration":"00:30:00"}`, o.w.slot(i).Format("2006-01-02T15:04:05+00:00")))
	}
	return answer(http.StatusOK, "["+strings.Join(slots, ",")+"]"), nil
}

var _ = Describe("A Carbon Aware SDK that observes", func() {
	It("has actual values as soon as it tells them, a mean day, and an accuracy", func(ctx context.Context) {
		w := newWorld(ctx)
		o := &observing{w: w, late: 3}
		w.sources = &http.Client{Transport: o}
		w.restart()
		gb := w.regionName("gb")
		w.region(gb, carbonv1alpha1.IntensitySource{CarbonAwareSDK: &carbonv1alpha1.CarbonAwareSDKSource{Endpoint: "https://carbon.example.org", Location: "uksouth"}}, nil)
		Expect(o.calls).To(Equal([]string{"current", "bylocation", "bylocation"}), "the last of them for the mean day")
		status := w.getRegion(gb).Status
		Expect(w.chain(gb)).To(Equal([]string{"310", "Profile", "carbonAwareSDK", "True/ProfileInUse", "False/ForecastNotBegun"}))
		Expect(status.Profile).To(HaveValue(And(HaveField("Days", BeNumerically(">=", 10)), HaveField("GramsPerKWh", HaveEach(BeEquivalentTo("310"))))))

		for i := range 8 {
			w.at(w.start.Add(time.Duration(i+1)*34*time.Minute), gb)
			Expect(w.chain(gb)).To(Equal([]string{"300", "Forecast", "carbonAwareSDK", "True/ForecastAvailable", "True/ForecastAvailable"}))
		}
		status = w.getRegion(gb).Status
		Expect(status.Recent.Qualities).To(HaveSuffix("AAFF"), "what was forecast counts until it is told")
		Expect(status.Recent.ActualUntil.UTC()).To(Equal(w.slot(o.present() - 2)))
		Expect(status.Recent.GramsPerKWh[len(status.Recent.GramsPerKWh)-3:]).To(Equal([]carbonv1alpha1.Decimal{"310", "300", "300"}))
		Expect(status.Accuracy.LeadTimes[0]).To(And(HaveField("Hours", BeEquivalentTo(1)), HaveField("MeanAbsoluteErrorGramsPerKWh", BeEquivalentTo("10"))))
		Expect(o.calls).To(HaveLen(3+8*2), "two a period, and the mean day once")
	})

	It("may tell of the present before it forecasts it, after an outage too", func(ctx context.Context) {
		w := newWorld(ctx)
		o := &observing{w: w}
		w.sources = &http.Client{Transport: o}
		w.restart()
		gb := w.regionName("gb")
		w.region(gb, carbonv1alpha1.IntensitySource{CarbonAwareSDK: &carbonv1alpha1.CarbonAwareSDKSource{Endpoint: "https://carbon.example.org", Location: "uksouth"}}, nil)
		fine := []string{"310", "Forecast", "carbonAwareSDK", "True/ForecastAvailable", "True/ForecastAvailable"}
		Expect(w.chain(gb)).To(Equal(fine))
		o.broken = true
		w.at(w.start.Add(34*time.Minute), gb)
		Expect(w.chain(gb)).To(Equal([]string{"300", "Stale", "carbonAwareSDK", "True/ForecastAvailable", "False/SourceUnavailable"}))
		o.broken = false
		w.at(w.start.Add(38*time.Minute), gb)
		Expect(w.chain(gb)).To(Equal(fine))
	})
})
