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
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// newRoot is the command line of the plugin: one file for each subcommand, all added here.
func newRoot(streams genericiooptions.IOStreams, where *cluster) *cobra.Command {
	root := &cobra.Command{
		Use:   "kubectl-carbon",
		Short: "Run batch work when and where the grid is greenest",
		Long: `Shows what the EcoTracker operator plans, does and avoids in a cluster, and replays the
history of a power grid to tell what waiting for a greener hour is worth there.`,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl carbon"},
		SilenceErrors: true, // main prints them
		SilenceUsage:  true,
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	where.addFlags(root.PersistentFlags())
	completeWhere(root, where)
	root.AddCommand(newReport(where))
	root.AddCommand(newForecast(where))
	root.AddCommand(newPlan(where))
	root.AddCommand(newExplain(where))
	root.AddCommand(newReplay())
	root.AddCommand(newVersion())
	return root
}

// printOut writes what a command has to say at once, so that a command that fails has said nothing.
func printOut(cmd *cobra.Command, out *bytes.Buffer) error {
	if _, err := cmd.OutOrStdout().Write(out.Bytes()); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}
