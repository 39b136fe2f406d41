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

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// The standard variables that say where metrics go. Those of metrics go before those of all signals.
const (
	endpointEnv        = "OTEL_EXPORTER_OTLP_ENDPOINT"
	metricsEndpointEnv = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
	protocolEnv        = "OTEL_EXPORTER_OTLP_PROTOCOL"
	metricsProtocolEnv = "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"
	exportersEnv       = "OTEL_METRICS_EXPORTER"
	disabledEnv        = "OTEL_SDK_DISABLED"

	protocol = "http/protobuf"
)

// enabled says whether the environment wants metrics exported by OTLP. An error says that it does, in a
// way that the meter cannot follow.
func enabled(getenv func(string) string) (bool, error) {
	first := func(names ...string) (name, value string) {
		for _, name := range names {
			if value := strings.TrimSpace(getenv(name)); value != "" {
				return name, value
			}
		}
		return "", ""
	}
	name, endpoint := first(metricsEndpointEnv, endpointEnv)
	if endpoint == "" || strings.EqualFold(strings.TrimSpace(getenv(disabledEnv)), "true") {
		return false, nil
	}
	exporters := strings.Split(getenv(exportersEnv), ",")
	if getenv(exportersEnv) != "" && !slices.Contains(exporters, "otlp") {
		return false, nil
	}
	if u, err := url.Parse(endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return false, fmt.Errorf("%s has to be an http or https URL with a host", name)
	}
	if name, value := first(metricsProtocolEnv, protocolEnv); value != "" && value != protocol {
		return false, fmt.Errorf("%s has to be %s, the one that the meter speaks: for metrics alone set %s and %s",
			name, protocol, metricsProtocolEnv, metricsEndpointEnv)
	}
	return true, nil
}
