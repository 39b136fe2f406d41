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
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/terminal"
)

// cluster is where the commands look, by the flags that kubectl itself has: -n, -A, --context,
// --kubeconfig and so on. Nothing is read or connected before a command asks for it, so commands that
// need no cluster work without one.
type cluster struct {
	flags         *genericclioptions.ConfigFlags
	allNamespaces bool
	// connect makes a client for a configuration, list lists jobs; clock tells the time, screen looks at
	// the output.
	connect func(*rest.Config, client.Options) (client.Client, error)
	list    func(*rest.Config) (jobList, error)
	clock   clock.PassiveClock
	screen  func(out io.Writer, chartMode string) (terminal.Screen, error)
}

func newCluster() *cluster {
	return &cluster{
		flags:   genericclioptions.NewConfigFlags(true),
		connect: client.New,
		list:    jobListOf,
		clock:   clock.RealClock{},
		screen: func(out io.Writer, chartMode string) (terminal.Screen, error) {
			return terminal.ScreenOf(out, chartMode, os.Getenv)
		},
	}
}

func (c *cluster) addFlags(flags *pflag.FlagSet) {
	c.flags.AddFlags(flags)
	flags.BoolVarP(&c.allNamespaces, "all-namespaces", "A", false, "look in all namespaces")
}

// namespace is the one to look in: that of -n, else that of the kubeconfig's context; empty for all
// of them.
func (c *cluster) namespace() (string, error) {
	if c.allNamespaces {
		return "", nil
	}
	return c.ownNamespace()
}

// ownNamespace is that of one object: -A does not count.
func (c *cluster) ownNamespace() (string, error) {
	namespace, _, err := c.flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", fmt.Errorf("reading the kubeconfig: %w", err)
	}
	return namespace, nil
}

func (c *cluster) config() (*rest.Config, error) {
	config, err := c.flags.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster (set KUBECONFIG, --kubeconfig or --context): %w", err)
	}
	config.QPS = -1 // the API server knows better how much is too much
	return config, nil
}

// jobs lists jobs.
func (c *cluster) jobs() (jobList, error) {
	config, err := c.config()
	if err != nil {
		return nil, err
	}
	return c.list(config)
}

// client talks to the API server; it knows our kinds and the built-in ones.
func (c *cluster) client() (client.Client, error) {
	config, err := c.config()
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("registering the built-in kinds: %w", err)
	}
	if err := carbonv1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("registering our kinds: %w", err)
	}
	made, err := c.connect(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	return made, nil
}

// advise says what to look for when a cluster does not know our kinds, or cannot be reached.
func advise(err error) error {
	switch {
	case meta.IsNoMatchError(err), apierrors.IsNotFound(err):
		return fmt.Errorf("%w (is the EcoTracker operator installed in this cluster?)", err)
	case utilnet.IsConnectionRefused(err):
		return fmt.Errorf("%w (which cluster is meant? Set KUBECONFIG, --kubeconfig or --context)", err)
	}
	return err
}
