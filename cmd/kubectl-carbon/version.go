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

	"github.com/spf13/cobra"

	"github.com/ecotracker-dev/ecotracker-operator/internal/version"
)

// newVersion is the subcommand that tells the version of the plugin.
func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Tell the version of this plugin",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printOut(cmd, bytes.NewBufferString(version.String()+"\n"))
		},
	}
}
