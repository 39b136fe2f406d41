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
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// hosts answers for each host with a body of its own, and for the others with an error.
type hosts map[string]func() string

func (h hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	if body := h[r.URL.Host]; body != nil {
		return answer(http.StatusOK, body()), nil
	}
	return answer(http.StatusBadGateway, ""), nil
}

// busyHistory asks for two hours of peace when it is asked for the last 14 days.
type busyHistory struct{ *provider }

func (b busyHistory) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.isHistory(r) {
		return answer(http.StatusTooManyRequests, "", "Retry-After", "7200"), nil
	}
	return b.provider.RoundTrip(r)
}

var _ = Describe("A region's chain of sources", func() {
	It("tells by an Event which fallback speaks, once for each change", func(ctx context.Context) {
		w := newWorld(ctx)
		good := func() string { return w.sdkGood("77") }
		answers := hosts{"carbon.example.org": good}
		w.sources = &http.Client{Transport: answers}
		w.restart()
		name := w.regionName("gb")
		w.setTrace(name+"-trace", w.csv(flat(40, 88)...))
		w.region(name, uk, nil)
		w.events()
		w.editRegion(name, func(r *carbonv1alpha1.GridRegion) {
			r.Spec.Fallbacks = []carbonv1alpha1.IntensitySource{
				{CarbonAwareSDK: &carbonv1alpha1.CarbonAwareSDKSource{Endpoint: "https://carbon.example.org", Location: "uksouth"}},
				traceSource(name + "-trace"),
			}
		})
		fallbacks := func() (told []string) {
			for _, line := range w.events() {
				if strings.Contains(line, "FallbackInUse") {
					speaker, _, _ := strings.Cut(strings.TrimPrefix(line, "Normal FallbackInUse "), " ")
					told = append(told, speaker)
				}
			}
			return told
		}
		Expect(w.chain(name)[:3]).To(Equal([]string{"77", "Forecast", "carbonAwareSDK"}))
		Expect(fallbacks()).To(Equal([]string{"carbonAwareSDK"}))

		By("the second one when the first one fails too")
		delete(answers, "carbon.example.org")
		w.at(w.start.Add(40*time.Minute), name)
		Expect(w.chain(name)[:3]).To(Equal([]string{"88", "Forecast", "trace"}))
		Expect(fallbacks()).To(Equal([]string{"trace"}))
		w.at(w.start.Add(100*time.Minute), name)
		Expect(fallbacks()).To(BeEmpty(), "nothing has changed")

		By("and the first one when it is back")
		answers["carbon.example.org"] = good
		w.at(w.start.Add(180*time.Minute), name)
		Expect(w.chain(name)[:3]).To(Equal([]string{"77", "Forecast", "carbonAwareSDK"}))
		Expect(fallbacks()).To(Equal([]string{"carbonAwareSDK"}))
	})

	It("leaves a source alone that asks for it when it is asked for its last days", func(ctx context.Context) {
		w := newWorld(ctx)
		p := newProvider(w)
		w.sources.Transport = busyHistory{p}
		gb := w.regionName("gb")
		w.region(gb, uk, nil)
		Expect(p.calls).To(Equal(1))
		for _, later := range []time.Duration{35 * time.Minute, 70 * time.Minute, 119 * time.Minute} {
			w.at(w.start.Add(later), gb)
			Expect(p.calls).To(Equal(1))
			Expect(w.chain(gb)).To(Equal([]string{"200", "Forecast", "ukCarbonIntensity", "True/ForecastAvailable", "True/ForecastAvailable"}))
		}
		w.at(w.start.Add(125*time.Minute), gb)
		Expect(p.calls).To(Equal(2))
	})
})
