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
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// cgroupBase is where cgroups are mounted.
const cgroupBase = "/sys/fs/cgroup"

// makeCgroup makes the folder below which the pods of a node live. On cgroup v1 that is one in
// every controller, and cpuset starts with no processor and no memory, so they are copied.
func makeCgroup(name string) error {
	dirs := cgroupDirs(name)
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // as every cgroup
			return fmt.Errorf("making the cgroup: %w", err)
		}
		parent := filepath.Dir(dir)
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			value, err := os.ReadFile(filepath.Join(parent, file)) //nolint:gosec // below /sys/fs/cgroup
			if err != nil || len(dirs) == 1 {
				continue // not cpuset, or cgroup v2, where it is inherited
			}
			if err := os.WriteFile(filepath.Join(dir, file), value, 0o600); err != nil {
				return fmt.Errorf("copying %s: %w", file, err)
			}
		}
	}
	return nil
}

// cgroupDirs are the folders of a cgroup: one a controller on v1, one on v2.
func cgroupDirs(name string) []string {
	if _, err := os.Stat(filepath.Join(cgroupBase, "cgroup.controllers")); err == nil {
		return []string{filepath.Join(cgroupBase, name)}
	}
	entries, err := os.ReadDir(cgroupBase)
	if err != nil {
		return nil
	}
	var dirs []string
	for _, e := range entries {
		if e.IsDir() && e.Name() != "unified" {
			dirs = append(dirs, filepath.Join(cgroupBase, e.Name(), name))
		}
	}
	return dirs
}

// removeCgroup removes the folders, the deepest first. The kernel may need a moment to let go.
func removeCgroup(name string) error {
	var problems []error
	for _, top := range append(cgroupDirs(name), filepath.Join(cgroupBase, "unified", name)) {
		var dirs []string
		_ = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil // what is gone already need not be removed
		})
		slices.Reverse(dirs)
		for _, dir := range dirs {
			var err error
			for range 20 {
				if err = os.Remove(dir); err == nil || errors.Is(err, fs.ErrNotExist) {
					err = nil
					break
				}
				time.Sleep(50 * time.Millisecond)
			}
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// addBridge makes the node's bridge with a free subnet. Its address is the node's: a kubelet takes
// no loopback address.
func addBridge(ctx context.Context, n *realNode) error {
	unlock, err := lock(ctx, filepath.Join(os.TempDir(), "controlplane-network.lock"), &progress{quiet: true})
	if err != nil {
		return err
	}
	defer unlock()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return fmt.Errorf("listing the addresses of this machine: %w", err)
	}
	for i := 0; i < 250 && n.prefix == ""; i++ {
		n.prefix = fmt.Sprintf("10.213.%d", i)
		for _, a := range addresses {
			if strings.HasPrefix(a.String(), n.prefix+".") {
				n.prefix = ""
				break
			}
		}
	}
	for _, args := range [][]string{
		{"link", "add", n.bridge, "type", "bridge"},
		{"addr", "add", n.address() + "/24", "dev", n.bridge},
		{"link", "set", n.bridge, "up"},
	} {
		if err := ip(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

func deleteBridge(ctx context.Context, n *realNode) error {
	if _, err := net.InterfaceByName(n.bridge); err != nil {
		return nil //nolint:nilerr // there is none to delete
	}
	return ip(ctx, "link", "delete", n.bridge)
}

func ip(ctx context.Context, args ...string) error {
	if output, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput(); err != nil { //nolint:gosec // our own arguments
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, output)
	}
	return nil
}

// killShims kills the containers that outlived their containerd: each has a shim that names its
// socket, and dies with it.
func killShims(socket string) {
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return
	}
	for _, file := range processes {
		data, err := os.ReadFile(file) //nolint:gosec // below /proc
		if err != nil || !strings.Contains(string(data), "containerd-shim-runc-v2") || !strings.Contains(string(data), socket) {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(file, "/proc/%d/", &pid); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended meanwhile
		}
	}
}

// unmountBelow unmounts everything below a folder, the last mount first.
func unmountBelow(dir string) error {
	data, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return fmt.Errorf("listing the mounts: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	slices.Reverse(lines)
	var problems []error
	for _, line := range lines {
		if fields := strings.Fields(line); len(fields) > 1 && strings.HasPrefix(fields[1], dir+"/") {
			problems = append(problems, syscall.Unmount(fields[1], syscall.MNT_DETACH))
		}
	}
	return errors.Join(problems...)
}

// removeLogLinks removes the links that a kubelet leaves in /var/log/containers.
func removeLogLinks(dir string) error {
	links, err := filepath.Glob("/var/log/containers/*.log")
	if err != nil {
		return fmt.Errorf("listing the logs of containers: %w", err)
	}
	var problems []error
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, dir+"/") {
			problems = append(problems, os.Remove(link))
		}
	}
	return errors.Join(problems...)
}
