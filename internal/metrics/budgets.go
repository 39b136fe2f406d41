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

package metrics

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// Budget is the state of a CarbonBudget, in gCO2e.
type Budget struct {
	Namespace, Name           string
	Limit, Consumed, Reserved float64
	// NearLimit says whether its condition NearLimit is true.
	NearLimit bool
}

// budgetCollector tells of the budgets whenever it is asked; nothing when they cannot be listed.
type budgetCollector func() []Budget

var (
	budgetLabels    = []string{"namespace", "budget"}
	budgetLimitDesc = prometheus.NewDesc("ecotracker_budget_limit_grams",
		"What the jobs of a CarbonBudget may emit in a period, in grams of CO2e. Told by the leader, as all of budgets.", budgetLabels, nil)
	budgetConsumedDesc = prometheus.NewDesc("ecotracker_budget_consumed_grams",
		"Grams of CO2e emitted by runs that ended in the present period; 0 again when the next begins.", budgetLabels, nil)
	budgetReservedDesc = prometheus.NewDesc("ecotracker_budget_reserved_grams",
		"Grams of CO2e set aside for jobs that run or are about to.", budgetLabels, nil)
	budgetNearDesc = prometheus.NewDesc("ecotracker_budget_near_limit",
		"1 while warnAtPercent of the limit is consumed or reserved, else 0.", budgetLabels, nil)
)

// ObserveBudgets has the budgets told at every scrape. An error if that was asked for before.
func ObserveBudgets(list func() []Budget) error {
	if err := metrics.Registry.Register(budgetCollector(list)); err != nil {
		return fmt.Errorf("registering the metrics of budgets: %w", err)
	}
	return nil
}

// Describe tells which metrics there are.
func (c budgetCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{budgetLimitDesc, budgetConsumedDesc, budgetReservedDesc, budgetNearDesc} {
		out <- d
	}
}

// Collect tells of all budgets.
func (c budgetCollector) Collect(out chan<- prometheus.Metric) {
	for _, b := range c() {
		near := 0.0
		if b.NearLimit {
			near = 1
		}
		for desc, value := range map[*prometheus.Desc]float64{
			budgetLimitDesc: b.Limit, budgetConsumedDesc: b.Consumed, budgetReservedDesc: b.Reserved, budgetNearDesc: near,
		} {
			out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, b.Namespace, b.Name)
		}
	}
}
