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

package perf

import (
	"bytes"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

// writes are those of the operator to jobs so far, as the API server counted them: nobody else patches
// a CarbonAwareJob or creates or patches a Job in the stages that ask for them (the Job controller
// updates the status, the plain client and the CronJob controller have stages of their own).
func (b *bench) writes() float64 {
	b.t.Helper()
	return b.requests(map[string]string{"resource": "carbonawarejobs", "verb": "PATCH"}) +
		b.requests(map[string]string{"resource": "jobs", "verb": "PATCH"}) +
		b.requests(map[string]string{"resource": "jobs", "verb": "POST"})
}

// events are those that were written so far, by the operator alone: other controllers use the older API.
func (b *bench) events() float64 {
	b.t.Helper()
	return b.requests(map[string]string{"resource": "events", "group": "events.k8s.io", "verb": "POST"})
}

// untilTold waits until no more Events come: they are sent one after the other, beside what is waited for.
func (b *bench) untilTold() {
	b.t.Helper()
	for events := -1.0; events != b.events(); <-time.After(settle) {
		events = b.events()
	}
}

// rejected is how many requests priority and fairness turned away so far, of anybody.
func (b *bench) rejected() float64 {
	b.t.Helper()
	return b.count("apiserver_flowcontrol_rejected_requests_total", nil)
}

// requests is how many requests with these labels the API server has answered.
func (b *bench) requests(labels map[string]string) float64 {
	b.t.Helper()
	return b.count("apiserver_request_total", labels)
}

// count is the sum of a counter of the API server over all series with these labels.
func (b *bench) count(metric string, labels map[string]string) float64 {
	b.t.Helper()
	config := b.plane.Config(0)
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	c, err := rest.UnversionedRESTClientFor(config)
	check(b.t, err)
	text, err := c.Get().AbsPath("/metrics").DoRaw(b.ctx)
	check(b.t, err)
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	check(b.t, err)
	sum := 0.0
	for _, m := range families[metric].GetMetric() {
		matched := 0
		for _, pair := range m.GetLabel() {
			if want, asked := labels[pair.GetName()]; asked && want == pair.GetValue() {
				matched++
			}
		}
		if matched == len(labels) {
			sum += m.GetCounter().GetValue()
		}
	}
	return sum
}
