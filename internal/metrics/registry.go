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
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// registered are the collectors of this package that are always there.
var registered []prometheus.Collector

func register(collectors ...prometheus.Collector) {
	metrics.Registry.MustRegister(collectors...)
	registered = append(registered, collectors...)
}

// Collectors are all collectors of this package, for the documentation: those that a manager registers
// for its cache are there as empty ones.
func Collectors() []prometheus.Collector {
	return append([]prometheus.Collector{jobCollector(nil), budgetCollector(nil), &operatorCollector{}}, registered...)
}
