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

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	return completeName(where, "GridRegion", false)
}

func completeJob(where *cluster) cobra.CompletionFunc {
	return completeName(where, "CarbonAwareJob", true)
}

func completeName(where *cluster, kind string, namespaced bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return namesOf(cmd.Context(), where, kind, namespaced), cobra.ShellCompDirectiveNoFileComp
	}
}

// namesOf asks for nothing but metadata.
func namesOf(ctx context.Context, where *cluster, kind string, namespaced bool) []string {
	c, err := where.client()
	if err != nil {
		return nil
	}
	namespace := ""
	if namespaced {
		if namespace, err = where.ownNamespace(); err != nil {
			return nil
		}
	}
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(carbonv1alpha1.GroupVersion.WithKind(kind + "List"))
	if c.List(ctx, list, client.InNamespace(namespace)) != nil {
		return nil
	}
	names := make([]string, 0, len(list.Items))
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	return names
}
