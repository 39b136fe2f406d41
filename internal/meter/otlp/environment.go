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
	name, endpoint := first(getenv, metricsEndpointEnv, endpointEnv)
	if endpoint == "" || isOff(getenv) {
		return false, nil
	}
	if u, err := url.Parse(endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return false, fmt.Errorf("%s has to be an http or https URL with a host", name)
	}
	if name, value := first(getenv, metricsProtocolEnv, protocolEnv); value != "" && value != protocol {
		return false, fmt.Errorf("%s has to be %s, the one that the meter speaks: for metrics alone set %s and %s",
			name, protocol, metricsProtocolEnv, metricsEndpointEnv)
	}
	return true, nil
}

// first is the first of the variables that is set, and its value.
func first(getenv func(string) string, names ...string) (name, value string) {
	for _, name := range names {
		if value := strings.TrimSpace(getenv(name)); value != "" {
			return name, value
		}
	}
	return "", ""
}

// isOff says whether the SDK, or the export of metrics by OTLP, is turned off.
func isOff(getenv func(string) string) bool {
	exporters := getenv(exportersEnv)
	return strings.EqualFold(strings.TrimSpace(getenv(disabledEnv)), "true") ||
		exporters != "" && !slices.Contains(strings.Split(exporters, ","), "otlp")
}
