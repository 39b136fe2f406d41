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

package e2e

import (
	"context"
	"crypto/tls"
	"net/http"
	"os/exec"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

var _ = Describe("A real Prometheus that scrapes the manager", func() {
	It("has an answer to every query of the dashboard, and the same grams as the records", func(ctx context.Context) {
		needPrometheus()
		noJobs(ctx)
		ns := namespace(ctx)
		// The first slot is dirty, the second clean: a job waits, another does not.
		trace(ctx, "seen", 8*time.Second, nil, repeat(100, 300, 100)...)
		brokenRegion(ctx, "unseen")

		address := freeAddress()
		startManager("", "--metrics-bind-address="+address, "--own-region=seen")
		learned(ctx, "seen")
		rules, tests := alertRules()
		p := startPrometheus(address, tokenOfReader(ctx, ns), rules)
		Eventually(func(g Gomega) {
			g.Expect(p.query(g, ctx, "sum(ecotracker_recorded_grams_total)")).To(Equal([]float64{0}))
		}).WithContext(ctx).Should(Succeed(), "the counters begin at 0, before anything happens")

		By("running a job to its final record, and holding another")
		limit := &carbonv1alpha1.CarbonBudget{
			ObjectMeta: metav1.ObjectMeta{Name: "team", Namespace: ns},
			Spec:       carbonv1alpha1.CarbonBudgetSpec{LimitGrams: new(resource.MustParse("1000"))},
		}
		Expect(cluster.Create(ctx, limit)).To(Succeed())
		key := types.NamespacedName{Namespace: ns, Name: "seen"}
		j := build.CarbonAwareJob(key.Name, ns).Regions("seen").MaxDelay(40 * time.Second).Duration(4 * time.Second).Jitter(0).KWh("0.5")
		Expect(cluster.Create(ctx, runnable(j, 2*time.Second).Obj())).To(Succeed())
		Expect(cluster.Create(ctx, build.CarbonAwareJob("held", ns).Regions("seen").Suspend(true).Obj())).To(Succeed())
		record := eventuallyFinal(ctx, key).Status.Emissions

		By("finding the record in the counters")
		for query, want := range map[string]carbonv1alpha1.Decimal{
			`sum(ecotracker_recorded_grams_total{scenario="baseline"})`:                                                             record.BaselineGrams,
			`sum(ecotracker_recorded_grams_total{scenario="actual"})`:                                                               record.ActualGrams,
			`sum(ecotracker_recorded_grams_total{scenario="baseline"}) - sum(ecotracker_recorded_grams_total{scenario="own_time"})`: record.AvoidedBy.Time,
			`sum(ecotracker_recorded_energy_kwh_total)`:                                                                             record.EnergyKWh,
			`sum(ecotracker_recorded_runs_total)`:                                                                                   "1",
			`sum(ecotracker_start_lateness_seconds_count)`:                                                                          "1",
			`max(ecotracker_jobs{status="Suspended"})`:                                                                              "1",
			`max(ecotracker_budget_consumed_grams{budget="team"})`:                                                                  record.ActualGrams,
			`max(ecotracker_jobs_overdue)`:                                                                                          "0",
		} {
			number, err := strconv.ParseFloat(string(want), 64)
			Expect(err).NotTo(HaveOccurred())
			Eventually(func(g Gomega) {
				g.Expect(p.query(g, ctx, query)).To(ConsistOf(BeNumerically("~", number, 1e-9)), query)
			}).WithContext(ctx).Should(Succeed())
		}

		By("asking what the dashboard asks")
		queries := dashboardQueries()
		Expect(len(queries)).To(BeNumerically(">", 15))
		for panel, exprs := range queries {
			for _, expr := range exprs {
				Eventually(func(g Gomega) {
					g.Expect(p.query(g, ctx, expr)).NotTo(BeEmpty(), "panel %q: %s", panel, expr)
				}).WithContext(ctx).Should(Succeed())
			}
		}

		By("checking the alerts")
		for _, args := range [][]string{{"check", "rules", rules}, {"test", "rules", tests}} {
			output, err := exec.CommandContext(ctx, "promtool", args...).CombinedOutput()
			Expect(err).NotTo(HaveOccurred(), "promtool %v: %s", args, output)
		}
		Eventually(func(g Gomega) { g.Expect(unhealthyRules(g, ctx, p)).To(BeEmpty()) }).WithContext(ctx).Should(Succeed())
	})
})

var _ = Describe("The metrics", func() {
	It("are for those who may read them", func(ctx context.Context) {
		ns := namespace(ctx)
		address := freeAddress()
		startManager("", "--metrics-bind-address="+address)
		reader := tokenOfReader(ctx, ns)
		Eventually(statusOf).WithContext(ctx).WithArguments(address, reader).Should(Equal(http.StatusOK))
		Expect(statusOf(ctx, address, "")).To(Equal(http.StatusUnauthorized))
		Expect(statusOf(ctx, address, tokenOf(ctx, ns, "nobody"))).To(Equal(http.StatusForbidden))
	})
})

// noJobs deletes what other specs have left behind, as a manager would count its records.
func noJobs(ctx context.Context) {
	GinkgoHelper()
	m := startManager("")
	defer m.terminate()
	kubectl(ctx, "delete", "carbonawarejobs", "--all", "--all-namespaces", "--timeout=90s")
}

// brokenRegion makes a region whose source cannot be reached: its address is a private one.
func brokenRegion(ctx context.Context, name string) {
	GinkgoHelper()
	region := &carbonv1alpha1.GridRegion{ObjectMeta: metav1.ObjectMeta{Name: name}}
	region.Spec.Source.CarbonAwareSDK = &carbonv1alpha1.CarbonAwareSDKSource{Endpoint: "https://127.0.0.1:1", Location: "nowhere"}
	Expect(cluster.Create(ctx, region)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(cluster.Delete(ctx, region))).To(Succeed()) })
}

