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
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// sdkAnswer is a forecast of the Carbon Aware SDK in half hours from the world's first slot on.
func (w *world) sdkAnswer(points ...string) string {
	return fmt.Sprintf(`[{"location":"uksouth","forecastData":[%s]}]`, strings.Join(points, ","))
}

func (w *world) sdkPoint(slot int, value string) string {
	return fmt.Sprintf(`{"location":"uksouth","timestamp":%q,"duration":30,"value":%s}`, w.slot(slot).Format(time.RFC3339), value)
}

func (w *world) sdkGood(value string) string {
	var points []string
	for i := range 20 {
		points = append(points, w.sdkPoint(i, value))
	}
	return w.sdkAnswer(points...)
}

// say is an answer made of what the world knows.
func say(body func(*world) string) func(*world, http.ResponseWriter, *http.Request) {
	return func(w *world, out http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(out, body(w)) }
}

var _ = Describe("A region whose source does the worst", func() {
	const unavailable, malformed, refused = "SourceUnavailable", "MalformedAnswer", "CredentialsRefused"
	pour := func(_ *world, out http.ResponseWriter, _ *http.Request) {
		for chunk := bytes.Repeat([]byte("7"), 1<<16); ; {
			if _, err := out.Write(chunk); err != nil {
				return
			}
		}
	}
	status := func(code int, header ...string) func(*world, http.ResponseWriter, *http.Request) {
		return func(_ *world, out http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				out.Header().Set(header[i], header[i+1])
			}
			out.WriteHeader(code)
			_, _ = io.WriteString(out, "secret words")
		}
	}
	hijack := func(text string) func(*world, http.ResponseWriter, *http.Request) {
		return func(_ *world, out http.ResponseWriter, _ *http.Request) {
			connection, _, err := http.NewResponseController(out).Hijack()
			if err == nil {
				_, _ = io.WriteString(connection, text)
				_ = connection.Close()
			}
		}
	}
	twice := func(a, b string) func(*world) string {
		return func(w *world) string { return w.sdkAnswer(w.sdkPoint(0, a), w.sdkPoint(1, "250"), w.sdkPoint(0, b)) }
	}

	DescribeTable("is Ready by the next step of the chain, shows no wrong number, and recovers",
		func(ctx context.Context, reason string, worst func(*world, http.ResponseWriter, *http.Request)) {
			w := newWorld(ctx)
			var broken atomic.Bool
			good := func() string { return w.sdkGood("240") }
			server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
				if broken.Load() {
					worst(w, out, r)
					return
				}
				_, _ = io.WriteString(out, good())
			}))
			DeferCleanup(server.Close)
			w.sources = forecast.NewClient(true)
			w.sources.Timeout = 2 * time.Second // for the one that drips
			w.restart()
			name := w.regionName("gb")
			seen := func() []string {
				s := w.getRegion(name).Status
				out := []string{"unknown"}
				if s.Intensity != nil {
					out = []string{string(s.Intensity.GramsPerKWh), string(s.Intensity.Quality)}
				}
				for _, c := range []string{carbonv1alpha1.RegionReady, carbonv1alpha1.RegionFresh} {
					for _, is := range s.Conditions {
						if is.Type == c {
							out = append(out, string(is.Status)+"/"+is.Reason)
							Expect(is.Message).NotTo(Or(ContainSubstring("secret"), ContainSubstring("127.0.0.1")))
						}
					}
				}
				return out
			}

			broken.Store(true)
			w.region(name, carbonv1alpha1.IntensitySource{CarbonAwareSDK: &carbonv1alpha1.CarbonAwareSDKSource{
				Endpoint: server.URL, Location: "uksouth",
			}}, nil)
			w.editRegion(name, func(r *carbonv1alpha1.GridRegion) { r.Spec.AnnualMean = "GBR" })
			Expect(seen()).To(Equal([]string{"211", "AnnualMean", "True/AnnualMeanInUse", "False/" + reason}))

			broken.Store(false)
			w.at(w.start.Add(2*time.Hour), name)
			fine := []string{"240", "Forecast", "True/ForecastAvailable", "True/ForecastAvailable"}
			Expect(seen()).To(Equal(fine))

			broken.Store(true)
			w.at(w.start.Add(3*time.Hour), name)
			Expect(seen()).To(Equal([]string{"240", "Stale", "True/ForecastAvailable", "False/" + reason}))

			broken.Store(false)
			w.at(w.start.Add(6*time.Hour), name)
			Expect(seen()).To(Equal(fine))
		},
		Entry("500", unavailable, status(500)),
		Entry("429 with Retry-After", unavailable, status(429, "Retry-After", "1800")),
		Entry("401", refused, status(401)),
		Entry("a redirect to a metadata address", unavailable, status(302, "Location", "http://169.254.169.254/latest/meta-data")),
		Entry("a redirect to another port", unavailable, status(302, "Location", "http://127.0.0.1:1/")),
		Entry("a slow drip", unavailable, func(_ *world, out http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(out, "[")
			_ = http.NewResponseController(out).Flush()
			<-r.Context().Done()
		}),
		Entry("a cut connection", unavailable, hijack("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nsecret")),
		Entry("no HTTP", unavailable, hijack("secret words\r\n\r\n")),
		Entry("a body without end", malformed, pour),
		Entry("HTML", malformed, say(func(*world) string { return "<html>secret words" })),
		Entry("nothing", malformed, say(func(*world) string { return "" })),
		Entry("NaN", malformed, say(func(w *world) string { return w.sdkGood("NaN") })),
		Entry("NaN as text", malformed, say(func(w *world) string { return w.sdkGood(`"NaN"`) })),
		Entry("infinite", malformed, say(func(w *world) string { return w.sdkGood("1e999") })),
		Entry("negative", malformed, say(func(w *world) string { return w.sdkGood("-1") })),
		Entry("of another unit", malformed, say(func(w *world) string { return w.sdkGood("240000") })),
		Entry("unknown all over", malformed, say(func(w *world) string { return w.sdkGood("null") })),
		Entry("past only", malformed, say(func(w *world) string { return w.sdkAnswer(w.sdkPoint(-4, "90"), w.sdkPoint(-3, "90")) })),
		Entry("of tomorrow only", "ForecastNotBegun", say(func(w *world) string { return w.sdkAnswer(w.sdkPoint(48, "90"), w.sdkPoint(49, "90")) })),
		Entry("twice, and not the same", malformed, say(twice("240", "90"))),
		Entry("overlapping", malformed, say(func(w *world) string {
			return w.sdkAnswer(w.sdkPoint(0, "90"), strings.Replace(w.sdkPoint(0, "90"), "0:00Z", "5:00Z", 1))
		})),
		Entry("of a slot that has a gap for now", malformed, say(func(w *world) string {
			return w.sdkAnswer(w.sdkPoint(-1, "90"), w.sdkPoint(20, "90"))
		})),
		Entry("of another place", malformed, say(func(w *world) string { return strings.ReplaceAll(w.sdkGood("90"), "uksouth", "eastus") })),
	)

	DescribeTable("believes what can be put in order",
		func(ctx context.Context, body func(*world) string, grams ...string) {
			w := newWorld(ctx)
			server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) { say(body)(w, out, r) }))
			DeferCleanup(server.Close)
			w.sources = forecast.NewClient(true)
			w.restart()
			name := w.regionName("gb")
			w.region(name, carbonv1alpha1.IntensitySource{CarbonAwareSDK: &carbonv1alpha1.CarbonAwareSDKSource{
				Endpoint: server.URL, Location: "uksouth",
			}}, nil)
			var got []string
			for _, g := range w.getRegion(name).Status.Forecast.GramsPerKWh {
				got = append(got, string(g))
			}
			Expect(got).To(Equal(grams))
		},
		Entry("unsorted", func(w *world) string {
			return w.sdkAnswer(w.sdkPoint(2, "300"), w.sdkPoint(0, "240"), w.sdkPoint(1, "250"))
		}, "240", "250", "300"),
		Entry("twice the same", twice("240", "240"), "240", "250"),
		Entry("with a gap", func(w *world) string { return w.sdkAnswer(w.sdkPoint(0, "240"), w.sdkPoint(2, "300")) }, "240", "", "300"),
		Entry("zero, which is not unknown", func(w *world) string { return w.sdkAnswer(w.sdkPoint(0, "0"), w.sdkPoint(1, "null")) }, "0", ""),
		Entry("with slots that have ended", func(w *world) string {
			return w.sdkAnswer(w.sdkPoint(-2, "90"), w.sdkPoint(-1, "90"), w.sdkPoint(0, "240"))
		}, "240"),
		Entry("a single forecast, as older versions send it", func(w *world) string { return strings.Trim(w.sdkAnswer(w.sdkPoint(0, "240")), "[]") }, "240"),
	)
})
