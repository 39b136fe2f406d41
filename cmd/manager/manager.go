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
	"context"
	"crypto/tls"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/controller"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

const leaderElectionID = "leader.carbon.ecotracker.dev"

// run runs the controllers until the context ends.
func run(ctx context.Context, o *options) error {
	logger := zap.New(zap.UseFlagOptions(&o.zap))
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
	limitMemory(logger)
	now := controller.NewServerClock(clock.RealClock{})
	mgr, err := newManager(o, now)
	if err != nil {
		return err
	}
	if err := setupControllers(ctx, mgr, o, now); err != nil {
		return err
	}
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("running the manager: %w", err)
	}
	return nil
}

func newManager(o *options, now *controller.ServerClock) (ctrl.Manager, error) {
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster (set KUBECONFIG or --kubeconfig): %w", err)
	}
	// The API server's priority and fairness limits us; a limit here would only add delay.
	config.QPS = -1
	config.Wrap(now.Listen)
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("registering the built-in kinds: %w", err)
	}
	if err := carbonv1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("registering our kinds: %w", err)
	}
	inMemory, err := controller.CacheOptions(o.namespace)
	if err != nil {
		return nil, err
	}
	inMemory.DefaultNamespaces = namespacesOf(o.watchNamespaces)
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		Metrics:                       metricsOptions(o),
		HealthProbeBindAddress:        o.probeAddress,
		PprofBindAddress:              o.pprofAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              leaderElectionID,
		LeaderElectionNamespace:       o.namespace,
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 new(controller.LeaseDuration),
		RenewDeadline:                 new(controller.LeaseRenewal),
		RetryPeriod:                   new(controller.LeaseRetry),
		// A standby keeps its caches filled, so that it can go on at once.
		Controller: ctrlconfig.Controller{EnableWarmup: new(true)},
		// A pass that follows a write of ours waits until the cache shows it. Everything is correct
		// without that too, but a pass on an old object ends in a conflict: a write for nothing.
		Client: client.Options{Cache: &client.CacheOptions{EnableReadYourWritesConsistency: new(true)}},
		Cache:  inMemory,
	})
	if err != nil {
		return nil, fmt.Errorf("setting up the manager: %w", err)
	}
	for name, add := range map[string]func(string, healthz.Checker) error{"healthz": mgr.AddHealthzCheck, "readyz": mgr.AddReadyzCheck} {
		if err := add(name, healthz.Ping); err != nil {
			return nil, fmt.Errorf("adding the %s endpoint: %w", name, err)
		}
	}
	return mgr, nil
}

// namespacesOf are the namespaces to cache objects of; nil is all of them.
func namespacesOf(names []string) map[string]cache.Config {
	var namespaces map[string]cache.Config
	for _, name := range names {
		if namespaces == nil {
			namespaces = map[string]cache.Config{}
		}
		namespaces[name] = cache.Config{}
	}
	return namespaces
}

func metricsOptions(o *options) metricsserver.Options {
	m := metricsserver.Options{BindAddress: o.metricsAddress, SecureServing: o.secureMetrics, CertDir: o.metricsCertDir}
	if o.secureMetrics {
		m.FilterProvider = filters.WithAuthenticationAndAuthorization
		m.TLSOpts = []func(*tls.Config){func(c *tls.Config) {
			c.MinVersion = tls.VersionTLS13
			c.NextProtos = []string{"http/1.1"} // HTTP/2 brings only its denial-of-service bugs here
		}}
	}
	return m
}

func setupControllers(ctx context.Context, mgr ctrl.Manager, o *options, now clock.PassiveClock) error {
	if err := mgr.Add(memoryGiver{}); err != nil {
		return fmt.Errorf("adding what gives memory back: %w", err)
	}
	recorder, err := newNarrator(mgr, now)
	if err != nil {
		return err
	}
	models := &controller.ModelTable{
		Reader: mgr.GetClient(), Method: o.llmMethod, ConfigMap: types.NamespacedName{Namespace: o.namespace, Name: o.modelsConfigMap},
	}
	var vigil *controller.Vigil // nobody else leads without an election
	if o.leaderElect {
		vigil = controller.NewVigil(clock.RealClock{})
		if err := mgr.Add(vigil); err != nil {
			return fmt.Errorf("adding the vigil of the leader: %w", err)
		}
	}
	ledger := controller.NewLedger(mgr.GetAPIReader(), mgr.GetClient(), models)
	budgets := &controller.CarbonBudgetReconciler{Client: mgr.GetClient(), Recorder: recorder, Clock: now, Ledger: ledger}
	starter := &controller.Starter{Client: mgr.GetClient(), APIReader: mgr.GetAPIReader(), Recorder: recorder, Clock: now, Ledger: ledger, Vigil: vigil}
	recorder.Busy = starter.Busy
	controllers := []interface{ SetupWithManager(ctrl.Manager) error }{
		&controller.ModelTableReconciler{Models: models, Client: mgr.GetClient(), Recorder: recorder},
		&controller.CarbonAwareJobReconciler{Client: mgr.GetClient(), APIReader: mgr.GetAPIReader(), Recorder: recorder, Clock: now, Models: models, Ledger: ledger, Budgets: budgets, Starter: starter, MeterImage: o.meterImage},
		starter,
		budgets,
	}
	if o.pollRegions {
		controllers = append(controllers,
			controller.NewGridRegionReconciler(mgr.GetClient(), mgr.GetAPIReader(), recorder, now, o.namespace, forecast.NewClient(o.allowPrivate)))
	}
	for _, c := range controllers {
		if err := c.SetupWithManager(mgr); err != nil {
			return err
		}
	}
	return controller.ObserveWithManager(ctx, mgr, now, o.ownRegion)
}

// newNarrator is what records Events, with a client that has no cache.
func newNarrator(mgr ctrl.Manager, now clock.PassiveClock) (*controller.Narrator, error) {
	const name = "ecotracker-operator"
	c, err := client.New(mgr.GetConfig(), client.Options{HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return nil, fmt.Errorf("making the client for Events: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("asking for the name of the host: %w", err)
	}
	n := &controller.Narrator{Warnings: mgr.GetEventRecorder(name), Client: c, Clock: now, Controller: name, Instance: name + "-" + host}
	if err := mgr.Add(n); err != nil {
		return nil, fmt.Errorf("adding the narrator of Events: %w", err)
	}
	return n, nil
}
