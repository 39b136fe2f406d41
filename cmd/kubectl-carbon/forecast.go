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
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/controller"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
	"github.com/ecotracker-dev/ecotracker-operator/internal/terminal"
)

type forecastOptions struct {
	hours    int
	duration time.Duration
	windows  int
	chart    string
	format   string
}

func newForecast(where *cluster) *cobra.Command {
	var o forecastOptions
	cmd := &cobra.Command{
		Use:   "forecast [REGION]",
		Short: "Show the carbon intensity of the next hours, and the greenest windows",
		Long: `Shows the carbon intensity that the operator expects, in gCO2e/kWh. With a region: a chart and its
greenest windows; without: one line for every region. Where no person looks (a pipe, a file), it
writes plain rows instead. Times are UTC.`,
		Example: `  kubectl carbon forecast
  kubectl carbon forecast gb --duration 2h
  kubectl carbon forecast gb | sort -k2 -n | head
  kubectl carbon forecast -o csv > forecasts.csv`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeRegion(where),
		RunE:              func(cmd *cobra.Command, args []string) error { return runForecast(cmd, where, args, o) },
	}
	flags := cmd.Flags()
	flags.IntVar(&o.hours, "hours", 48, "how far to look ahead, 1 to 168; forecasts seldom reach further than 72")
	flags.DurationVar(&o.duration, "duration", 30*time.Minute, "length of the windows, for example the expected duration of a job")
	flags.IntVar(&o.windows, "windows", 3, "how many of the greenest windows to show")
	addChartFlag(cmd, &o.chart)
	addFormatFlag(cmd, &o.format, "table (and charts, on a terminal)")
	return cmd
}

func runForecast(cmd *cobra.Command, where *cluster, args []string, o forecastOptions) error {
	screen, err := where.screen(cmd.OutOrStdout(), o.chart)
	if err != nil {
		return err
	}
	screen.Wide = o.format == formatWide
	if err := o.validate(); err != nil {
		return err
	}
	regions, err := listRegions(cmd.Context(), where)
	if err != nil {
		return err
	}
	now := where.clock.Now()
	var out bytes.Buffer
	switch {
	case !isForPeople(o.format):
		err = writeSlots(&out, regions, args, now, o)
	case len(args) == 0:
		err = writeRegions(&out, regions, now, o, screen)
	default:
		err = writeForecast(&out, regions, args[0], now, o, screen)
	}
	if err != nil {
		return err
	}
	return printOut(cmd, &out)
}

func (o *forecastOptions) validate() error {
	switch {
	case o.hours < 1 || o.hours > 168:
		return fmt.Errorf("--hours: %d is not from 1 to 168", o.hours)
	case o.duration < time.Second:
		return fmt.Errorf("--duration: %s is less than 1s", o.duration)
	case o.windows < 1 || o.windows > 100:
		return fmt.Errorf("--windows: %d is not from 1 to 100", o.windows)
	}
	return checkFormat(o.format)
}

func addChartFlag(cmd *cobra.Command, mode *string) {
	cmd.Flags().StringVar(mode, "chart", "auto", "draw charts: auto (on a terminal), always or never")
	completeFlag(cmd, "chart", func() []string { return []string{"auto", "always", "never"} })
}

// listRegions are all GridRegions, by name.
func listRegions(ctx context.Context, where *cluster) ([]carbonv1alpha1.GridRegion, error) {
	c, err := where.client()
	if err != nil {
		return nil, err
	}
	var list carbonv1alpha1.GridRegionList
	if err := c.List(ctx, &list); err != nil {
		return nil, advise(fmt.Errorf("listing GridRegions: %w", err))
	}
	slices.SortFunc(list.Items, func(a, b carbonv1alpha1.GridRegion) int { return cmp.Compare(a.Name, b.Name) })
	return list.Items, nil
}

// ahead is what is expected of the region from the present slot on, and how far its first hours can be
// trusted.
func ahead(region *carbonv1alpha1.GridRegion, now time.Time, hours int) (forecast.Series, forecast.Quality) {
	end := now.Add(time.Duration(hours) * time.Hour)
	estimate := controller.RegionEstimate(region, now, end)
	series := estimate.Series
	if series.Step > time.Hour { // a constant: one long slot
		if grams, ok := series.At(now); ok {
			series = forecast.Series{Start: now.Truncate(time.Hour), Step: time.Hour, Grams: slices.Repeat([]float64{grams}, hours)}
		}
	}
	return series.Clip(now, end), estimate.Quality
}

