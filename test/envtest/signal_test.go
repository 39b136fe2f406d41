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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// wattTime plays the API of WattTime: 1000 pounds per MWh, 100 of them from the hour green on.
type wattTime struct {
	w             *world
	green         time.Time
	down          bool
	logins, calls int
}

func (p *wattTime) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.down {
		return answer(http.StatusBadGateway, "secret words"), nil
	}
	if r.URL.Path == "/login" {
		p.logins++
		if user, password, _ := r.BasicAuth(); user != "me" || password != "s3cret" {
			return answer(http.StatusUnauthorized, "no s3cret"), nil
		}
		return answer(http.StatusOK, `{"token":"jwt"}`), nil
	}
	Expect(r.Header.Get("Authorization")).To(Equal("Bearer jwt"))
	query := r.URL.Query()
	p.calls++
	now := p.w.clock.Now().UTC().Truncate(5 * time.Minute)
	from, to := now, now.Add(72*time.Hour)
	if r.URL.Path == "/v3/historical" {
		var err error
		from, err = time.Parse(time.RFC3339, query.Get("start"))
		Expect(err).NotTo(HaveOccurred())
		from, to = from.Truncate(5*time.Minute), now.Add(-5*time.Minute)
	}
	var points []any
	for t := from; !t.After(to); t = t.Add(5 * time.Minute) {
		pounds := 1000
		if !p.green.IsZero() && !t.Before(p.green) && t.Before(p.green.Add(time.Hour)) {
			pounds = 100
		}
		points = append(points, map[string]any{"point_time": t.Format("2006-01-02T15:04:05+00:00"), "value": pounds})
	}
	body, err := json.Marshal(map[string]any{"data": points, "meta": map[string]any{
		"region": query.Get("region"), "signal_type": query.Get("signal_type"), "units": "lbs_co2_per_mwh", "data_point_period_seconds": 300,
	}})
	Expect(err).NotTo(HaveOccurred())
	return answer(http.StatusOK, string(body)), nil
}

