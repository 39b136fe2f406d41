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

package otlp

import "testing"

func TestEnabled(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want bool
		err  string
	}{
		"nothing set":           {nil, false, ""},
		"an endpoint":           {map[string]string{endpointEnv: "http://collector:4318"}, true, ""},
		"one for metrics":       {map[string]string{metricsEndpointEnv: "https://collector/v1/metrics"}, true, ""},
		"one for traces":        {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318"}, false, ""},
		"headers alone":         {map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "a=b"}, false, ""},
		"the SDK is off":        {map[string]string{endpointEnv: "http://collector:4318", disabledEnv: "true"}, false, ""},
		"no metrics":            {map[string]string{endpointEnv: "http://collector:4318", exportersEnv: "none"}, false, ""},
		"metrics for scraping":  {map[string]string{endpointEnv: "http://collector:4318", exportersEnv: "prometheus"}, false, ""},
		"metrics to both":       {map[string]string{endpointEnv: "http://collector:4318", exportersEnv: "prometheus,otlp"}, true, ""},
		"the protocol":          {map[string]string{endpointEnv: "http://collector:4318", protocolEnv: "http/protobuf"}, true, ""},
		"gRPC, but for metrics": {map[string]string{endpointEnv: "http://collector:4317", protocolEnv: "grpc", metricsProtocolEnv: "http/protobuf", metricsEndpointEnv: "http://collector:4318/v1/metrics"}, true, ""},
		"gRPC": {
			map[string]string{endpointEnv: "http://collector:4317", protocolEnv: "grpc"},
			false,
			"OTEL_EXPORTER_OTLP_PROTOCOL has to be http/protobuf, the one that the meter speaks: for metrics alone set OTEL_EXPORTER_OTLP_METRICS_PROTOCOL and OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
		},
		"no URL": {map[string]string{metricsEndpointEnv: "collector:4318"}, false, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT has to be an http or https URL with a host"},
	} {
		got, err := enabled(func(name string) string { return c.env[name] })
		if got != c.want || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
			t.Errorf("%s: got %t, %v", name, got, err)
		}
	}
}
