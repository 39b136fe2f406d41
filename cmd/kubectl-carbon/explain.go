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
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/terminal"
)

func newExplain(where *cluster) *cobra.Command {
	return &cobra.Command{
		Use:   "explain JOB",
		Short: "Tell the story of one job: its plan, its start, its run and its emissions",
		Long: `Tells in sentences what the operator decided for a CarbonAwareJob, why, and what came of it, from its
status and its Events. Events are kept for an hour only, by default; the status is kept. Times are UTC.`,
		Example:           `  kubectl carbon explain nightly-eval -n nlp`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeJob(where),
		RunE: func(cmd *cobra.Command, args []string) error {
			screen, err := where.screen(cmd.OutOrStdout(), "auto")
			if err != nil {
				return err
			}
			var out bytes.Buffer
			if err := runExplain(cmd.Context(), where, args[0], &out, screen); err != nil {
				return err
			}
			return printOut(cmd, &out)
		},
	}
}

func runExplain(ctx context.Context, where *cluster, name string, out *bytes.Buffer, screen terminal.Screen) error {
	namespace, err := where.ownNamespace()
	if err != nil {
		return err
	}
	c, err := where.client()
	if err != nil {
		return err
	}
	caj := &carbonv1alpha1.CarbonAwareJob{}
	err = c.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, caj)
	if apierrors.IsNotFound(err) {
		return explainGone(ctx, c, namespace, name, out, screen)
	}
	if err != nil {
		return fmt.Errorf("reading CarbonAwareJob %s: %w", name, err)
	}
	for _, paragraph := range storyOf(caj, where.clock.Now()) {
		say(out, screen, "%s", paragraph)
	}
	events, err := eventsOf(ctx, c, namespace, client.MatchingFields{"involvedObject.uid": string(caj.UID)})
	if err != nil {
		return err
	}
	return writeEvents(out, events, screen)
}

// explainGone tells of a job that does not exist any more, by the Events that are left of it.
func explainGone(ctx context.Context, c client.Client, namespace, name string, out *bytes.Buffer, screen terminal.Screen) error {
	events, err := eventsOf(ctx, c, namespace, client.MatchingFields{"involvedObject.kind": "CarbonAwareJob", "involvedObject.name": name})
	if err != nil {
		return err
	}
	if len(events) == 0 {
		return fmt.Errorf("there is no CarbonAwareJob %s in namespace %s", name, namespace)
	}
	say(out, screen, "%s in namespace %s is deleted, by hand or by its ttlSecondsAfterFinished. What it emitted is in the totals of the CarbonBudgets that counted it (kubectl carbon report -n %s); its Events are all else that is left.",
		name, namespace, namespace)
	return writeEvents(out, events, screen)
}

func writeEvents(out *bytes.Buffer, events []corev1.Event, screen terminal.Screen) error {
	if len(events) == 0 {
		return nil
	}
	fmt.Fprintln(out, "\nEvents:")
	table := &terminal.Table{Header: []string{"WHEN", "REASON", "MESSAGE"}, Keys: 2}
	for i := range events {
		e := &events[i]
		table.Rows = append(table.Rows, []string{eventTime(e).Format("Mon 2 15:04:05"), e.Reason, e.Message})
	}
	return table.WriteFitting(out, screen.Limit()) //nolint:wrapcheck // it says what it could not write
}

// eventsOf are the Events of the namespace with the fields, oldest first.
func eventsOf(ctx context.Context, c client.Client, namespace string, fields client.MatchingFields) ([]corev1.Event, error) {
	var list corev1.EventList
	if err := c.List(ctx, &list, client.InNamespace(namespace), fields); err != nil {
		return nil, fmt.Errorf("listing Events: %w", err)
	}
	slices.SortStableFunc(list.Items, func(a, b corev1.Event) int { return eventTime(&a).Compare(eventTime(&b)) })
	return list.Items, nil
}
