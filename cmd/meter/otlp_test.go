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

package main

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/llm"
)

// receiver is a collector that keeps what it gets.
type receiver struct {
	refuse bool // with an answer that tells the credentials

	mu            sync.Mutex
	authorization string
	last          *metrics.ResourceMetrics
}

func (c *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = z
	}
	data, err := io.ReadAll(body)
	var request collector.ExportMetricsServiceRequest
	if err != nil || r.URL.Path != "/v1/metrics" || proto.Unmarshal(data, &request) != nil || len(request.GetResourceMetrics()) != 1 {
		http.Error(w, "no metrics", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.authorization, c.last = r.Header.Get("Authorization"), request.GetResourceMetrics()[0]
	if c.refuse {
		http.Error(w, "who is "+c.authorization, http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// point is what is compared of a data point.
type point struct {
	Count uint64
	Sum   float64
}

// points are all data points, by the metric's name, its unit and its attributes.
func (c *receiver) points() map[string]point {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[string]point{}
	for _, scope := range c.last.GetScopeMetrics() {
		for _, m := range scope.GetMetrics() {
			name := m.GetName() + " in " + m.GetUnit()
			for _, p := range m.GetHistogram().GetDataPoints() {
				sum := p.GetSum()
				if m.GetUnit() == "s" {
					sum = 0 // nobody knows
				}
				all[name+text(p.GetAttributes())] = point{p.GetCount(), sum}
			}
			for _, p := range m.GetSum().GetDataPoints() {
				all[name+text(p.GetAttributes())] = point{Sum: p.GetAsDouble()}
			}
		}
	}
	return all
}

func text(attributes []*common.KeyValue) string {
	var all strings.Builder
	for _, a := range attributes { // the SDK sorts them
		value := a.GetValue().GetStringValue()
		if a.GetValue().GetBoolValue() {
			value = "true"
		}
		all.WriteString(" " + strings.TrimPrefix(a.GetKey(), "gen_ai.") + "=" + value)
	}
	return all.String()
}

// What a meter counted reaches a collector that the environment names, at the latest when it ends, with
// the names of the GenAI conventions; a restart does not count it again.
func TestExportByOpenTelemetry(t *testing.T) {
	upstream := httptest.NewServer(&llm.Server{Busy: 1})
	t.Cleanup(upstream.Close)
	c := &receiver{}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20sk-SECRET,nonsense-SECRET")
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "k8s.job.name=nightly,service.instance.id=pod-7")
	dir := t.TempDir()
	first := start(t, dir, upstream.URL)
	for range 3 { // the first one is told to wait
		first.call()
	}
	if err := first.stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	const kind = " ecotracker.downgraded="
	const models = " operation.name=chat provider.name=openai request.model=gpt-4.1 response.model=gpt-4.1"
	got := c.points()
	energy := got["ecotracker.meter.energy in J"+kind+models+"-2025-04-14"]
	if grams := got["ecotracker.meter.emissions in g"+kind+models+"-2025-04-14"]; energy.Sum <= 0 || grams.Sum <= 0 {
		t.Errorf("energy %v, emissions %v", energy, grams)
	}
	delete(got, "ecotracker.meter.energy in J"+kind+models+"-2025-04-14")
	delete(got, "ecotracker.meter.emissions in g"+kind+models+"-2025-04-14")
	want := map[string]point{
		"gen_ai.client.token.usage in {token}" + kind + models + "-2025-04-14 token.type=input":  {2, 2 * llm.Input},
		"gen_ai.client.token.usage in {token}" + kind + models + "-2025-04-14 token.type=output": {2, 2 * llm.Output},
		"gen_ai.client.operation.duration in s" + kind + models + "-2025-04-14":                  {2, 0},
		"gen_ai.client.operation.duration in s" + kind + " error.type=429" + models:              {1, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("exported (-want +got):\n%s", diff)
	}
	if resource := text(c.last.GetResource().GetAttributes()); !strings.Contains(resource, " k8s.job.name=nightly service.instance.id=pod-7 service.name=carbon-meter ") {
		t.Errorf("the resource is%s", resource)
	}
	if c.authorization != "Bearer sk-SECRET" {
		t.Errorf("the collector got the credentials %q", c.authorization)
	}
	if log := first.log.String() + first.out.String(); strings.Contains(log, "SECRET") {
		t.Errorf("the meter tells a credential: %s", log)
	}

	again := start(t, dir, upstream.URL)
	again.call()
	if err := again.stop(syscall.SIGTERM); err != nil || calls(again.message) != 4 {
		t.Errorf("after a restart %v, %d calls", err, calls(again.message))
	}
	if got := c.points()["gen_ai.client.operation.duration in s"+kind+models+"-2025-04-14"]; got.Count != 1 {
		t.Errorf("after a restart %d calls are exported", got.Count)
	}
}

// A collector that refuses, that is not there or that never answers takes nothing from the job and from
// the counts, and no credential comes to light.
func TestCollectorsThatFail(t *testing.T) {
	upstream := httptest.NewServer(&llm.Server{})
	t.Cleanup(upstream.Close)
	refusing := httptest.NewServer(&receiver{refuse: true})
	t.Cleanup(refusing.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	t.Cleanup(silent.Close)
	for name, c := range map[string]struct{ endpoint, protocol, want string }{
		"refusing":         {refusing.URL, "", "the collector did not take them"},
		"gone":             {gone.URL, "", "connection refused"},
		"silent":           {silent.URL, "", "did not answer in time"},
		"another protocol": {refusing.URL, "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL has to be http/protobuf"},
		"no URL":           {"collector-SECRET:4317", "", "OTEL_EXPORTER_OTLP_ENDPOINT has to be an http or https URL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.endpoint)
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", c.protocol)
			t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer sk-SECRET")
			p := start(t, t.TempDir(), upstream.URL)
			if status := p.call(); status != http.StatusOK {
				t.Errorf("the call gave %d", status)
			}
			if err := p.stop(syscall.SIGTERM); err != nil {
				t.Errorf("the meter ended with %v", err)
			}
			if got := calls(p.message); got != 1 {
				t.Errorf("the message tells %d calls", got)
			}
			if log := p.log.String(); !strings.Contains(log, c.want) || strings.Contains(log, "SECRET") {
				t.Errorf("the log says %s", log)
			}
		})
	}
}
