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
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
	"github.com/ecotracker-dev/ecotracker-operator/internal/replay"
)

// replayOptions are the command line of kubectl carbon replay.
type replayOptions struct {
	replay.Options
	trace    string
	regions  []string
	policies []string
	arrivals string
	output   string
	plot     string
	sweep    bool
}

func newReplay() *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay (--trace FILE | --region NAME=FILE ...)",
		Short: "Tell what waiting would have saved on the history of a grid",
		Long: `Replays the history of one or several grids, with the benchmark of the EcoTracker paper: a job is
submitted in every slot of every whole UTC day and may wait; it emits its energy times the actual
intensity over its run. The policies:

  now      starts at the submission, in the first region
  argmin   the planner of the paper: the least forecast
  default  this operator with its default settings, by the code that it runs
  oracle   the least actual intensity: the most that can be saved

A FILE is a CSV table with the columns from, to, intensity_forecast and intensity_actual, in
gCO2e/kWh; "kubectl carbon replay fetch" downloads one. The forecasts may be missing. With --jobs-per-day a herd is replayed
instead of one job a slot. No cluster is needed.

The table shows what a policy saved against now, its share of what the oracle saved, the mean wait, the
share of jobs that emitted more than by starting at once (DIRTIER), the days on which all jobs together
did, and the starts in the busiest minute.`,
		Example: `  kubectl carbon replay --trace gb.csv
  kubectl carbon replay --region gb=gb.csv --region de=de.csv --max-delay 24h --duration 2h
  kubectl carbon replay --trace gb.csv --jobs-per-day 10000 --max-starts-per-window 416
  kubectl carbon replay --trace gb.csv --sweep
  kubectl carbon replay --trace gb.csv --plot gb.svg`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runReplay(cmd, o) },
	}
	o.addFlags(cmd.Flags())
	completeFlag(cmd, "output", func() []string { return []string{"table", "json", "csv"} })
	completeFlag(cmd, "policy", replay.Names)
	completeFlag(cmd, "arrivals", func() []string { return []string{string(replay.Uniform), string(replay.OfficeHours)} })
	cmd.MarkFlagsMutuallyExclusive("trace", "region")
	cmd.MarkFlagsOneRequired("trace", "region")
	cmd.AddCommand(newFetch(&http.Client{Timeout: time.Minute}))
	return cmd
}

func (o *replayOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.trace, "trace", "", "history of one grid, a CSV file; - reads standard input")
	flags.StringArrayVar(&o.regions, "region", nil, "history of a grid by its name, NAME=FILE; may be repeated, the first is home")
	flags.DurationVar(&o.MaxDelay, "max-delay", 4*time.Hour, "how long a job may wait")
	flags.DurationVar(&o.Duration, "duration", 30*time.Minute, "how long a job runs")
	flags.Float64Var(&o.EnergyKWh, "energy-kwh", 0.0005, "energy of a job in kWh; the default is that of the paper's, 50 calls of a model")
	flags.StringSliceVar(&o.policies, "policy", replay.Names(), "policies to show")
	flags.DurationVar(&o.ActualsAfter, "actuals-after", time.Hour, "how long after the end of a slot its actual intensity is published")
	flags.IntVar(&o.JobsPerDay, "jobs-per-day", 0, "replay a herd of that many jobs a day")
	flags.StringVar(&o.arrivals, "arrivals", string(replay.Uniform), "when the herd is submitted: uniform, or office-hours (09:00 to 17:00 UTC)")
	flags.IntVar(&o.MaxStartsPerWindow, "max-starts-per-window", 0, "how many starts a slot of a region takes by the default policy, as in a GridRegion; 0 takes any number")
	flags.StringVarP(&o.output, "output", "o", "table", "table, json or csv")
	flags.BoolVar(&o.sweep, "sweep", false, "replay delays from 4 to 48 hours with durations from half an hour to 4 hours")
	flags.StringVar(&o.plot, "plot", "", "draw the figures of the paper into this SVG file")
}

// replayWriters by the value of --output.
var replayWriters = map[string]func(*bytes.Buffer, replay.Result, replayOptions) error{
	"table": writeReplayTable, "json": writeReplayJSON, "csv": writeReplayCSV,
}

