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
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// readyLimit is how long a component may take to become ready; it usually takes a second.
const readyLimit = 90 * time.Second

// cluster is one running control plane.
type cluster struct {
	*launcher
	options         *options
	bin, data       string
	ca              *authority
	server, config  string
	etcdURL         string
	components      []*process // in the order in which they were started
	stopNodes       func(context.Context)
	temporary       bool
	progress        *progress
	apiserverClient identity
}

// startCluster brings a control plane up. What was started is stopped again if it fails.
func startCluster(ctx context.Context, o *options, bin string) (_ *cluster, err error) {
	c := &cluster{options: o, bin: bin, data: o.dataDir, progress: &progress{quiet: o.quiet}}
	if c.data == "" {
		if c.data, err = os.MkdirTemp("", "controlplane-"); err != nil {
			return nil, fmt.Errorf("making the data folder: %w", err)
		}
		c.temporary = true
	} else if c.data, err = filepath.Abs(c.data); err != nil {
		return nil, fmt.Errorf("finding the data folder: %w", err)
	}
	c.launcher = newLauncher(filepath.Join(c.data, "logs"))
	defer func() {
		if err != nil {
			c.stop(ctx)
		}
	}()
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the log folder: %w", err)
	}
	for _, step := range []func(context.Context) error{c.startEtcd, c.startAPIServer, c.startControllers, c.startNodes} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if o.kubeconfig != "" {
		data, err := os.ReadFile(c.config)
		if err != nil {
			return nil, fmt.Errorf("reading the kubeconfig: %w", err)
		}
		if err := os.WriteFile(o.kubeconfig, data, 0o600); err != nil {
			return nil, fmt.Errorf("writing the kubeconfig: %w", err)
		}
	}
	return c, nil
}

func (c *cluster) run(name string, args ...string) error {
	p, err := c.start(name, filepath.Join(c.bin, name), nil, args...)
	if err == nil {
		c.components = append(c.components, p)
	}
	return err
}

// stop takes everything down in the opposite order and removes what is temporary.
func (c *cluster) stop(ctx context.Context) {
	if c.stopNodes != nil {
		// The cluster is going down in any case: its own context may have ended already.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
		defer cancel()
		c.stopNodes(ctx)
	}
	for _, component := range slices.Backward(c.components) {
		component.stop()
	}
	if c.temporary {
		if err := os.RemoveAll(c.data); err != nil {
			c.progress.say("cannot remove %s: %v", c.data, err)
		}
	}
}

func (c *cluster) startEtcd(context.Context) error {
	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	c.etcdURL = fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	peer := fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	args := []string{
		"--data-dir=" + filepath.Join(c.data, "etcd"), "--listen-client-urls=" + c.etcdURL, "--advertise-client-urls=" + c.etcdURL,
		"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=default=" + peer,
		"--log-level=warn", "--quota-backend-bytes=4294967296",
	}
	if !c.options.fsync {
		args = append(args, "--unsafe-no-fsync=true")
	}
	return c.run("etcd", args...)
}

func (c *cluster) startAPIServer(ctx context.Context) error {
	ports, err := freePorts(1)
	if err != nil {
		return err
	}
	c.server = fmt.Sprintf("https://127.0.0.1:%d", ports[0])
	admin, serving, err := c.certificates()
	if err != nil {
		return err
	}
	c.config = filepath.Join(c.data, "kubeconfig")
	if err := os.WriteFile(c.config, []byte(kubeconfig(c.server, c.ca, admin)), 0o600); err != nil {
		return fmt.Errorf("writing the kubeconfig: %w", err)
	}
	signing := filepath.Join(c.data, "service-account.key")
	if err := newSigningKey(signing); err != nil {
		return err
	}
	args := append([]string{
		"--etcd-servers=" + c.etcdURL, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(ports[0]), "--tls-cert-file=" + serving.cert, "--tls-private-key-file=" + serving.key,
		"--client-ca-file=" + c.ca.file(), "--authorization-mode=Node,RBAC", "--allow-privileged=true",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=" + signing,
		"--service-account-signing-key-file=" + signing, "--service-cluster-ip-range=10.96.0.0/16",
		"--kubelet-client-certificate=" + c.apiserverClient.cert, "--kubelet-client-key=" + c.apiserverClient.key,
		"--kubelet-certificate-authority=" + c.ca.file(), "--kubelet-preferred-address-types=InternalIP",
		"--cert-dir=" + filepath.Join(c.data, "apiserver"), "--endpoint-reconciler-type=none",
	}, flagsOf(c.options.apiserverArgs)...)
	if err := c.run("kube-apiserver", args...); err != nil {
		return err
	}
	return c.poll(ctx, "the API server is ready", func(ctx context.Context) error {
		return c.kubectl(ctx, "", "get", "--raw=/readyz")
	})
}

func (c *cluster) certificates() (admin, serving identity, err error) {
	if c.ca, err = newAuthority(c.data); err != nil {
		return admin, serving, err
	}
	if admin, err = c.ca.issue("admin", "admin", []string{"system:masters"}, nil); err != nil {
		return admin, serving, err
	}
	if c.apiserverClient, err = c.ca.issue("apiserver-kubelet", "apiserver-kubelet", []string{"system:masters"}, nil); err != nil {
		return admin, serving, err
	}
	serving, err = c.ca.issue("apiserver", "kube-apiserver", nil, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1)},
		"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
	return admin, serving, err
}

func (c *cluster) startControllers(ctx context.Context) error {
	manager := append([]string{
		"--kubeconfig=" + c.config, "--authentication-kubeconfig=" + c.config, "--authorization-kubeconfig=" + c.config,
		"--leader-elect=false", "--secure-port=0", "--use-service-account-credentials=true",
		"--service-account-private-key-file=" + filepath.Join(c.data, "service-account.key"), "--root-ca-file=" + c.ca.file(),
		"--cert-dir=" + filepath.Join(c.data, "kcm"),
	}, flagsOf(c.options.kcmArgs)...)
	if err := c.run("kube-controller-manager", manager...); err != nil {
		return err
	}
	scheduler := append([]string{
		"--kubeconfig=" + c.config, "--leader-elect=false", "--secure-port=0", "--cert-dir=" + filepath.Join(c.data, "scheduler"),
	}, flagsOf(c.options.schedulerArgs)...)
	if err := c.run("kube-scheduler", scheduler...); err != nil {
		return err
	}
	return c.poll(ctx, "the default service account exists", func(ctx context.Context) error {
		return c.kubectl(ctx, "", "get", "serviceaccount", "default", "--namespace=default")
	})
}

// kubectl runs kubectl as the administrator, with the given standard input.
func (c *cluster) kubectl(ctx context.Context, input string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, "kubectl"), append([]string{"--kubeconfig=" + c.config}, args...)...) //nolint:gosec // our own program
	cmd.Stdin = strings.NewReader(input)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, tail(output.String(), 5))
	}
	return nil
}

func flagsOf(args list) []string {
	var flags []string
	for _, a := range args {
		flags = append(flags, "--"+strings.TrimPrefix(a, "--"))
	}
	return flags
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