var _ = Describe("A region with marginal intensities", func() {
	caiso := carbonv1alpha1.IntensitySource{WattTime: &carbonv1alpha1.WattTimeSource{
		Region: "CAISO_NORTH", CredentialsSecretRef: carbonv1alpha1.SecretReference{Name: "watttime"},
	}}
	account := func(w *world, password string) {
		Expect(api.Create(w.ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "watttime", Namespace: w.namespace},
			Data:       map[string][]byte{"username": []byte("me"), "password": []byte(password)},
		})).To(Succeed())
	}
	provider := func(w *world) *wattTime {
		p := &wattTime{w: w}
		w.sources = &http.Client{Transport: p}
		w.restart()
		return p
	}

	It("says so, in grams, and never meets average ones", func(ctx context.Context) {
		w := newWorld(ctx)
		p := provider(w)
		us := w.regionName("us")
		w.region(us, caiso, nil)
		fresh := func() string { return conditionMessage(w.getRegion(us).Status.Conditions, "Fresh") }
		Expect(fresh()).To(Equal(fmt.Sprintf("wattTime: Secret %s/watttime does not exist", w.namespace)))

		account(w, "s3cret\n")
		now := w.slot(4).Add(time.Minute)
		p.green = w.slot(8)
		w.at(now, us)
		status := w.getRegion(us).Status
		Expect(status.Intensity).To(HaveValue(And(
			HaveField("GramsPerKWh", BeEquivalentTo("453.592")), HaveField("Source", "wattTime"),
			HaveField("Signal", carbonv1alpha1.SignalMarginal), HaveField("Quality", carbonv1alpha1.QualityForecast))))
		Expect(status.Greenest).To(HaveValue(And(
			HaveField("GramsPerKWh", BeEquivalentTo("45.359")), HaveField("Start", WithTransform(metav1.Time.UTC, Equal(w.slot(8)))))))
		Expect(status.Forecast.StepSeconds).To(BeEquivalentTo(300))
		Expect(len(status.Forecast.GramsPerKWh)).To(BeNumerically(">=", 863))
		Expect(len(status.Recent.GramsPerKWh)).To(BeNumerically(">=", 574))
		Expect(status.Recent.ActualUntil.UTC()).To(Equal(now.UTC().Truncate(5 * time.Minute)))
		Expect(status.Profile.GramsPerKWh).To(HaveLen(48))
		data, err := json.Marshal(w.getRegion(us))
		Expect(err).NotTo(HaveOccurred())
		Expect(string(data) + strings.Join(w.events(), " ")).NotTo(Or(ContainSubstring("s3cret"), ContainSubstring("jwt")))

		By("asking again when five minutes have passed, with the token that it has")
		calls := p.calls
		w.at(now.Add(4*time.Minute), us)
		Expect(p.calls).To(Equal(calls))
		w.at(now.Add(6*time.Minute), us)
		Expect([]int{p.calls, p.logins}).To(Equal([]int{calls + 2, 1}))

		By("being left out of a plan whose home has average intensities")
		gb := w.trace("gb", nil, dip(8, 100)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb, us).MaxDelay(100 * time.Hour).Jitter(0).KWh("1"))
		w.plan("x")
		plan := w.get("x").Status.Plan
		Expect(plan.Region).To(Equal(gb))
		Expect(plan.Candidates[1].Excluded).To(Equal(fmt.Sprintf(
			"region %s has marginal intensities, %s has average ones: they cannot be compared", us, gb)))

		By("being chosen among its like, and recorded as what it is")
		w.create(build.CarbonAwareJob("y", w.namespace).Regions(us, gb).MaxDelay(100 * time.Hour).Jitter(0).KWh("1"))
		w.plan("y")
		plan = w.get("y").Status.Plan
		Expect(plan.Signal).To(Equal(carbonv1alpha1.SignalMarginal))
		Expect(plan.Region).To(Equal(us))
		Expect(plan.Start.UTC()).To(Equal(w.slot(8)))
		Expect(plan.Candidates[1].Excluded).NotTo(BeEmpty())
		w.clock.SetTime(w.slot(8))
		w.startDue("y")
		w.running("y", w.slot(8))
		w.plan("y")
		w.completed("y", w.slot(9))
		w.at(w.slot(9).Add(10*time.Minute), us)
		w.plan("y")
		Expect(reasonOf(w.get("y"), "EmissionsRecorded")).To(Equal("True/Final"))
		emissions := w.get("y").Status.Emissions
		Expect(emissions.ActualGrams).To(BeEquivalentTo("45.359"))
		Expect(emissions.Intensity.Signal).To(Equal(carbonv1alpha1.SignalMarginal))
	})

	It("has no annual mean to fall back on: unknown stays unknown", func(ctx context.Context) {
		w := newWorld(ctx)
		p := provider(w)
		p.down = true
		account(w, "s3cret")
		us := w.regionName("us")
		w.region(us, caiso, nil)
		region := w.getRegion(us)
		Expect(region.Status.Intensity).To(BeNil())
		Expect(conditionMessage(region.Status.Conditions, "Ready")).To(Equal("wattTime: it answered with HTTP status 502"))

		By("keeping a record unknown that nothing marginal can be said of")
		w.budget(build.CarbonBudget("team", w.namespace, "1000"))
		w.started(build.CarbonAwareJob("x", w.namespace).Regions(us).KWh("1").TTL(1), w.slot(1))
		w.completed("x", w.slot(2))
		w.clock.SetTime(w.slot(3))
		Expect(w.plan("x").RequeueAfter).To(Equal(w.slot(2).Add(24 * time.Hour).Sub(w.slot(3))))
		Expect(reasonOf(w.get("x"), "EmissionsRecorded")).To(Equal("Unknown/IntensityUnknown"))
		Expect(w.get("x").DeletionTimestamp).To(BeNil())
		w.clock.SetTime(w.slot(3).Add(25 * time.Hour))
		w.plan("x")
		Expect(reasonOf(w.get("x"), "EmissionsRecorded")).To(Equal("False/IntensityUnknown"))
		Expect(w.get("x").Status.Emissions).To(BeNil())
		Expect(w.sums("team")).To(Equal(grams("473.01", "0", "526.99")), "what was reserved")

		By("letting the job go when its TTL is over, but not before the record had its day, with its grams in the budget")
		Expect(w.get("x").DeletionTimestamp).NotTo(BeNil())
		w.plan("x")
		w.count("team")
		w.plan("x")
		w.gone(&carbonv1alpha1.CarbonAwareJob{}, "x")
		Expect(w.sums("team")).To(Equal(grams("473.01", "0", "526.99")))

		region.Spec.AnnualMean = "USA"
		Expect(api.Update(ctx, region)).To(MatchError(ContainSubstring("cannot stand in for a marginal one")))
	})

	It("asks for a login once a minute at most, however many regions are refused", func(ctx context.Context) {
		w := newWorld(ctx)
		p := provider(w)
		account(w, "wrong")
		for i := range 5 {
			w.region(w.regionName(fmt.Sprintf("us%d", i)), caiso, nil)
		}
		Expect([]int{p.logins, p.calls}).To(Equal([]int{1, 0}))
		Expect(conditionMessage(w.getRegion(w.regionName("us4")).Status.Conditions, "Fresh")).To(Equal("wattTime: it answered with HTTP status 401"))
	})
})
