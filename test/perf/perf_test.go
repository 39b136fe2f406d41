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

// Package perf measures the real manager on a real API server and etcd, which syncs to disk, beside
// two others in the same run: a plain client that makes the same writes, and the CronJob controller.
// `make perf` runs it; docs/performance.md explains the numbers.
package perf

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/goals"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/plane"
)

var (
	run    = flag.Bool("perf.run", false, "run the measurements")
	jobs   = flag.Int("perf.jobs", 1000, "how many jobs wait")
	storm  = flag.Int("perf.storm", 1000, "how many of them start at one instant")
	lives  = flag.Int("perf.lives", 300, "how many whole lives, with pods")
	curve  = flag.String("perf.curve", "1000,5000,10000,50000", "how many jobs wait at each point of the scale curve")
	quiet  = flag.Bool("perf.quiet", false, "the machine has nothing else to do: judge times as well as ratios")
	args   = flag.String("perf.args", "", "further flags of the manager, for example --pprof-bind-address=127.0.0.1:6060")
	only   = flag.String("perf.stages", "", "regular expression of the stages to run; those that the others build on must be among them")
	out    = flag.String("perf.out", "", "file for the results as JSON")
	manage = flag.String("perf.manager", filepath.Join("..", "..", "bin", "manager"), "the manager's binary")
)

const (
	operatorNamespace = "ecotracker-system"
	// planWorkers and startWorkers are those of the operator: the plain client has as many.
	planWorkers  = 16
	startWorkers = 50
	idleFor      = time.Minute
)

// bench is one control plane with what was measured on it.
type bench struct {
	t       *testing.T
	ctx     context.Context
	plane   *plane.Plane
	api     client.Client
	watch   *watcher
	results goals.Results
	kept    int
}

func TestPerf(t *testing.T) {
	if !*run {
		t.Skip("SKIPPED: measurements take minutes; `make perf` runs them")
	}
	ctrl.SetLogger(logr.Discard())
	b := newBench(t)
	for _, stage := range []struct {
		name    string
		measure func()
	}{
		{"a plain client", b.floor},
		{"planning and waiting", b.waiting},
		{"new forecasts", b.replan},
		{"a restart", b.restart},
		{"starts", b.starts},
		{"whole lives", b.life},
		{"two managers", b.leaders},
		{"the CronJob controller", b.cronJobs},
		{"ratios", b.ratios},
	} {
		if !regexp.MustCompile(*only).MatchString(stage.name) {
			continue
		}
		begin := time.Now()
		stage.measure()
		b.keep(fmt.Sprintf("%s (%s)", stage.name, time.Since(begin).Round(time.Second)))
	}
	b.report("perf")
}

func newBench(t *testing.T) *bench {
	t.Helper()
	scheme := runtime.NewScheme()
	check(t, clientgoscheme.AddToScheme(scheme))
	check(t, carbonv1alpha1.AddToScheme(scheme))
	p, err := plane.Start(t.Context(), plane.Options{Bin: os.Getenv("KUBEBUILDER_ASSETS"), Dir: t.TempDir(), Fsync: true, NoAudit: true})
	check(t, err)
	t.Cleanup(p.Stop)
	api, err := client.New(p.Config(0), client.Options{Scheme: scheme})
	check(t, err)
	b := &bench{t: t, ctx: t.Context(), plane: p, api: api, results: goals.Results{
		"jobs": float64(*jobs), "storm": float64(*storm), "lives": float64(*lives),
	}}
	b.install()
	b.watch = newWatcher(b)
	return b
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
