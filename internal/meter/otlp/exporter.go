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

// Package otlp exports what a meter counts by the OpenTelemetry protocol: metrics over HTTP, with the
// names of the GenAI semantic conventions
// (https://github.com/open-telemetry/semantic-conventions-genai), where the standard variables say so
// (https://opentelemetry.io/docs/specs/otel/protocol/exporter).
package otlp

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
	"github.com/ecotracker-dev/ecotracker-operator/internal/version"
)

// Name is the service's name and the scope of the metrics, unless OTEL_SERVICE_NAME names the service.
const Name = "carbon-meter"

// The bounds of the histograms' buckets, as the conventions advise, in tokens and in seconds.
var (
	tokenBounds  = []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864}
	secondBounds = []float64{0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92}
)

const (
	joulesPerKWh = 3.6e6
	nanoPerGram  = 1e9
)

// Exporter exports the calls that it is told of. A nil one does nothing.
type Exporter struct {
	provider          *sdk.MeterProvider
	tokens            metric.Int64Histogram
	duration          metric.Float64Histogram
	energy, emissions metric.Float64Counter
}

// New begins to export where the environment names a collector; else it returns nil. An error names the
// variable that is wrong, without its value: headers and URLs may hold credentials.
func New(ctx context.Context, log *slog.Logger) (*Exporter, error) {
	if on, err := enabled(os.Getenv); !on {
		return nil, err
	}
	otel.SetLogger(logr.Discard()) // it would tell the values of variables that are wrong
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Warn("OpenTelemetry: the metrics were not exported", "error", reason(err))
	}))
	exporter, err := otlpmetrichttp.New(ctx)
	if err != nil {
		return nil, errors.New("the OTEL_EXPORTER_OTLP_ variables contradict each other")
	}
	provider := sdk.NewMeterProvider(
		sdk.WithReader(sdk.NewPeriodicReader(exporter)),
		sdk.WithResource(describe(ctx)),
		sdk.WithExemplarFilter(exemplar.AlwaysOffFilter),
	)
	return instruments(provider)
}

// describe is the resource: what the environment says, else the meter on this host.
func describe(ctx context.Context) *resource.Resource {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	described, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(
			attribute.String("service.name", Name),
			attribute.String("service.version", version.String()),
			attribute.String("service.instance.id", host)),
		resource.WithFromEnv())
	if err != nil {
		otel.Handle(resource.ErrPartialResource) // without what was wrong with it
	}
	return described
}

func instruments(provider *sdk.MeterProvider) (*Exporter, error) {
	e, scope := &Exporter{provider: provider}, provider.Meter(Name, metric.WithInstrumentationVersion(version.String()))
	var errs [4]error
	e.tokens, errs[0] = scope.Int64Histogram("gen_ai.client.token.usage", metric.WithUnit("{token}"),
		metric.WithDescription("Number of input and output tokens used."), metric.WithExplicitBucketBoundaries(tokenBounds...))
	e.duration, errs[1] = scope.Float64Histogram("gen_ai.client.operation.duration", metric.WithUnit("s"),
		metric.WithDescription("GenAI operation duration."), metric.WithExplicitBucketBoundaries(secondBounds...))
	e.energy, errs[2] = scope.Float64Counter("ecotracker.meter.energy", metric.WithUnit("J"),
		metric.WithDescription("Energy of calls, modelled by the EcoLogits method."))
	e.emissions, errs[3] = scope.Float64Counter("ecotracker.meter.emissions", metric.WithUnit("g"),
		metric.WithDescription("Emissions of calls in grams of CO2e, modelled."))
	return e, errors.Join(errs[:]...)
}

// Observe takes a call that is over into the metrics.
func (e *Exporter) Observe(line meter.Line, took time.Duration) {
	if e == nil {
		return
	}
	ctx, common := context.Background(), attributes(line.Kind)
	kind := metric.WithAttributeSet(attribute.NewSet(common...))
	e.duration.Record(ctx, took.Seconds(), kind)
	for name, count := range map[string]int64{"input": line.Input, "output": line.Output} {
		if count > 0 {
			e.tokens.Record(ctx, count, kind, metric.WithAttributes(attribute.String("gen_ai.token.type", name)))
		}
	}
	if line.KWh > 0 {
		e.energy.Add(ctx, line.KWh*joulesPerKWh, kind)
		e.emissions.Add(ctx, float64(line.Nanograms)/nanoPerGram, kind)
	}
}

// attributes tell calls apart. They are as few as the meter's lines: names are bounded there.
func attributes(k meter.Kind) []attribute.KeyValue {
	all := []attribute.KeyValue{
		attribute.String("gen_ai.provider.name", k.Provider),
		attribute.String("gen_ai.operation.name", k.Operation),
		attribute.Bool("ecotracker.downgraded", k.Downgraded),
	}
	if k.Requested != "" {
		all = append(all, attribute.String("gen_ai.request.model", k.Requested))
	}
	if k.Effective != "" {
		all = append(all, attribute.String("gen_ai.response.model", k.Effective))
	}
	if !strings.HasPrefix(k.Status, "2") {
		all = append(all, attribute.String("error.type", k.Status))
	}
	return all
}

// Close exports what is left, and gives up after the time given. It does so also when the context has
// ended.
func (e *Exporter) Close(ctx context.Context, within time.Duration) {
	if e == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	if err := e.provider.Shutdown(ctx); err != nil {
		otel.Handle(err)
	}
}

// reason is what may be told of an error: neither URLs nor what a collector answered.
func reason(err error) string {
	var failed *url.Error
	switch {
	case errors.Is(err, resource.ErrPartialResource):
		return "OTEL_RESOURCE_ATTRIBUTES is no list of key=value"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "the collector did not answer in time"
	case errors.As(err, &failed):
		return failed.Err.Error()
	}
	return "the collector did not take them"
}
