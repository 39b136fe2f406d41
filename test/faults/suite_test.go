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

// Package faults lets everything around the real manager fail: its requests, its process, the API
// servers and etcd. What it promises is checked with the audit log of the API servers, which sees
// every write whoever made it; docs/reliability.md says which spec stands for what.
package faults

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/plane"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/specs"
)

// Where the operator is installed, and as whom it works; see config/default.
const (
	operatorNamespace = "ecotracker-system"
	operatorUser      = "system:serviceaccount:ecotracker-system:ecotracker-controller-manager"
)

var (
	kubernetes *plane.Plane
	scheme     = runtime.NewScheme()
	// api is the administrator's client, of the first API server; other that of the second.
	api, other client.Client
	managerBin = filepath.Join("..", "..", "bin", "manager")
)

func TestFaults(t *testing.T) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Skip("SKIPPED: no control plane. Run `make test-faults`, or set KUBEBUILDER_ASSETS to the output of `bin/controlplane-tool binaries`.")
	}
	RegisterFailHandler(Fail)
	specs.RepeatFailures()
	SetDefaultEventuallyTimeout(2 * time.Minute)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	RunSpecs(t, "Faults")
}

var _ = BeforeSuite(func(ctx context.Context) {
	_, err := os.Stat(managerBin)
	Expect(err).NotTo(HaveOccurred(), "build the manager first: make build")
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(carbonv1alpha1.AddToScheme(scheme)).To(Succeed())
	bin := os.Getenv("KUBEBUILDER_ASSETS")
	kubernetes, err = plane.Start(ctx, plane.Options{
		Bin: bin, Dir: GinkgoT().TempDir(), APIServers: 2, Fsync: true,
		Controllers: []string{
			"job-controller", "garbage-collector-controller", "namespace-controller",
			"ttl-after-finished-controller",
		},
		ControllerArgs: []string{"--kube-api-qps=2000", "--kube-api-burst=4000", "--concurrent-job-syncs=50"},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(kubernetes.Stop)
	api, other = clientOf(kubernetes.Config(0)), clientOf(kubernetes.Config(1))

	kubeconfig := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(plane.WriteKubeconfig(kubeconfig, kubernetes.Config(0), "")).To(Succeed())
	for _, args := range [][]string{
		{"apply", "-k", filepath.Join("..", "..", "config", "default")},
		{"wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"},
	} {
		output, err := exec.CommandContext(ctx, filepath.Join(bin, "kubectl"), append(args, "--kubeconfig="+kubeconfig)...).CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), "kubectl %v: %s", args, output)
	}
	kubelet := startKubelet(kubernetes.Config(0))
	DeferCleanup(kubelet.stop)
})

func clientOf(config *rest.Config) client.Client {
	GinkgoHelper()
	c, err := client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	return c
}
