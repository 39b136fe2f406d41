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

// Command meter is the metering sidecar: a proxy between a job and its LLM providers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/pflag"

	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
	"github.com/ecotracker-dev/ecotracker-operator/internal/meter/otlp"
	"github.com/ecotracker-dev/ecotracker-operator/internal/version"
)

const (
	// memoryLimit makes the garbage collector work harder before the meter outgrows its container. With
	// 100 calls in flight it stays below: harder work would cost time.
	memoryLimit = 20 << 20
	// garbage is how much may gather before it is collected, in percent of what is alive. The default of 100
	// takes 3 to 4 MiB more with 100 calls in flight.
	garbage = 30
	// lastCalls is how long calls may go on after the signal to stop. A sidecar gets it when the job's
	// own containers have ended, so there is nobody left who waits for them, and it may have 2 s in all.
	lastCalls = time.Second
	// lastExport is how long the last export by OpenTelemetry may take, once all else is done.
	lastExport = 700 * time.Millisecond
	// headerTimeout bounds how long a client may take for a request's header.
	headerTimeout = 10 * time.Second
)

func main() {
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, pflag.ErrHelp) {
		return
	}
	if err == nil && o.version {
		fmt.Println(version.String())
		return
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		err = run(ctx, o, os.Stdout)
		stop()
	}
	if errors.Is(err, errOpen) {
		os.Exit(exitOpen)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "meter:", err)
		os.Exit(1)
	}
}

// run serves until the context ends, then writes what was counted: the termination message, and the
// session's record to out.
func run(ctx context.Context, o *options, out io.Writer) error {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	exporter, err := otlp.New(ctx, log)
	if err != nil { // no reason to leave calls uncounted
		log.Warn("OpenTelemetry: nothing is exported", "error", err)
	}
	defer exporter.Close(ctx, lastExport)
	store := meter.NewStore(o.state, o.message)
	m, err := assemble(o, store, exporter, log)
	if err != nil {
		return err
	}
	servers, err := listen(ctx, o, m)
	if err != nil {
		return err
	}
	ctx, tell := context.WithCancelCause(ctx)
	defer tell(nil)
	if o.mode == string(meter.Enforce) && o.control != "" && !store.Told {
		go tellOpen(ctx, m, tell)
	}
	saving, stopSaving := context.WithCancel(ctx)
	saved := make(chan struct{})
	go func() {
		defer close(saved)
		store.Run(saving, m.Report, func(err error) { log.Error("The counts were not saved", "error", err) })
	}()
	store.Changed() // even a meter that sees no call says so
	log.Info("Serving", "address", servers[0].listener.Addr().String(), "mode", o.mode)
	err = servers.run(ctx)
	m.Wait()
	stopSaving()
	<-saved
	if errors.Is(context.Cause(ctx), errOpen) {
		store.Told = true
		log.Info("The breaker is open: ended once to tell so")
		return errors.Join(err, store.Save(m.Report()), errOpen)
	}
	if _, printErr := fmt.Fprintf(out, "%s\n", m.Record(time.Now())); printErr != nil {
		err = errors.Join(err, fmt.Errorf("writing the record: %w", printErr))
	}
	return errors.Join(err, store.Save(m.Report()))
}

// assemble makes the meter, which goes on with the counts of before a restart.
func assemble(o *options, store *meter.Store, exporter *otlp.Exporter, log *slog.Logger) (*meter.Meter, error) {
	upstreams, err := o.parseUpstreams()
	if err != nil {
		return nil, err
	}
	lines, err := store.Load()
	if err != nil {
		log.Error("Counting from zero", "error", err)
	}
	m, err := meter.New(meter.Config{
		Upstreams: upstreams, Mode: meter.Mode(o.mode), AskUsage: o.askUsage,
		Control: meter.NewControl(o.control, log), Now: time.Now,
		Estimate: meter.NewEstimate(estimate.BuiltIn()), AssumedIntensity: o.intensity,
		Lines: lines, Transport: meter.NewTransport(), Log: log, Changed: store.Changed, Observe: exporter.Observe,
	})
	if err != nil {
		return nil, fmt.Errorf("setting up the meter: %w", err)
	}
	return m, nil
}

type server struct {
	http.Server

	listener net.Listener
}

type servers []*server

// listen opens the ports: one for the job's calls, one for metrics and health.
func listen(ctx context.Context, o *options, m *meter.Meter) (servers, error) {
	registry := prometheus.NewRegistry()
	if err := registry.Register(m); err != nil {
		return nil, fmt.Errorf("registering the metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	var all servers
	for _, s := range []struct {
		address string
		handler http.Handler
	}{{o.listen, m}, {o.metrics, mux}} {
		if s.address == "0" {
			continue
		}
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.address)
		if err != nil {
			return nil, fmt.Errorf("opening the port: %w", err)
		}
		all = append(all, &server{Server: http.Server{Handler: s.handler, ReadHeaderTimeout: headerTimeout}, listener: listener})
	}
	return all, nil
}

// run serves until the context ends or a server fails, then lets the last calls end.
func (all servers) run(ctx context.Context) error {
	failed := make(chan error, len(all))
	for _, s := range all {
		go func() { failed <- s.Serve(s.listener) }()
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCalls)
	defer cancel()
	for _, s := range all {
		if s.Shutdown(last) != nil {
			_ = s.Close() // the calls that were cut off are counted as such
		}
	}
	return err
}
