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
	"maps"
	"slices"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// completeFlag lets the shell complete a flag with the given words.
func completeFlag(cmd *cobra.Command, flag string, words func() []string) {
	completeFlagBy(cmd, flag, func(*cobra.Command) []string { return words() })
}

// completeFlagBy lets the shell complete a flag with words for which the command may have to ask.
func completeFlagBy(cmd *cobra.Command, flag string, words func(*cobra.Command) []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return words(cmd), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the flag does not exist: a mistake in the code of the command
	}
}

// completeWhere lets the shell complete the flags that say where to look.
func completeWhere(root *cobra.Command, where *cluster) {
	completeFlagBy(root, "namespace", func(cmd *cobra.Command) []string {
		return namesOf(cmd.Context(), where, corev1.SchemeGroupVersion.WithKind("Namespace"), false)
	})
	completeFlagBy(root, "context", func(*cobra.Command) []string {
		config, err := where.flags.ToRawKubeConfigLoader().RawConfig()
		if err != nil {
			return nil
		}
		return slices.Sorted(maps.Keys(config.Contexts))
	})
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
		return namesOf(cmd.Context(), where, carbonv1alpha1.GroupVersion.WithKind(kind), namespaced), cobra.ShellCompDirectiveNoFileComp
	}
}

// namesOf asks for nothing but metadata.
func namesOf(ctx context.Context, where *cluster, kind schema.GroupVersionKind, namespaced bool) []string {
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
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	if c.List(ctx, list, client.InNamespace(namespace)) != nil {
		return nil
	}
	names := make([]string, 0, len(list.Items))
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	return names
}
