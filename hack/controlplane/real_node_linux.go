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
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

const pauseImage = "ecotracker.dev/pause:dev"

// startContainerd starts the node's containerd and gives it the images.
func (c *cluster) startContainerd(ctx context.Context, n *realNode, images []string) error {
	runc, err := exec.LookPath("runc")
	if err != nil {
		return fmt.Errorf("finding runc: %w", err)
	}
	plugins, err := cniFolder()
	if err != nil {
		return err
	}
	config, network := filepath.Join(n.dir, "containerd.toml"), filepath.Join(n.dir, "cni")
	if err := os.MkdirAll(network, 0o700); err != nil {
		return fmt.Errorf("making the folder of the network's configuration: %w", err)
	}
	for file, text := range map[string]string{
		config:                                containerdConfig(n, runc, plugins, network),
		filepath.Join(network, "10.conflist"): networkConfig(n),
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return fmt.Errorf("writing %s: %w", file, err)
		}
	}
	path := "PATH=" + c.bin + ":" + os.Getenv("PATH") // containerd looks for its shim there
	n.containerd, err = c.start("containerd-"+n.region, filepath.Join(c.bin, "containerd"), []string{path}, "--config="+config)
	if err != nil {
		return err
	}
	err = c.poll(ctx, "containerd answers", func(ctx context.Context) error {
		_, err := c.ctr(ctx, n, "version")
		return err
	})
	if err != nil {
		return err
	}
	for _, image := range images {
		if _, err := c.ctr(ctx, n, "images", "import", image); err != nil {
			return err
		}
	}
	return nil
}

func containerdConfig(n *realNode, runc, plugins, network string) string {
	return fmt.Sprintf(`version = 3
root = %[1]q
state = %[2]q
# NRI and the tracing of others listen on fixed paths: nodes side by side would collide.
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
  address = %[3]q
[ttrpc]
  address = %[4]q
[plugins.'io.containerd.internal.v1.opt']
  path = %[5]q
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = %[6]q
[plugins.'io.containerd.cri.v1.runtime']
  # A machine that is a container itself may not lower the score.
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = [%[7]q]
    conf_dir = %[8]q
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        BinaryName = %[9]q
        Root = %[10]q
        SystemdCgroup = false
`, filepath.Join(n.dir, "containerd"), filepath.Join(n.dir, "run"), n.socket(), n.socket()+".ttrpc",
		filepath.Join(n.dir, "opt"), pauseImage, plugins, network, runc, filepath.Join(n.dir, "runc"))
}

func networkConfig(n *realNode) string {
	return fmt.Sprintf(`{"cniVersion": "1.0.0", "name": %[1]q, "plugins": [
  {"type": "bridge", "bridge": %[1]q, "isGateway": true,
   "ipam": {"type": "host-local", "dataDir": %[3]q, "ranges": [[{"subnet": "%[2]s.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
`, n.bridge, n.prefix, filepath.Join(n.dir, "ipam"))
}

// startKubelet starts the node's kubelet with certificates of the cluster's authority.
func (c *cluster) startKubelet(n *realNode) error {
	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	n.kubeletPort, n.healthz = ports[0], ports[1]
	id, err := c.ca.issue("kubelet-"+n.region, "system:node:"+n.name, []string{"system:nodes"}, []net.IP{net.ParseIP(n.address())}, n.name)
	if err != nil {
		return err
	}
	config, access := filepath.Join(n.dir, "kubelet.yaml"), filepath.Join(n.dir, "kubeconfig")
	for file, text := range map[string]string{
		config: kubeletConfig(n, c.ca.file(), id),
		access: kubeconfig(c.server, c.ca, id),
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return fmt.Errorf("writing %s: %w", file, err)
		}
	}
	n.kubelet, err = c.start("kubelet-"+n.region, filepath.Join(c.bin, "kubelet"), nil,
		"--config="+config, "--kubeconfig="+access, "--root-dir="+filepath.Join(n.dir, "kubelet"),
		"--cert-dir="+filepath.Join(n.dir, "pki"), "--hostname-override="+n.name, "--node-ip="+n.address(),
		"--node-labels=topology.kubernetes.io/region="+n.region)
	return err
}

func kubeletConfig(n *realNode, authority string, id identity) string {
	return fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: %[1]s
port: %[2]d
healthzPort: %[3]d
readOnlyPort: 0
containerRuntimeEndpoint: unix://%[4]s
cgroupDriver: cgroupfs
cgroupRoot: /%[5]s
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: [none]
localStorageCapacityIsolation: false
makeIPTablesUtilChains: false
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 1Mi, nodefs.available: 0%%, nodefs.inodesFree: 0%%, imagefs.available: 0%%, imagefs.inodesFree: 0%%}
podLogsDir: %[6]s
resolvConf: ""
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}, x509: {clientCAFile: %[7]q}}
authorization: {mode: AlwaysAllow}
tlsCertFile: %[8]q
tlsPrivateKeyFile: %[9]q
`, n.address(), n.kubeletPort, n.healthz, n.socket(), n.cgroup, filepath.Join(n.dir, "pod-logs"), authority, id.cert, id.key)
}
