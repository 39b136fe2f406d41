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

// Package plane runs a control plane whose parts tests kill, pause and bring back: etcd, one or
// more API servers on it, and the controllers of Kubernetes that the operator depends on. Every
// write is in an audit log.
package plane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Options of a control plane.
type Options struct {
	// Bin is where the binaries are, Dir where data, certificates and logs go.
	Bin, Dir string
	// APIServers is how many API servers share the etcd; 0 is one.
	APIServers int
	// Fsync lets etcd sync to disk, so that what it said is written survives its death.
	Fsync bool
	// NoAudit leaves the audit log out, where time is measured.
	NoAudit bool
	// Controllers names the controllers of kube-controller-manager to run; without any it is not run.
	Controllers []string
	// ControllerArgs are further flags of kube-controller-manager.
	ControllerArgs []string
}

// Plane is a running control plane.
type Plane struct {
	Etcd        *Component
	APIServers  []*Component
	Controllers *Component

	options Options
	etcdURL string
	ports   []int
}

// readyLimit is how long a part may take to become ready on a busy machine.
const readyLimit = 2 * time.Minute

// Start brings a control plane up; what was started is stopped again if it fails.
func Start(ctx context.Context, o Options) (_ *Plane, err error) {
	o.APIServers = max(o.APIServers, 1)
	p := &Plane{options: o}
	defer func() {
		if err != nil {
			p.Stop()
		}
	}()
	if err := p.writeFiles(); err != nil {
		return nil, err
	}
	ports, err := freePorts(2 + o.APIServers)
	if err != nil {
		return nil, err
	}
	p.ports = ports[2:]
	if err := p.startEtcd(ports[0], ports[1]); err != nil {
		return nil, err
	}
	for i := range o.APIServers {
		if err := p.startAPIServer(ctx, i); err != nil {
			return nil, err
		}
	}
	if len(o.Controllers) > 0 {
		return p, p.StartControllers(o.Controllers, o.ControllerArgs)
	}
	return p, nil
}

// Stop ends everything.
func (p *Plane) Stop() {
	for _, c := range slices.Backward(append([]*Component{p.Etcd}, append(p.APIServers, p.Controllers)...)) {
		if c != nil {
			c.Kill()
		}
	}
}

// Config is the administrator's way to the i-th API server, from 0.
func (p *Plane) Config(i int) *rest.Config {
	return &rest.Config{
		Host: p.address(i), BearerToken: adminToken, QPS: -1,
		TLSClientConfig: rest.TLSClientConfig{CAFile: filepath.Join(p.certDir(i), "apiserver.crt")},
	}
}

// EtcdURL is where etcd listens, its JSON gateway included.
func (p *Plane) EtcdURL() string { return p.etcdURL }

// AuditLogs are the audit logs, one per API server.
func (p *Plane) AuditLogs() []string {
	var files []string
	for i := range p.ports {
		files = append(files, p.auditLog(i))
	}
	return files
}

// WriteKubeconfig writes a kubeconfig for a server's address. A CA file may be empty for plain
// HTTP; impersonate is the user to act as, empty for the administrator.
func WriteKubeconfig(file string, config *rest.Config, impersonate string) error {
	kubeconfig := clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"plane": {Server: config.Host, CertificateAuthority: config.CAFile}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"user": {Token: config.BearerToken, Impersonate: impersonate}},
		Contexts:       map[string]*clientcmdapi.Context{"plane": {Cluster: "plane", AuthInfo: "user"}},
		CurrentContext: "plane",
	}
	if err := clientcmd.WriteToFile(kubeconfig, file); err != nil {
		return fmt.Errorf("writing a kubeconfig: %w", err)
	}
	return nil
}

func (p *Plane) address(i int) string { return "https://127.0.0.1:" + strconv.Itoa(p.ports[i]) }
func (p *Plane) certDir(i int) string {
	return filepath.Join(p.options.Dir, fmt.Sprintf("apiserver-%d", i))
}

func (p *Plane) auditLog(i int) string {
	return filepath.Join(p.options.Dir, fmt.Sprintf("audit-%d.jsonl", i))
}

// Ready waits until the i-th API server answers.
func (p *Plane) Ready(ctx context.Context, i int) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, readyLimit, true, func(ctx context.Context) (bool, error) {
		if c := p.APIServers[i]; !c.Running() {
			return false, fmt.Errorf("%s ended by itself: %s", c.name, c.tail())
		}
		if _, last = os.Stat(p.Config(i).CAFile); last == nil {
			last = p.readyz(ctx, i)
		}
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("waiting for API server %d: %w", i, errors.Join(err, last))
	}
	return nil
}

func (p *Plane) readyz(ctx context.Context, i int) error {
	config := p.Config(i)
	config.Timeout = 5 * time.Second
	client, err := rest.UnversionedRESTClientFor(withoutGroup(config))
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	return client.Get().AbsPath("/readyz").Do(ctx).Error()
}
