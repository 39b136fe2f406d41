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

// Package e2e runs the real manager against a real cluster: real API server, Job controller,
// scheduler, and pods on simulated nodes or, as root, on real ones. The cluster is the one of
// KUBECONFIG; `make test` and `make test-e2e` bring one up.
package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/specs"
)

// Where the operator is installed, and as whom it works; see config/default.
const (
	operatorNamespace = "ecotracker-system"
	operatorAccount   = "ecotracker-controller-manager"
	operatorUser      = "system:serviceaccount:" + operatorNamespace + ":" + operatorAccount
)

// The two regions of the nodes; see hack/controlplane.
const (
	ukNodes = "uksouth"
	deNodes = "germanywestcentral"
)

var (
	config *rest.Config
	// asOperator is config with a token of the operator's service account, and so with its rights only.
	asOperator *rest.Config
	cluster    client.WithWatch
	realNodes  = os.Getenv("CONTROLPLANE_NODES") == "real"
	managerBin = filepath.Join("..", "..", "bin", "manager")
)

func TestE2E(t *testing.T) {
	if os.Getenv("KUBECONFIG") == "" {
		t.Skip("SKIPPED: no cluster. `make test` runs this on simulated nodes, `make test-e2e` on real ones.")
	}
	RegisterFailHandler(Fail)
	specs.RepeatFailures()
	SetDefaultEventuallyTimeout(90 * time.Second)
	SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts() // else a context, which has no end here, counts instead
	RunSpecs(t, "End to end")
}

var _ = BeforeSuite(func(ctx context.Context) {
	_, err := os.Stat(managerBin)
	Expect(err).NotTo(HaveOccurred(), "build the manager first: make build")
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(carbonv1alpha1.AddToScheme(scheme)).To(Succeed())
	config, err = clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1
	cluster, err = client.NewWithWatch(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	kubectl(ctx, "apply", "-k", filepath.Join("..", "..", "config", "default"))
	// The specs run the manager as a process that they can kill.
	kubectl(ctx, "scale", "deployment", "ecotracker-controller-manager", "--namespace", operatorNamespace, "--replicas=0")
	kubectl(ctx, "wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
	asOperator = rest.AnonymousClientConfig(config)
	asOperator.BearerToken = strings.TrimSpace(kubectl(ctx, "create", "token", operatorAccount, "--namespace", operatorNamespace, "--duration=6h"))
	Eventually(func() (string, error) { // the API server learns of the roles a moment after they were applied
		output, err := exec.CommandContext(ctx, "kubectl", "auth", "can-i", "list", "carbonawarejobs", "--all-namespaces", "--as="+operatorUser).Output()
		return string(output), err
	}).WithContext(ctx).Should(ContainSubstring("yes"))
	suiteBegan = time.Now()
})

// kubectl runs kubectl as a person would and returns what it prints.
func kubectl(ctx context.Context, args ...string) string {
	GinkgoHelper()
	output, err := exec.CommandContext(ctx, "kubectl", args...).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "kubectl %v: %s", args, output)
	return string(output)
}
