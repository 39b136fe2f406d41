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

// Package install tries what docs/install.md and docs/security.md say on a real cluster: the commands,
// who may do what, and that nothing is left. It installs dist/install.yaml and removes it, so the cluster
// of KUBECONFIG is one for this alone; `make test-install` brings it up.
package install

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/process"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/specs"
)

const (
	root         = "../.."
	operatorUser = "system:serviceaccount:ecotracker-system:ecotracker-controller-manager"
)

func TestInstall(t *testing.T) {
	if os.Getenv("KUBECONFIG") == "" {
		t.Skip("SKIPPED: no cluster. `make test-install` brings one up.")
	}
	RegisterFailHandler(Fail)
	specs.RepeatFailures()
	SetDefaultEventuallyTimeout(2 * time.Minute)
	EnforceDefaultTimeoutsWhenUsingContexts()
	SetDefaultEventuallyPollingInterval(200 * time.Millisecond)
	RunSpecs(t, "Install")
}

// documented returns the shell commands that a document marks with the name.
func documented(document, name string) string {
	GinkgoHelper()
	text, err := os.ReadFile(filepath.Join(root, "docs", document))
	Expect(err).NotTo(HaveOccurred())
	block := regexp.MustCompile("(?s)<!-- tested: " + name + " -->\n```sh\n(.*?)```").FindSubmatch(text)
	Expect(block).NotTo(BeNil(), "docs/%s has no commands %q", document, name)
	return string(block[1])
}

// try runs shell commands from the root of the repository, as a person would.
func try(ctx context.Context, commands string) (string, error) {
	shell := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", commands)
	shell.Dir = root
	shell.Env = append(os.Environ(), "PATH=bin:"+os.Getenv("PATH")) // helm
	output, err := shell.CombinedOutput()
	return string(output), err
}

// sh is try for commands that must succeed.
func sh(ctx context.Context, format string, args ...any) string {
	GinkgoHelper()
	commands := fmt.Sprintf(format, args...)
	output, err := try(ctx, commands)
	Expect(err).NotTo(HaveOccurred(), "%s\n%s", commands, output)
	return output
}

// install installs as docs/install.md says. The Deployment's pods are simulated, so it is scaled down and
// the manager runs as a process when a spec needs it.
func install(ctx context.Context) string {
	GinkgoHelper()
	output := sh(ctx, "%s", documented("install.md", "install"))
	sh(ctx, "kubectl scale deployment ecotracker-controller-manager -n ecotracker-system --replicas=0")
	return output
}

// startManager runs the manager with a token of its service account until the spec ends.
func startManager(ctx context.Context, flags ...string) *process.Process {
	GinkgoHelper()
	return startManagerOf(ctx, filepath.Join(root, "bin", "manager"), append([]string{"--meter-image=ecotracker-meter:dev"}, flags...)...)
}

func startManagerOf(ctx context.Context, binary string, flags ...string) *process.Process {
	GinkgoHelper()
	config, err := clientcmd.LoadFromFile(os.Getenv("KUBECONFIG"))
	Expect(err).NotTo(HaveOccurred())
	token := strings.TrimSpace(sh(ctx, "kubectl create token ecotracker-controller-manager -n ecotracker-system --duration=2h"))
	for _, user := range config.AuthInfos {
		*user = clientcmdapi.AuthInfo{Token: token}
	}
	kubeconfig := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(clientcmd.WriteToFile(*config, kubeconfig)).To(Succeed())
	m, err := process.Start(binary, nil, append([]string{
		"--kubeconfig=" + kubeconfig, "--namespace=ecotracker-system", "--metrics-bind-address=0", "--health-probe-bind-address=0",
	}, flags...)...)
	Expect(err).NotTo(HaveOccurred(), "build the manager first: make build")
	DeferCleanup(func() {
		m.Kill()
		if CurrentSpecReport().Failed() {
			AddReportEntry("the manager's log", m.Log())
		}
	})
	return m
}

// beginEmpty fails where anything of an installation is left, and takes away what is left of one by specs
// that fail, so that each spec tells of its own failures alone.
func beginEmpty(ctx context.Context) {
	GinkgoHelper()
	Expect(left(ctx)).To(BeEmpty(), "the cluster must be one for this alone")
	DeferCleanup(func(ctx context.Context) {
		if left(ctx) == "" {
			return
		}
		_, _ = try(ctx, documented("install.md", "finalizers")) // as far as it goes
		_, _ = try(ctx, "kubectl delete "+clusterKinds+" --selector=app.kubernetes.io/name=ecotracker-operator --timeout=3m")
		_, _ = try(ctx, "kubectl delete crds --all --timeout=3m; kubectl delete clusterrolebinding ecotracker-test-admin ecotracker-regions")
		_, _ = try(ctx, "kubectl get namespaces -o name | grep -vE '/(default|kube-.*)$' | xargs kubectl delete --timeout=2m")
	})
}

// clusterKinds are those of an installation that belong to no namespace.
const clusterKinds = "namespaces,crds,clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings"

// left lists what of an installation is still there.
func left(ctx context.Context) string {
	GinkgoHelper()
	return strings.TrimSpace(sh(ctx, "kubectl get "+clusterKinds+" -o name "+
		"| grep ecotracker || true"))
}
