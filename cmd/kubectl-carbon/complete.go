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
	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// completeFlag lets the shell complete a flag with the given words.
func completeFlag(cmd *cobra.Command, flag string, words func() []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the flag does not exist: a mistake in the code of the command
	}
}

// completeRegion and completeJob let the shell complete a command's one argument with the names in
// the cluster; with nothing when it cannot be asked.
func completeRegion(where *cluster) cobra.CompletionFunc {
	return completeName(where, func(c client.Client, cmd *cobra.Command) []string {
		var list carbonv1alpha1.GridRegionList
		if c.List(cmd.Context(), &list) != nil {
			return nil
		}
		names := make([]string, 0, len(list.Items))
		for i := range list.Items {
			names = append(names, list.Items[i].Name)
		}
		return names
	})
}

func completeJob(where *cluster) cobra.CompletionFunc {
	return completeName(where, func(c client.Client, cmd *cobra.Command) []string {
		namespace, err := where.namespace()
		if err != nil {
			return nil
		}
		var names []string
		err = eachJob(cmd.Context(), c, namespace, func(caj *carbonv1alpha1.CarbonAwareJob) { names = append(names, caj.Name) })
		if err != nil {
			return nil
		}
		return names
	})
}

func completeName(where *cluster, names func(client.Client, *cobra.Command) []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		c, err := where.client()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(c, cmd), cobra.ShellCompDirectiveNoFileComp
	}
}