// writeRegions writes a line for every region.
func writeRegions(out *bytes.Buffer, regions []carbonv1alpha1.GridRegion, now time.Time, o forecastOptions, screen terminal.Screen) error {
	if len(regions) == 0 {
		return errors.New("there is no GridRegion: kubectl apply -k config/samples makes some")
	}
	table := &terminal.Table{
		Header: []string{"REGION", "NOW", "QUALITY", "GREENEST", "FROM", "AGAINST-NOW"},
		Right:  []bool{false, true, false, true, false, true},
	}
	sparkline := 24
	if screen.Width < 90 {
		sparkline = 16
	}
	if screen.Wide {
		table.Header, table.Right = append(table.Header, "SOURCE", "SIGNAL", "FETCHED"), append(table.Right, false, false, false)
	}
	if screen.Charts {
		table.Header = append(table.Header, fmt.Sprintf("NEXT %dH", o.hours))
	}
	for i := range regions {
		series, quality := ahead(&regions[i], now, o.hours)
		row := []string{regions[i].Name, "unknown", cmp.Or(string(quality), "-"), "-", "-", "-"}
		current, known := series.At(now)
		if known {
			row[1] = fmt.Sprintf("%.0f", current)
		}
		if w, ok := series.Greenest(forecast.Search{Earliest: now, Latest: series.End(), Duration: o.duration}); ok {
			row[3], row[4] = fmt.Sprintf("%.0f", w.Grams), when(w.Start)
			if known {
				row[5] = against(w.Grams, current)
			}
		}
		if screen.Wide {
			row = append(row, origin(&regions[i].Status)...)
		}
		if screen.Charts {
			row = append(row, terminal.Sparkline(series.Grams, sparkline))
		}
		table.Rows = append(table.Rows, row)
	}
	return table.WriteFitting(out, screen.Limit()) //nolint:wrapcheck // it says what it could not write
}

// origin is where the region's intensity comes from: the source, its signal, and when it gave its forecast.
func origin(status *carbonv1alpha1.GridRegionStatus) []string {
	source, signal, fetched := "-", "-", "-"
	if is := status.Intensity; is != nil {
		source, signal = cmp.Or(is.Source, "-"), cmp.Or(string(is.Signal), "-")
	}
	if f := status.Forecast; f != nil && !f.FetchedAt.IsZero() {
		fetched = clockTime(f.FetchedAt)
	}
	return []string{source, signal, fetched}
}

// writeForecast writes one region: a chart and its greenest windows, or plain rows.
func writeForecast(out *bytes.Buffer, regions []carbonv1alpha1.GridRegion, name string, now time.Time, o forecastOptions, screen terminal.Screen) error {
	i, err := indexOf(regions, name)
	if err != nil {
		return err
	}
	series, quality := ahead(&regions[i], now, o.hours)
	if series.Empty() {
		return fmt.Errorf("nothing is known of the next hours of %s: kubectl describe gridregion %s says why", name, name)
	}
	windows := greenestWindows(series, now, o.duration, o.windows)
	marked := markWindows(series, windows)
	if !screen.Charts {
		return writeRows(out, series, marked)
	}
	fmt.Fprintf(out, "%s, next %d h, %s\n\n", name, o.hours, cmp.Or(describeQuality(quality), "forecast"))
	chart := &terminal.Chart{
		Start: series.Start, Step: series.Step, Values: series.Grams, Marked: marked,
		Unit: "gCO2e/kWh", Mark: "greenest " + shortSpan(o.duration),
	}
	if err := chart.Write(out, screen); err != nil {
		return err //nolint:wrapcheck // it says what it could not write
	}
	fmt.Fprintln(out)
	return writeWindows(out, series, windows, now, screen)
}

func indexOf(regions []carbonv1alpha1.GridRegion, name string) (int, error) {
	i := slices.IndexFunc(regions, func(r carbonv1alpha1.GridRegion) bool { return r.Name == name })
	if i < 0 {
		return i, fmt.Errorf("there is no GridRegion %q; there are: %s", name, strings.Join(regionNames(regions), ", "))
	}
	return i, nil
}

func writeWindows(out *bytes.Buffer, series forecast.Series, windows []forecast.Window, now time.Time, screen terminal.Screen) error {
	if len(windows) == 0 {
		say(out, screen, "No window of that length is known.")
		return nil
	}
	table := &terminal.Table{Header: []string{"GREENEST-WINDOW", "IN", "G/KWH", "AGAINST-NOW"}, Right: []bool{false, true, true, true}}
	current, known := series.At(now)
	for _, w := range windows {
		row := []string{
			fmt.Sprintf("%s to %s", when(w.Start), w.End.UTC().Format("15:04")),
			shortSpan(w.Start.Sub(now)), fmt.Sprintf("%.0f", w.Grams), "-",
		}
		if known {
			row[3] = against(w.Grams, current)
		}
		table.Rows = append(table.Rows, row)
	}
	return table.WriteFitting(out, screen.Limit()) //nolint:wrapcheck // it says what it could not write
}

func writeRows(out *bytes.Buffer, series forecast.Series, marked []bool) error {
	table := &terminal.Table{Header: []string{"FROM", "G/KWH", "GREENEST"}, Right: []bool{false, true, false}}
	for i, grams := range series.Grams {
		row := []string{series.Start.Add(time.Duration(i) * series.Step).UTC().Format(time.RFC3339), "-", ""}
		if grams == grams { // not NaN
			row[1] = fmt.Sprintf("%.0f", grams)
		}
		if marked[i] {
			row[2] = "*"
		}
		table.Rows = append(table.Rows, row)
	}
	return table.Write(out) //nolint:wrapcheck // it says what it could not write
}
