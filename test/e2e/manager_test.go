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

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// manager is one process of the real manager.
type manager struct {
	cmd   *exec.Cmd
	log   *lockedBuffer
	ended chan struct{}
}

// startManager starts a manager with the rights of the operator's service account. It reaches the
// API server through the given plain address; directly when it is empty. It is killed at the end of
// the spec if it still runs then. Further flags come after, and win over, the usual ones.
func startManager(address string, flags ...string) *manager {
	GinkgoHelper()
	kubeconfig := operatorKubeconfig(address)
	m := &manager{log: &lockedBuffer{}, ended: make(chan struct{})}
	//nolint:noctx // our own binary; it must outlive the spec node's context until it is killed
	m.cmd = exec.Command(managerBin, append([]string{
		"--kubeconfig=" + kubeconfig, "--namespace=" + operatorNamespace, "--metrics-bind-address=0", "--health-probe-bind-address=0",
		"--meter-image=" + meterImage,
	}, flags...)...)
	m.cmd.Stdout, m.cmd.Stderr = m.log, m.log
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	Expect(m.cmd.Start()).To(Succeed())
	go func() {
		defer close(m.ended)
		_ = m.cmd.Wait() // it is killed on purpose
	}()
	DeferCleanup(func() {
		m.kill()
		if CurrentSpecReport().Failed() {
			AddReportEntry("the manager's log", m.log.String())
		}
	})
	return m
}

// kill ends the manager at once, as a crash would, and waits until it is gone.
func (m *manager) kill() {
	_ = m.cmd.Process.Signal(syscall.SIGKILL) // it may have ended already
	<-m.ended
}

// terminate asks the manager to end and waits until it has.
func (m *manager) terminate() {
	Expect(m.cmd.Process.Signal(syscall.SIGTERM)).To(Succeed())
	<-m.ended
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// operatorKubeconfig writes a kubeconfig for the operator: the cluster's own with a token of the
// operator's service account, or one for a plain address that takes care of that.
func operatorKubeconfig(address string) string {
	GinkgoHelper()
	from, err := clientcmd.LoadFromFile(os.Getenv("KUBECONFIG"))
	Expect(err).NotTo(HaveOccurred())
	if address != "" {
		for name := range from.Clusters {
			from.Clusters[name] = &clientcmdapi.Cluster{Server: address}
		}
		for name := range from.AuthInfos {
			from.AuthInfos[name] = &clientcmdapi.AuthInfo{}
		}
	} else {
		for _, user := range from.AuthInfos {
			*user = clientcmdapi.AuthInfo{Token: asOperator.BearerToken}
		}
	}
	name := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(clientcmd.WriteToFile(*from, name)).To(Succeed())
	return name
}
