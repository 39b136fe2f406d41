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

package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// WriteJSON writes the whole report as JSON; sums are strings with every digit.
func (r *Report) WriteJSON(to io.Writer) error {
	encoder := json.NewEncoder(to)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("writing the report as JSON: %w", err)
	}
	return nil
}

// WriteYAML writes the whole report as YAML.
func (r *Report) WriteYAML(to io.Writer) error {
	data, err := yaml.Marshal(r)
	if err != nil {
		return fmt.Errorf("writing the report as YAML: %w", err)
	}
	if _, err := to.Write(data); err != nil {
		return fmt.Errorf("writing the report as YAML: %w", err)
	}
	return nil
}

// WriteCSV writes the first grouping as CSV with a header line, every digit and no total.
func (r *Report) WriteCSV(to io.Writer) error {
	grouping := r.Groupings[0]
	w := csv.NewWriter(to)
	var header []string
	for _, d := range grouping.By {
		header = append(header, string(d))
	}
	header = append(header, "jobs", "provisional", "unknown", "stopped", "deleted", "energy_kwh", "baseline_g", "emitted_g",
		"avoided_g", "avoided_by_time_g", "avoided_by_region_g", "avoided_by_model_g", "embodied_g")
	records := [][]string{header}
	for _, g := range grouping.Groups {
		var record []string
		for _, value := range g.Values {
			record = append(record, SpreadsheetSafe(value))
		}
		for _, count := range []int{g.Jobs, g.Provisional, g.Unknown, g.Stopped, g.Deleted} {
			record = append(record, strconv.Itoa(count))
		}
		for _, a := range []Amount{
			g.EnergyKWh, g.BaselineGrams, g.EmittedGrams, g.AvoidedGrams,
			g.AvoidedBy.Time, g.AvoidedBy.Region, g.AvoidedBy.Model, g.EmbodiedGrams,
		} {
			record = append(record, a.String())
		}
		records = append(records, record)
	}
	if err := w.WriteAll(records); err != nil {
		return fmt.Errorf("writing the report as CSV: %w", err)
	}
	return nil
}

// SpreadsheetSafe keeps a spreadsheet from taking a text for a formula.
func SpreadsheetSafe(value string) string {
	if value != none && strings.ContainsAny(value[:min(1, len(value))], "=+-@\t\r") {
		return "'" + value
	}
	return value
}
