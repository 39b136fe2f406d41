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

// Command controlplane runs a real Kubernetes control plane on this machine: etcd, kube-apiserver,
// kube-controller-manager and kube-scheduler as plain processes, with simulated nodes or, as root
// on Linux, real ones.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

const usage = `Usage:
  controlplane binaries [--with=nodes]     make the binaries available, print their folder
  controlplane up [flags]                  run a control plane until interrupted
  controlplane run [flags] -- CMD [ARGS]   run a command with a control plane around it

Flags of up and run:
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := dispatch(ctx, os.Args[1:])
	var exit *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		os.Exit(exit.ExitCode()) //nolint:gocritic // stop only unregisters a signal handler of this process
	case errors.Is(err, context.Canceled):
		os.Exit(130) // as a shell does after Ctrl-C
	default:
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		os.Exit(1)
	}
}

func dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		args = []string{"help"}
	}
	o, command, err := parseOptions(args[0], args[1:])
	if err != nil {
		return err
	}
	switch args[0] {
	case "binaries":
		dir, err := ensureBinaries(ctx, o, wanted(o.with == "nodes"))
		if err != nil {
			return err
		}
		fmt.Println(dir)
		return nil
	case "up":
		return up(ctx, o, nil)
	case "run":
		if len(command) == 0 {
			return errors.New("run needs a command after --")
		}
		return up(ctx, o, command)
	default:
		return fmt.Errorf("unknown command %q; the commands are binaries, up and run", args[0])
	}
}
