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
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/report"
	"github.com/ecotracker-dev/ecotracker-operator/internal/terminal"
)

// The formats of a report.
const (
	formatTable = "table"
	formatWide  = "wide"
	formatJSON  = "json"
	formatYAML  = "yaml"
	formatCSV   = "csv"
	formatHTML  = "html"
)

type reportOptions struct{ by, since, format, prometheus string }

func newReport(where *cluster) *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Add up what finished jobs emitted and avoided, and why",
		Long: `Adds up energy, baseline, emissions and avoided emissions of the CarbonAwareJobs that finished, by
namespace, model, region, day (UTC) or job. Sums are exact; the table rounds, -o wide does not.`,
		Example: `  kubectl carbon report -A --since 30d
  kubectl carbon report -A --by namespace,model -o csv > carbon.csv
  kubectl carbon report -A -o html > carbon.html`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			screen, err := where.screen(cmd.OutOrStdout(), "auto")
			if err != nil {
				return err
			}
			return runReport(cmd.Context(), where, o, cmd.OutOrStdout(), screen)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.by, "by", string(report.ByNamespace), "group by namespace, model, region, day (UTC) or job; several separated by commas")
	flags.StringVar(&o.since, "since", "", "only jobs that finished since then: a time ago (36h, 30d), a date (2026-11-01, of UTC) or a time (2026-11-01T00:00:00+01:00)")
	flags.StringVarP(&o.format, "output", "o", formatTable, "table, wide, json, yaml, csv or html (one page with charts)")
	flags.StringVar(&o.prometheus, "prometheus", "", "address of a Prometheus that scrapes the manager: sets what the operator itself emitted since --since against what was avoided")
	completeFlag(cmd, "by", func() []string {
		var words []string
		for _, d := range report.Dimensions() {
			words = append(words, string(d))
		}
		return words
	})
	completeFlag(cmd, "output", func() []string {
		return []string{formatTable, formatWide, formatJSON, formatYAML, formatCSV, formatHTML}
	})
	return cmd
}

func runReport(ctx context.Context, where *cluster, o reportOptions, out io.Writer, screen terminal.Screen) error {
	by, err := report.ParseDimensions(o.by)
	if err != nil {
		return err
	}
	write, err := reportWriter(o.format, screen.Limit())
	if err != nil {
		return err
	}
	now := where.clock.Now()
	since, err := parseSince(o.since, now)
	if err != nil {
		return err
	}
	namespace, err := where.namespace()
	if err != nil {
		return err
	}
	groupings := [][]report.Dimension{by}
	if o.format == formatHTML {
		groupings = append(groupings, report.PageGroupings()...)
	}
	builder := report.NewBuilder(since, groupings...)
	if err := addUp(ctx, where, namespace, builder); err != nil {
		return err
	}
	scope := "All namespaces"
	if namespace != "" {
		scope = "Namespace " + namespace
	}
	made := builder.Build(now, scope)
	if o.prometheus != "" {
		if made.Operator, err = footprint(ctx, o.prometheus, since, now); err != nil {
			return err
		}
	}
	return write(made, out)
}

// addUp adds what the budgets and the jobs of the namespace (empty: of all) say, the budgets first.
func addUp(ctx context.Context, where *cluster, namespace string, builder *report.Builder) error {
	c, err := where.client()
	if err != nil {
		return err
	}
	jobs, err := where.jobs()
	if err != nil {
		return err
	}
	if err := addBudgets(ctx, c, namespace, builder); err != nil {
		return err
	}
	return advise(eachJob(ctx, jobs, namespace, builder.Add))
}

func reportWriter(format string, width int) (func(*report.Report, io.Writer) error, error) {
	switch format {
	case formatTable:
		return func(r *report.Report, out io.Writer) error { return r.WriteTable(out, false, width) }, nil
	case formatWide: // as wide as it is, as kubectl's
		return func(r *report.Report, out io.Writer) error { return r.WriteTable(out, true, 0) }, nil
	case formatJSON:
		return (*report.Report).WriteJSON, nil
	case formatYAML:
		return (*report.Report).WriteYAML, nil
	case formatCSV:
		return (*report.Report).WriteCSV, nil
	case formatHTML:
		return (*report.Report).WriteHTML, nil
	default:
		return nil, fmt.Errorf("--output: %q is not one of table, wide, json, yaml, csv, html", format)
	}
}

// addBudgets adds what deleted jobs have left in budgets. Who may not read budgets is told so.
func addBudgets(ctx context.Context, c client.Client, namespace string, builder *report.Builder) error {
	var list carbonv1alpha1.CarbonBudgetList
	err := c.List(ctx, &list, client.InNamespace(namespace))
	if apierrors.IsForbidden(err) || meta.IsNoMatchError(err) {
		builder.Note("CarbonBudgets cannot be read (" + err.Error() + "): deleted jobs are not in the report")
		return nil
	}
	if err != nil {
		return advise(fmt.Errorf("listing CarbonBudgets: %w", err))
	}
	builder.AddBudgets(list.Items)
	return nil
}

// parseSince reads a time ago or a date; the zero time for neither.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	if number, isDays := strings.CutSuffix(text, "d"); isDays && strings.Trim(number, "0123456789.") == "" {
		// The hours of so many days, read by the parser of durations: it takes fractions too.
		if day, err := time.ParseDuration(number + "h"); err == nil && day > 0 && day < 100_000*time.Hour {
			return now.Add(-24 * day), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("--since: %q is neither a time ago such as 36h or 30d nor a date such as 2026-11-01", text)
}
