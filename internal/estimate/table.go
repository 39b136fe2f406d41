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

package estimate

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The columns of the tables; the order is free, and those in brackets may be missing.
var (
	modelColumns    = []string{"provider", "model", "total_b", "[aliases]", "[active_b]", "[tokens_per_second]", "[first_token_seconds]", "[source]"}
	providerColumns = []string{"provider", "pue", "[aliases]", "[zone]", "[source]"}
	zonePattern     = regexp.MustCompile(`^[A-Z]{3}$`)
)

// maxName bounds the names of models and providers, in bytes.
const maxName = 253

// row is a line of a table by column.
type row map[string]string

// readTable gives every line to add, and returns an error for each that cannot be used. Lines that
// start with # are comments, an empty table has no lines.
func readTable(table, text string, columns []string, add func(row) error) []error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	reader := csv.NewReader(strings.NewReader(text))
	reader.Comment, reader.TrimLeadingSpace, reader.FieldsPerRecord = '#', true, -1
	header, err := reader.Read()
	if err != nil {
		return []error{fmt.Errorf("%s: %w", table, err)}
	}
	if err := checkHeader(header, columns); err != nil {
		return []error{fmt.Errorf("%s: %w", table, err)}
	}
	var errs []error
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return errs
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", table, err))
			if parse := (&csv.ParseError{}); errors.As(err, &parse) {
				continue
			}
			return errs
		}
		line, _ := reader.FieldPos(0)
		if err := useRow(header, fields, add); err != nil {
			errs = append(errs, fmt.Errorf("%s line %d: %w", table, line, err))
		}
	}
}

func checkHeader(header, columns []string) error {
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
		if !slices.Contains(columns, header[i]) && !slices.Contains(columns, "["+header[i]+"]") {
			return fmt.Errorf("there is no column %q: the columns are %s", header[i], strings.Join(columns, ", "))
		}
	}
	for _, name := range columns {
		if !strings.HasPrefix(name, "[") && !slices.Contains(header, name) {
			return fmt.Errorf("the column %s is missing: the first line must name the columns %s", name, strings.Join(columns, ", "))
		}
	}
	return nil
}

func useRow(header, fields []string, add func(row) error) error {
	if len(fields) != len(header) {
		return fmt.Errorf("has %d fields, not %d", len(fields), len(header))
	}
	r := row{}
	for i, name := range header {
		r[name] = strings.TrimSpace(fields[i])
	}
	return add(r)
}

// checkName refuses a name that is empty or too long.
func (r row) checkName(column string) error {
	switch name := r[column]; {
	case name == "":
		return fmt.Errorf("%s must not be empty", column)
	case len(name) > maxName:
		return fmt.Errorf("%s is longer than %d characters", column, maxName)
	}
	return nil
}

func (r row) text(column string) string { return r[column] }

// names are the keys of a row: the name and what else it is called, separated by blanks.
func (r row) names(column, aliases string) []string {
	names := []string{key(r[column])}
	for alias := range strings.FieldsSeq(r[aliases]) {
		names = append(names, key(alias))
	}
	return names
}

// number is 0 for an empty field.
func (r row) number(column string, least, most float64) (float64, error) {
	if r[column] == "" {
		return 0, nil
	}
	v, err := strconv.ParseFloat(r[column], 64)
	if err != nil || math.IsNaN(v) || v < least || v > most {
		return 0, fmt.Errorf("%s %q must be a number from %v to %v", column, r[column], least, most)
	}
	return v, nil
}

// numbers reads a number or a range such as 20-70.
func (r row) numbers(column string, least, most float64) (Range, error) {
	low, high, isRange := strings.Cut(r[column], "-")
	if !isRange {
		high = low
	}
	minimum, errMin := strconv.ParseFloat(strings.TrimSpace(low), 64)
	maximum, errMax := strconv.ParseFloat(strings.TrimSpace(high), 64)
	if errMin != nil || errMax != nil || !(least <= minimum && minimum <= maximum && maximum <= most) {
		return Range{}, fmt.Errorf("%s %q must be a number from %v to %v, or a range such as 20-70", column, r[column], least, most)
	}
	return Range{minimum, maximum}, nil
}
