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

package plane

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

// adminToken lets in on the loopback interface, for as long as the test runs.
const adminToken = "admin"

// auditPolicy logs every write with the object that came of it, and nothing else.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
omitManagedFields: true
rules:
- level: None
  verbs: [get, list, watch]
- level: RequestResponse
  resources:
  - {group: carbon.ecotracker.dev}
  - {group: batch, resources: [jobs, jobs/status]}
- level: Metadata
  resources:
  - {group: "", resources: [pods]}
  - {group: events.k8s.io}
- level: None
`

func (p *Plane) writeFiles() error {
	if err := os.MkdirAll(p.options.Dir, 0o700); err != nil {
		return fmt.Errorf("making the folder of the control plane: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("making a key for service accounts: %w", err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return fmt.Errorf("encoding the key for service accounts: %w", err)
	}
	for name, data := range map[string][]byte{
		"service-account.key": pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}),
		"tokens.csv":          []byte(adminToken + `,admin,admin,"system:masters"` + "\n"),
		"audit-policy.yaml":   []byte(auditPolicy),
	} {
		if err := os.WriteFile(p.file(name), data, 0o600); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return nil
}

func (p *Plane) file(name string) string { return filepath.Join(p.options.Dir, name) }

func (p *Plane) startEtcd(port, peerPort int) (err error) {
	p.etcdURL = "http://127.0.0.1:" + strconv.Itoa(port)
	peer := "http://127.0.0.1:" + strconv.Itoa(peerPort)
	args := []string{
		"--data-dir=" + p.file("etcd"), "--listen-client-urls=" + p.etcdURL, "--advertise-client-urls=" + p.etcdURL,
		"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=default=" + peer,
		"--log-level=warn", "--quota-backend-bytes=4294967296",
	}
	if !p.options.Fsync {
		args = append(args, "--unsafe-no-fsync=true")
	}
	p.Etcd, err = p.component("etcd", args)
	return err
}

func (p *Plane) startAPIServer(ctx context.Context, i int) error {
	key := p.file("service-account.key")
	args := []string{
		"--etcd-servers=" + p.etcdURL, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(p.ports[i]), "--cert-dir=" + p.certDir(i), "--token-auth-file=" + p.file("tokens.csv"),
		"--authorization-mode=RBAC", "--allow-privileged=true", "--endpoint-reconciler-type=none",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=" + key,
		"--service-account-signing-key-file=" + key, "--service-cluster-ip-range=10.96.0.0/16",
		"--disable-admission-plugins=ServiceAccount", // pods need no tokens here
	}
	if !p.options.NoAudit {
		args = append(args, "--audit-policy-file="+p.file("audit-policy.yaml"), "--audit-log-path="+p.auditLog(i),
			"--audit-log-mode=blocking", "--audit-log-maxsize=10000", "--audit-log-maxbackup=1")
	}
	c, err := p.component("kube-apiserver", args)
	if err != nil {
		return err
	}
	p.APIServers = append(p.APIServers, c)
	return p.Ready(ctx, i)
}

// StartControllers runs kube-controller-manager with the named controllers and further flags.
func (p *Plane) StartControllers(names, args []string) (err error) {
	kubeconfig := p.file("controllers.kubeconfig")
	if err := WriteKubeconfig(kubeconfig, p.Config(0), ""); err != nil {
		return err
	}
	p.Controllers, err = p.component("kube-controller-manager", append([]string{
		"--kubeconfig=" + kubeconfig, "--authentication-kubeconfig=" + kubeconfig, "--authorization-kubeconfig=" + kubeconfig,
		"--leader-elect=false", "--secure-port=0", "--controllers=" + strings.Join(names, ","),
		"--service-account-private-key-file=" + p.file("service-account.key"), "--cert-dir=" + p.file("controllers"),
	}, args...))
	return err
}

// freePorts finds ports that nobody listens on. All are held at once, so that they differ.
func freePorts(n int) (ports []int, err error) {
	for range n {
		listener, listenErr := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it never connects
		if listenErr != nil {
			return nil, fmt.Errorf("finding a free port: %w", listenErr)
		}
		defer func() { err = errors.Join(err, listener.Close()) }()
		address, _ := listener.Addr().(*net.TCPAddr)
		ports = append(ports, address.Port)
	}
	return ports, nil
}

// withoutGroup prepares a config for requests to plain paths.
func withoutGroup(config *rest.Config) *rest.Config {
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	return config
}
