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
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// chunk is the most that the UK API gives at once.
const chunk = forecast.HistoryDays * 24 * time.Hour

func newFetch(client *http.Client) *cobra.Command {
	var from, to, file string
	var region int
	cmd := &cobra.Command{
		Use:   "fetch --from DATE --to DATE",
		Short: "Download the history of Great Britain, for replay",
		Long: `Downloads half-hourly carbon intensities, forecast and actual, from the Carbon Intensity API of
Great Britain (NESO, CC BY 4.0, https://carbonintensity.org.uk) into a CSV table for kubectl carbon
replay. The nation has actual intensities; the regions 1 to 17 have forecasts only and cannot be
judged. A year at most. A replay of whole days needs some hours more behind the last one.`,
		Example: `  kubectl carbon replay fetch --from 2026-02-14 --to 2026-03-16 --file gb.csv`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			first, err := time.Parse(time.DateOnly, from)
			if err != nil {
				return fmt.Errorf("--from: %q is not a date such as 2026-02-14", from)
			}
			last, err := time.Parse(time.DateOnly, to)
			if err != nil || !first.Before(last) {
				return fmt.Errorf("--to: %q is not a date after --from such as 2026-03-16", to)
			}
			if region < 0 || region > 17 {
				return fmt.Errorf("--region-id: %d is not 0 for the nation or 1 to 17", region)
			}
			trace, err := fetchHistory(cmd, client, forecast.UK{Region: region}, first, last)
			if err != nil {
				return err
			}
			if file == "" {
				return forecast.WriteTrace(cmd.OutOrStdout(), trace) //nolint:wrapcheck // it says what it could not write
			}
			return writeHistory(file, trace)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "first day, UTC")
	cmd.Flags().StringVar(&to, "to", "", "the day after the last one, UTC")
	cmd.Flags().StringVarP(&file, "file", "f", "", "CSV file to write (default: standard output)")
	cmd.Flags().IntVar(&region, "region-id", 0, "region of the API, 1 to 17; 0 is the nation")
	_, _ = cmd.MarkFlagRequired("from"), cmd.MarkFlagRequired("to")
	return cmd
}

func fetchHistory(cmd *cobra.Command, client *http.Client, source forecast.UK, from, to time.Time) (forecast.Trace, error) {
	bar := newProgress(cmd.ErrOrStderr(), "downloading")
	defer bar.finish()
	var all forecast.Trace
	days := func(t time.Time) int { return int(t.Sub(from) / (24 * time.Hour)) }
	for start := from; start.Before(to); start = start.Add(chunk) {
		bar.set(days(start), days(to))
		end := start.Add(chunk)
		if end.After(to) {
			end = to
		}
		part, err := source.Range(cmd.Context(), client, start, end)
		if err == nil {
			all, err = all.Join(part.Clip(start, end))
		}
		if err != nil {
			return all, fmt.Errorf("the UK Carbon Intensity API, %s to %s: %w", start.Format(time.DateOnly), end.Format(time.DateOnly), err)
		}
	}
	return all, nil
}

func writeHistory(name string, trace forecast.Trace) (err error) {
	file, err := os.Create(name) //nolint:gosec // a person names the file
	if err != nil {
		return fmt.Errorf("writing the history: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return forecast.WriteTrace(file, trace) //nolint:wrapcheck // it says what it could not write
}
