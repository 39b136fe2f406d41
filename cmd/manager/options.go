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
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
)

// defaultNamespace is where the operator is installed by default.
const defaultNamespace = "ecotracker-system"

// options are the command line of the manager.
type options struct {
	metricsAddress, probeAddress, pprofAddress string
	metricsCertDir                             string
	secureMetrics, leaderElect, allowPrivate   bool
	version, pollRegions                       bool
	namespace, modelsConfigMap, ownRegion      string
	watchNamespaces                            []string
	meterImage                                 string
	llmMethod                                  estimate.Method
	zap                                        zap.Options
}

func parseOptions(args []string) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("manager", flag.ExitOnError)
	config.RegisterFlags(flags)
	flags.BoolVar(&o.version, "version", false, "print the version and exit")
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", ":8443", "address of the metrics endpoint; 0 turns it off")
	flags.BoolVar(&o.secureMetrics, "metrics-secure", true, "serve metrics over TLS, to who may read them only")
	flags.StringVar(&o.metricsCertDir, "metrics-cert-dir", "",
		"folder with the tls.crt and tls.key of the metrics endpoint, read again when they change; without it the manager makes a certificate that nobody can verify")
	flags.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081", "address of the health endpoints; 0 turns them off")
	flags.StringVar(&o.pprofAddress, "pprof-bind-address", "0", "address of the profiling endpoint, on loopback only; 0 turns it off")
	flags.BoolVar(&o.leaderElect, "leader-elect", false, "only work while holding the leader lease")
	flags.StringVar(&o.namespace, "namespace", os.Getenv("POD_NAMESPACE"),
		"the operator's own namespace, from which ConfigMaps and the leader lease are taken (default $POD_NAMESPACE, else "+defaultNamespace+")")
	flags.Func("watch-namespaces", "comma-separated namespaces whose CarbonAwareJobs and CarbonBudgets to work on; all of them if empty", func(text string) (err error) {
		o.watchNamespaces, err = parseNamespaces(text)
		return err
	})
	flags.BoolVar(&o.pollRegions, "poll-regions", true,
		"ask the sources of GridRegions and write their status; only one operator of a cluster may, and the others read it")
	flags.StringVar(&o.ownRegion, "own-region", "",
		"the GridRegion that the operator itself runs in, by which its own energy is priced in the metrics; the default one if empty")
	flags.BoolVar(&o.allowPrivate, "allow-private-sources", false,
		"let intensity sources have addresses that are not public, plain http, and the proxy of HTTPS_PROXY; by default they cannot lead into the cluster or to a metadata service")
	flags.StringVar(&o.modelsConfigMap, "models-configmap", "ecotracker-models",
		"ConfigMap in the operator's own namespace that extends or overrides the tables of models and providers, if it exists; see docs/accounting.md")
	flags.StringVar(&o.meterImage, "meter-image", "", "image of the metering sidecar that spec.llm.meter adds to jobs; without it such jobs are refused")
	o.llmMethod = estimate.EcoLogits011
	flags.Func("llm-method", "version of the EcoLogits method by which the energy of llm.workload is estimated: 0.11 or 0.10 (default 0.11)",
		func(text string) (err error) {
			o.llmMethod, err = estimate.ParseMethod(text)
			return err
		})
	o.zap.BindFlags(flags)
	if err := flags.Parse(args); err != nil {
		return nil, fmt.Errorf("reading the flags: %w", err)
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q: the manager takes flags only, see --help", flags.Arg(0))
	}
	if !onLoopback(o.pprofAddress) {
		return nil, fmt.Errorf("--pprof-bind-address=%s: profiles show what is in memory, and nothing asks who reads them; use 127.0.0.1:6060 and kubectl port-forward", o.pprofAddress)
	}
	if err := hasCertificate(o.metricsCertDir); err != nil {
		return nil, err
	}
	if o.namespace == "" {
		o.namespace = defaultNamespace
	}
	return o, nil
}

// hasCertificate refuses a folder without a certificate: the metrics server would quietly make one of its own.
func hasCertificate(dir string) error {
	if dir == "" {
		return nil
	}
	for _, name := range []string{"tls.crt", "tls.key"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("--metrics-cert-dir: %w", err)
		}
	}
	return nil
}

// parseNamespaces reads names that are separated by commas; none at all is all namespaces.
func parseNamespaces(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	names := strings.Split(text, ",")
	for i, name := range names {
		if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
			return nil, fmt.Errorf("%q is no name of a namespace: %s", name, problems[0])
		}
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("%s is named twice", name)
		}
	}
	return names, nil
}

// onLoopback is whether an address can be reached from the same pod only, or is turned off.
func onLoopback(address string) bool {
	if address == "" || address == "0" {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