// learned gives a region the record of a source that has been compared with what came: that takes
// hours otherwise.
func learned(ctx context.Context, name string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		region := &carbonv1alpha1.GridRegion{}
		g.Expect(cluster.Get(ctx, types.NamespacedName{Name: name}, region)).To(Succeed())
		g.Expect(region.Status.Sources).NotTo(BeEmpty(), "what is known of a source goes when another takes its place")
		before := region.DeepCopy()
		region.Status.Accuracy = &carbonv1alpha1.ForecastAccuracy{
			ComparedUntil: metav1.NewTime(time.Now()),
			LeadTimes:     []carbonv1alpha1.LeadTimeAccuracy{{Hours: 4, MeanAbsoluteErrorGramsPerKWh: "12.5", Slots: 48}},
		}
		g.Expect(cluster.Status().Patch(ctx, region, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))).To(Succeed())
	}).WithContext(ctx).Should(Succeed())
}

// unhealthyRules are the alerts that Prometheus cannot evaluate, and one for rules that are missing.
func unhealthyRules(g Gomega, ctx context.Context, p *prometheus) []string { //nolint:revive // Gomega comes first in an Eventually
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
	}
	p.get(g, ctx, "/api/v1/rules", &answer)
	var unhealthy []string
	count := 0
	for _, group := range answer.Data.Groups {
		for _, rule := range group.Rules {
			count++
			if rule.Health != "ok" {
				unhealthy = append(unhealthy, rule.Name+" is "+rule.Health+" "+rule.LastError)
			}
		}
	}
	if count < 5 {
		unhealthy = append(unhealthy, "there are only "+strconv.Itoa(count)+" rules")
	}
	return unhealthy
}

// statusOf is the status with which the manager answers who asks for its metrics with the token; 0 for no answer.
func statusOf(ctx context.Context, address, token string) int {
	GinkgoHelper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+"/metrics", nil)
	Expect(err).NotTo(HaveOccurred())
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // the manager's certificate is its own
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return 0
	}
	Expect(response.Body.Close()).To(Succeed())
	return response.StatusCode
}
