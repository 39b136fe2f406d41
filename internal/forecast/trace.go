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

package forecast

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of a trace.
const (
	// MaxTraceSlots is more than a year of half hours.
	MaxTraceSlots = 20_000
	// MaxHistorySlots is more than fourteen years of quarter hours, and keeps a replay within some
	// hundred MB.
	MaxHistorySlots = 500_000
	// MaxGramsPerKWh is well above the dirtiest plant; larger values are errors of unit.
	MaxGramsPerKWh = 5000.0
)

// Trace is a table of carbon intensities on one grid, in gCO2e/kWh: what was forecast for a slot and
// what it really was. Actual is empty when the table has no such column. Estimated are values of slots
// that ended which the source itself only estimated; empty for most sources. Issued are the forecasts as they
// were known at their time, oldest first, where the table tells; Forecast is then the last word on each slot.
type Trace struct {
	Forecast, Actual, Estimated Series
	Issued                      []Issued
	// begins is when the forecast begins, where the past was asked for apart from it; else zero.
	begins time.Time
}

// actualElseForecast is, slot by slot, the actual value, else what was estimated or forecast. Behind the last actual
// value only what was estimated counts: the others are yet to be published, and a forecast is not the past.
func (t Trace) actualElseForecast() Series {
	s := t.Forecast
	s.Grams = slices.Clone(s.Grams)
	last := -1
	for i, g := range t.Actual.Grams { // on the same grid
		if !math.IsNaN(g) {
			s.Grams[i], last = g, i
		}
	}
	for i := last + 1; i < len(s.Grams) && last >= 0; i++ {
		if i >= len(t.Estimated.Grams) || math.IsNaN(t.Estimated.Grams[i]) {
			s.Grams[i] = math.NaN()
		}
	}
	return s
}

type traceRow struct {
	where            string // for messages
	from, to         time.Time
	forecast, actual float64
	// estimated says that the slot had ended, and forecast is what its source estimated afterwards.
	estimated bool
	issued    time.Time // of the forecast; zero when the table does not tell
}

// traceColumns are indices; -1 for a column that is not there.
type traceColumns struct {
	from, to, forecast, actual, issued int
	// mayLackForecasts says that a forecast may be empty, or the whole column missing.
	mayLackForecasts bool
}

// ParseTrace reads a CSV table with the columns from, to, intensity_forecast and, optionally,
// intensity_actual, in any order; other columns are ignored. Times are RFC 3339, with or without
// seconds; intensities are gCO2e/kWh. Rows may come in any order, missing slots become unknown, an
// empty actual is unknown. Everything else that is wrong is an error that names the line, as are more than
// MaxTraceSlots slots.
func ParseTrace(r io.Reader) (Trace, error) {
	rows, columns, err := readRows(r, MaxTraceSlots, false)
	if err != nil {
		return Trace{}, err
	}
	return assemble(rows, columns.actual >= 0)
}

// readRows reads the rows of a table, at most limit. That of a history tells when its forecasts were issued, if
// it has such a column, and may lack forecasts.
func readRows(r io.Reader, limit int, history bool) ([]traceRow, traceColumns, error) {
	none := traceColumns{}
	reader := csv.NewReader(r)
	reader.TrimLeadingSpace = true
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil, none, errors.New("the trace is empty: it needs a header line with from, to and intensity_forecast")
	}
	if err != nil {
		return nil, none, fmt.Errorf("the trace is not a CSV table: %w", err)
	}
	columns, err := findColumns(header, history)
	if err != nil {
		return nil, none, err
	}
	var rows []traceRow
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, none, fmt.Errorf("the trace is not a CSV table: %w", err)
		}
		line, _ := reader.FieldPos(0)
		row, err := parseRow(record, columns)
		if err != nil {
			return nil, none, fmt.Errorf("line %d: %w", line, err)
		}
		row.where = fmt.Sprintf("line %d", line)
		if rows = append(rows, row); len(rows) > limit {
			return nil, none, fmt.Errorf("line %d: a trace has at most %d slots", line, limit)
		}
	}
	if len(rows) == 0 {
		return nil, none, errors.New("the trace has a header but no rows")
	}
	return rows, columns, nil
}

func findColumns(header []string, history bool) (traceColumns, error) {
	index := func(name string) int {
		return slices.IndexFunc(header, func(h string) bool {
			return strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")), name)
		})
	}
	c := traceColumns{from: index("from"), to: index("to"), forecast: index("intensity_forecast"), actual: index("intensity_actual"), issued: -1}
	if history {
		c.issued, c.mayLackForecasts = index("issued_at"), c.actual >= 0
	}
	needed := map[string]int{"from": c.from, "to": c.to}
	if !c.mayLackForecasts {
		needed["intensity_forecast"] = c.forecast
	}
	for name, i := range needed {
		if i < 0 {
			return c, fmt.Errorf("line 1: the header has no column %q: it needs from, to and intensity_forecast", name)
		}
	}
	return c, nil
}

func parseRow(record []string, c traceColumns) (row traceRow, err error) {
	if row.from, err = parseTime(record[c.from]); err != nil {
		return row, fmt.Errorf("from: %w", err)
	}
	if row.to, err = parseTime(record[c.to]); err != nil {
		return row, fmt.Errorf("to: %w", err)
	}
	if !row.from.Before(row.to) {
		return row, fmt.Errorf("to (%s) must be after from (%s)", record[c.to], record[c.from])
	}
	row.forecast, row.actual = math.NaN(), math.NaN()
	if !c.mayLackForecasts || has(record, c.forecast) {
		if row.forecast, err = parseGrams(record[c.forecast]); err != nil {
			return row, fmt.Errorf("intensity_forecast: %w", err)
		}
	}
	if c.issued >= 0 {
		if row.issued, err = parseTime(record[c.issued]); err != nil {
			return row, fmt.Errorf("issued_at: %w", err)
		}
	}
	if has(record, c.actual) {
		if row.actual, err = parseGrams(record[c.actual]); err != nil {
			return row, fmt.Errorf("intensity_actual: %w", err)
		}
	}
	return row, nil
}

// has says whether a record has a value in a column.
func has(record []string, column int) bool {
	return column >= 0 && strings.TrimSpace(record[column]) != ""
}

func parseTime(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			t = t.UTC()
			if t.Nanosecond() != 0 {
				return t, fmt.Errorf("%q has a fraction of a second: times must be whole seconds", text)
			}
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time such as 2026-02-14T00:30Z", text)
}

func parseGrams(text string) (float64, error) {
	g, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(g) || g < 0 || g > MaxGramsPerKWh {
		return 0, fmt.Errorf("%q is not an intensity from 0 to %.0f gCO2e/kWh", text, MaxGramsPerKWh)
	}
	return g, nil
}
