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
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/terminal"
)

func newExplain(where *cluster) *cobra.Command {
	var format string
	cmd := &cobra.Command{
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
			screen.Wide = format == formatWide
			if err := checkFormat(format); err != nil {
				return err
			}
			story, events, err := tell(cmd.Context(), where, args[0])
			if err != nil {
				return err
			}
			var out bytes.Buffer
			if isForPeople(format) {
				err = writeStory(&out, story, events, screen)
			} else {
				err = writeRecords(&out, format, storyColumns, storyLines(story, events))
			}
			if err != nil {
				return err
			}
			return printOut(cmd, &out)
		},
	}
	addFormatFlag(cmd, &format, "table (sentences, and a table of Events)")
	return cmd
}

// tell gathers the story of a job, and its Events.
func tell(ctx context.Context, where *cluster, name string) ([]passage, []corev1.Event, error) {
	namespace, err := where.ownNamespace()
	if err != nil {
		return nil, nil, err
	}
	c, err := where.client()
	if err != nil {
		return nil, nil, err
	}
	caj := &carbonv1alpha1.CarbonAwareJob{}
	err = c.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, caj)
	if apierrors.IsNotFound(err) {
		return tellOfGone(ctx, c, namespace, name)
	}
	if err != nil {
		return nil, nil, advise(fmt.Errorf("reading CarbonAwareJob %s: %w", name, err))
	}
	story := storyOf(caj, where.clock.Now())
	events, err := eventsOf(ctx, c, namespace, client.MatchingFields{"involvedObject.uid": string(caj.UID)})
	if apierrors.IsForbidden(err) {
		return append(story, passage{"events", "Its Events cannot be read: " + err.Error()}), nil, nil
	}
	return story, events, err
}

// tellOfGone tells of a job that does not exist any more, by the Events that are left of it.
func tellOfGone(ctx context.Context, c client.Client, namespace, name string) ([]passage, []corev1.Event, error) {
	events, err := eventsOf(ctx, c, namespace, client.MatchingFields{"involvedObject.kind": "CarbonAwareJob", "involvedObject.name": name})
	if err != nil {
		return nil, nil, err
	}
	if len(events) == 0 {
		return nil, nil, fmt.Errorf("there is no CarbonAwareJob %s in namespace %s", name, namespace)
	}
	return []passage{{"state", fmt.Sprintf(
		"%s in namespace %s is deleted, by hand or by its ttlSecondsAfterFinished. What it emitted is in the totals of the CarbonBudgets that counted it (kubectl carbon report -n %s); its Events are all else that is left.",
		name, namespace, namespace)}}, events, nil
}

func writeStory(out *bytes.Buffer, story []passage, events []corev1.Event, screen terminal.Screen) error {
	for _, p := range story {
		say(out, screen, "%s", p.text)
	}
	return writeEvents(out, events, screen)
}

// storyLine is a paragraph of a story or an Event, for programs.
type storyLine struct {
	// Kind is story or event, About what a paragraph is about or the reason of an Event.
	Kind  string `json:"kind"`
	About string `json:"about"`
	// Time of an Event; nothing for a paragraph.
	Time *time.Time `json:"time,omitempty"`
	Text string     `json:"text"`
}

var storyColumns = []string{"kind", "about", "time", "text"}

func (l storyLine) cells() []string { return []string{l.Kind, l.About, timeCell(l.Time), l.Text} }

func storyLines(story []passage, events []corev1.Event) []storyLine {
	lines := make([]storyLine, 0, len(story)+len(events))
	for _, p := range story {
		lines = append(lines, storyLine{Kind: "story", About: p.about, Text: p.text})
	}
	for i := range events {
		at := eventTime(&events[i])
		lines = append(lines, storyLine{Kind: "event", About: events[i].Reason, Time: &at, Text: events[i].Message})
	}
	return lines
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
