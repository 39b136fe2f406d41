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
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// nodesPerRegion simulated nodes are made in every region.
const nodesPerRegion = 2

//go:embed kwok/stages.yaml
var kwokStages string

// startKwok adds simulated nodes: the scheduler binds pods to them, and kwok plays their kubelets.
func (c *cluster) startKwok(ctx context.Context) error {
	stages := filepath.Join(c.data, "stages.yaml")
	if err := os.WriteFile(stages, []byte(kwokStages), 0o600); err != nil {
		return fmt.Errorf("writing the stages: %w", err)
	}
	if err := c.kubectl(ctx, kwokNodes(c.options.regions), "apply", "-f", "-"); err != nil {
		return fmt.Errorf("making the nodes: %w", err)
	}
	if err := c.run("kwok", "--kubeconfig="+c.config, "--manage-all-nodes=true", "--config="+stages,
		"--node-lease-duration-seconds=40", "--cidr=10.0.0.0/16"); err != nil {
		return err
	}
	return c.poll(ctx, "the simulated nodes are ready", func(ctx context.Context) error {
		return c.kubectl(ctx, "", "wait", "--for=condition=Ready", "nodes", "--all", "--timeout=1s")
	})
}

func kwokNodes(regions []string) string {
	var out strings.Builder
	for _, region := range regions {
		for i := range nodesPerRegion {
			fmt.Fprintf(&out, `---
apiVersion: v1
kind: Node
metadata:
  name: %[1]s-%[2]d
  annotations: {kwok.x-k8s.io/node: fake}
  labels:
    kubernetes.io/hostname: %[1]s-%[2]d
    kubernetes.io/os: linux
    kubernetes.io/arch: amd64
    topology.kubernetes.io/region: %[1]s
status:
  capacity: {cpu: "1000", memory: 1Ti, pods: "5000"}
  allocatable: {cpu: "1000", memory: 1Ti, pods: "5000"}
`, region, i+1)
		}
	}
	return out.String()
}
