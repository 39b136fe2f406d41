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
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/ecotracker-dev/ecotracker-operator/internal/report"
)

// record is a line of what programs read: an object in JSON and YAML, a row in CSV.
type record interface{ cells() []string }

var recordFormats = []string{formatTable, formatWide, formatJSON, formatYAML, formatCSV}

// addFormatFlag adds -o, of which plain says what is printed without it.
func addFormatFlag(cmd *cobra.Command, format *string, plain string) {
	cmd.Flags().StringVarP(format, "output", "o", formatTable, plain+", wide, json, yaml or csv")
	completeFlag(cmd, "output", func() []string { return recordFormats })
}

func checkFormat(format string) error {
	if !slices.Contains(recordFormats, format) {
		return fmt.Errorf("--output: %q is not one of %s", format, strings.Join(recordFormats, ", "))
	}
	return nil
}

// isForPeople says whether people read the format, and not programs.
func isForPeople(format string) bool { return format == formatTable || format == formatWide }

// writeRecords writes a list of records as JSON, YAML or CSV.
func writeRecords[R record](out *bytes.Buffer, format string, columns []string, records []R) error {
	switch format {
	case formatCSV:
		w := csv.NewWriter(out)
		lines := [][]string{columns}
		for _, r := range records {
			cells := r.cells()
			for i, c := range cells {
				cells[i] = report.SpreadsheetSafe(c) // no number of a record is negative
			}
			lines = append(lines, cells)
		}
		return w.WriteAll(lines) //nolint:wrapcheck // a buffer takes it all
	case formatYAML:
		data, err := yaml.Marshal(records)
		out.Write(data)
		return err //nolint:wrapcheck // it says what cannot be written
	default:
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(records) //nolint:wrapcheck // as above
	}
}

// known is a number to the ninth digit, or nothing where it is not known.
func known(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	rounded := math.Round(v*1e9) / 1e9
	return &rounded
}

func cell(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

func timeCell(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339)
}
