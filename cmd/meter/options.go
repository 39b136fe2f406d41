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
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
)

// worldMean is the mean carbon intensity of the world's electricity in gCO2e/kWh, as EcoLogits 0.11
// has it (https://ecologits.ai).
const worldMean = 473.01

// options are the command line of the meter.
type options struct {
	listen, metrics string
	mode            string
	upstreams       map[string]*string
	control         string
	state, message  string
	askUsage        bool
	version         bool
	intensity       float64
}

func parseOptions(args []string) (*options, error) {
	o := &options{upstreams: map[string]*string{}}
	flags := pflag.NewFlagSet("meter", pflag.ContinueOnError)
	flags.BoolVar(&o.version, "version", false, "print the version and exit")
	flags.StringVar(&o.listen, "listen", "127.0.0.1:4180", "address that the job's calls go to")
	flags.StringVar(&o.metrics, "metrics-bind-address", ":9464", "address of /metrics and /healthz; 0 turns it off")
	flags.StringVar(&o.mode, "mode", string(meter.Observe), "Observe counts; Enforce also rewrites models and refuses calls, as the control file says")
	for _, u := range []struct{ path, url string }{
		{meter.PathOpenAI, "https://api.openai.com/v1"},
		{meter.PathAzure, ""},
		{meter.PathAnthropic, "https://api.anthropic.com"},
		{meter.PathGemini, "https://generativelanguage.googleapis.com"},
	} {
		name := "upstream" + strings.Replace(u.path, "/", "-", 1)
		variable := meter.UpstreamVariable(u.path)
		if set := os.Getenv(variable); set != "" {
			u.url = set
		}
		o.upstreams[u.path] = flags.String(name, u.url, "base URL of the provider behind "+u.path+"; default $"+variable+" if that is set")
	}
	flags.StringVar(&o.control, "control", "", "file of pod annotations, as a downward-API volume has it, with the decisions")
	flags.StringVar(&o.state, "state", "", "file that outlives a restart of the container, for the counts")
	flags.StringVar(&o.message, "termination-message", "", "file for the termination message, usually /dev/termination-log")
	flags.BoolVar(&o.askUsage, "ask-usage", true, "ask OpenAI streams for their usage (stream_options) where the client does not, and keep it from the client")
	flags.Float64Var(&o.intensity, "assumed-intensity", worldMean, "gCO2e/kWh while the control file tells no intensity; by default the world's mean")
	if err := flags.Parse(args); err != nil {
		return nil, fmt.Errorf("reading the flags: %w", err)
	}
	switch {
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q: the meter takes flags only, see --help", flags.Arg(0))
	case o.mode != string(meter.Observe) && o.mode != string(meter.Enforce):
		return nil, fmt.Errorf("--mode is %q: it has to be Observe or Enforce", o.mode)
	case o.intensity <= 0:
		return nil, errors.New("--assumed-intensity has to be a positive number of gCO2e/kWh")
	}
	return o, nil
}

// parseUpstreams are the base URLs by path; empty ones are left out.
func (o *options) parseUpstreams() (map[string]*url.URL, error) {
	parsed := map[string]*url.URL{}
	for path, text := range o.upstreams {
		if *text == "" {
			continue
		}
		u, err := url.Parse(*text)
		if err != nil { // the error would quote a URL, which may have credentials
			return nil, fmt.Errorf("--upstream%s is not a URL", strings.Replace(path, "/", "-", 1))
		}
		parsed[path] = u
	}
	return parsed, nil
}