// validate refuses what does not fit together.
func (o *replayOptions) validate(flags *pflag.FlagSet) error {
	if replayWriters[o.output] == nil {
		return fmt.Errorf("--output: %q is not table, json or csv", o.output)
	}
	if err := validatePolicies(o.policies); err != nil {
		return err
	}
	o.Arrivals = replay.Arrivals(o.arrivals)
	switch {
	case o.Arrivals != replay.Uniform && o.Arrivals != replay.OfficeHours:
		return fmt.Errorf("--arrivals: %q is not uniform or office-hours", o.arrivals)
	case o.JobsPerDay == 0 && (flags.Changed("arrivals") || o.MaxStartsPerWindow != 0):
		return errors.New("--arrivals and --max-starts-per-window are about a herd: add --jobs-per-day")
	case o.plot != "" && !strings.HasSuffix(o.plot, ".svg"):
		return fmt.Errorf("--plot: %q must end in .svg", o.plot)
	case o.sweep:
		return validateSweep(flags)
	}
	return nil
}

func validatePolicies(names []string) error {
	if len(names) == 0 {
		return fmt.Errorf("--policy names none: choose among %s", strings.Join(replay.Names(), ", "))
	}
	for _, name := range names {
		if !slices.Contains(replay.Names(), name) {
			return fmt.Errorf("--policy: %q is not one of %s", name, strings.Join(replay.Names(), ", "))
		}
	}
	return nil
}

func runReplay(cmd *cobra.Command, o replayOptions) error {
	if err := o.validate(cmd.Flags()); err != nil {
		return err
	}
	regions, err := readHistories(o, cmd.InOrStdin())
	if err != nil {
		return err
	}
	if o.sweep {
		return runSweep(cmd, regions, o)
	}
	bar := newProgress(cmd.ErrOrStderr(), "replaying")
	o.Progress = bar.set
	policies := o.policies
	if o.plot != "" {
		policies = replay.Names()
	}
	result, err := replay.Replay(cmd.Context(), regions, o.Options, policies)
	bar.finish()
	if err != nil {
		return inFlags(err)
	}
	if o.plot != "" {
		if err := drawFigures(o.plot, regions, result); err != nil {
			return err
		}
	}
	maps.DeleteFunc(result.Policies, func(name string, _ replay.Outcome) bool { return !slices.Contains(o.policies, name) })
	var out bytes.Buffer
	if err := replayWriters[o.output](&out, result, o); err != nil {
		return err
	}
	return printOut(cmd, &out)
}

// flagOf are the flags of the options.
var flagOf = map[string]string{
	"MaxDelay": "max-delay", "Duration": "duration", "EnergyKWh": "energy-kwh", "ActualsAfter": "actuals-after",
	"JobsPerDay": "jobs-per-day", "MaxStartsPerWindow": "max-starts-per-window",
}

// inFlags says in the words of the command line what is wrong with a replay.
func inFlags(err error) error {
	var option *replay.OptionError
	switch {
	case errors.As(err, &option):
		return fmt.Errorf("--%s %s", flagOf[option.Option], option.Problem)
	case errors.Is(err, replay.ErrNoDay):
		return fmt.Errorf("%w; take a longer history, or shorten --max-delay or --duration", err)
	}
	return err
}

// readHistories reads the regions that the flags name.
func readHistories(o replayOptions, stdin io.Reader) ([]replay.Region, error) {
	flags := o.regions
	if o.trace != "" {
		name := strings.TrimSuffix(filepath.Base(o.trace), filepath.Ext(o.trace))
		flags = []string{name + "=" + o.trace}
	}
	regions := make([]replay.Region, 0, len(flags))
	for _, flag := range flags {
		name, file, named := strings.Cut(flag, "=")
		if !named || name == "" || file == "" {
			return nil, fmt.Errorf("--region: %q is not NAME=FILE", flag)
		}
		if slices.ContainsFunc(regions, func(r replay.Region) bool { return r.Name == name }) {
			return nil, fmt.Errorf("--region: %s is there twice: give each grid a name of its own", name)
		}
		trace, err := readHistory(file, stdin)
		if err != nil {
			return nil, err
		}
		regions = append(regions, replay.Region{Name: name, Trace: trace})
	}
	return regions, nil
}

func readHistory(name string, stdin io.Reader) (forecast.Trace, error) {
	in := stdin
	if name != "-" {
		file, err := os.Open(name) //nolint:gosec // a person names the file
		if err != nil {
			return forecast.Trace{}, fmt.Errorf("reading a history: %w", err)
		}
		defer file.Close() //nolint:errcheck // it was only read
		in = file
	}
	trace, err := forecast.ParseHistory(in)
	if err != nil {
		return trace, fmt.Errorf("%s: %w", name, err)
	}
	return trace, nil
}
