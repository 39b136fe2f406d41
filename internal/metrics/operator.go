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
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/procfs"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// The operator's own power: a busy core of a cloud server takes 4.26 W, the highest of the three means
// per virtual CPU at full load (AWS 3.5, Azure 3.76, GCP 4.26), and its data centre 1.185 times
// that, the highest of the three power usage effectivenesses (AWS 1.135, Azure 1.185, GCP 1.1). Source:
// Cloud Carbon Footprint, Methodology, Appendix I (2023), after SPECpower.
const (
	wattsPerBusyCore        = 4.26
	powerUsageEffectiveness = 1.185
	wattSecondsPerKWh       = 3.6e6
)

var (
	operatorEnergyDesc = prometheus.NewDesc("ecotracker_operator_energy_kwh_total",
		"Energy that the operator itself took since it started, in kWh, modelled from its CPU time: 4.26 W per busy core times a power usage effectiveness of 1.185 "+
			"(Cloud Carbon Footprint, Methodology, Appendix I, 2023, the highest of its three clouds).", nil, nil)
	operatorGramsDesc = prometheus.NewDesc("ecotracker_operator_emissions_grams_total",
		"Grams of CO2e that the operator itself emitted since it started: its energy, priced at every scrape by the carbon intensity of its own region. "+
			"Energy is left out while that is unknown, and caught up on later.", nil, nil)
)

// operatorCollector turns the CPU time of this process into energy and grams.
type operatorCollector struct {
	// cpuSeconds is the CPU time so far, gramsPerKWh the intensity now; false while unknown.
	cpuSeconds  func() (float64, bool)
	gramsPerKWh func() (float64, bool)

	mu           sync.Mutex
	pricedKWh    float64
	emittedGrams float64
}

// ObserveOperator tells the operator's own energy and grams at every scrape, by the carbon intensity
// of its region (gCO2e/kWh; false while unknown). An error if that was asked for before.
func ObserveOperator(gramsPerKWh func() (float64, bool)) error {
	if err := metrics.Registry.Register(&operatorCollector{cpuSeconds: ownCPUSeconds, gramsPerKWh: gramsPerKWh}); err != nil {
		return fmt.Errorf("registering the metrics of the operator itself: %w", err)
	}
	return nil
}

// ownCPUSeconds is the CPU time of this process; unknown where there is no /proc.
func ownCPUSeconds() (float64, bool) {
	self, err := procfs.Self()
	if err != nil {
		return 0, false
	}
	stat, err := self.Stat()
	if err != nil {
		return 0, false
	}
	return stat.CPUTime(), true
}

// Describe tells which metrics there are.
func (c *operatorCollector) Describe(out chan<- *prometheus.Desc) {
	out <- operatorEnergyDesc
	out <- operatorGramsDesc
}

// Collect prices what was taken since the last time.
func (c *operatorCollector) Collect(out chan<- prometheus.Metric) {
	seconds, ok := c.cpuSeconds()
	if !ok {
		return
	}
	kWh := seconds * wattsPerBusyCore * powerUsageEffectiveness / wattSecondsPerKWh
	c.mu.Lock()
	defer c.mu.Unlock()
	if grams, known := c.gramsPerKWh(); known && kWh > c.pricedKWh {
		c.emittedGrams += (kWh - c.pricedKWh) * grams
		c.pricedKWh = kWh
	}
	out <- prometheus.MustNewConstMetric(operatorEnergyDesc, prometheus.CounterValue, kWh)
	out <- prometheus.MustNewConstMetric(operatorGramsDesc, prometheus.CounterValue, c.emittedGrams)
}
