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
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// ParseHistory reads the table of ParseTrace with up to MaxHistorySlots rows: what a person replays is no object
// of a cluster. With another column, issued_at, it tells when each forecast was issued, in RFC 3339; a slot is then
// there once for every issue, and its actual value in any of these rows, of several the one in the last. Where there
// are actual values a forecast may be empty, which is unknown, and the whole column may be missing: many sources tell
// only what has been.
func ParseHistory(r io.Reader) (Trace, error) {
	rows, columns, err := readRows(r, MaxHistorySlots, true)
	if err != nil {
		return Trace{}, err
	}
	if columns.issued < 0 {
		return assembleUpTo(MaxHistorySlots, rows, columns.actual >= 0)
	}
	return assembleIssued(rows, columns.actual >= 0)
}

// maxIssuedSlots is how many slots all issues of a history have together, gaps included.
const maxIssuedSlots = 2 * MaxHistorySlots

// assembleIssued puts the last word on every slot on one grid, and every issue on its own.
func assembleIssued(rows []traceRow, hasActual bool) (Trace, error) {
	slices.SortStableFunc(rows, func(a, b traceRow) int { return a.issued.Compare(b.issued) })
	last := map[time.Time]int{}
	var words []traceRow
	issues := [][]traceRow{}
	for _, row := range rows {
		if i, has := last[row.from]; !has {
			last[row.from] = len(words)
			words = append(words, row)
		} else {
			if math.IsNaN(row.actual) {
				row.actual = words[i].actual
			}
			said := row
			if math.IsNaN(said.forecast) {
				said.forecast = words[i].forecast
			}
			words[i] = said
		}
		row.actual = math.NaN()
		if n := len(issues); n == 0 || !issues[n-1][0].issued.Equal(row.issued) {
			issues = append(issues, nil)
		}
		issues[len(issues)-1] = append(issues[len(issues)-1], row)
	}
	trace, err := assembleUpTo(MaxHistorySlots, words, hasActual)
	if err != nil {
		return Trace{}, err
	}
	left := maxIssuedSlots
	for _, issue := range issues {
		at := issue[0].issued
		told, err := assembleUpTo(left, dropRepeated(issue), false)
		if err != nil {
			return Trace{}, fmt.Errorf("issued at %s: %w", at.Format(time.RFC3339), err)
		}
		left -= len(told.Forecast.Grams)
		trace.Issued = append(trace.Issued, Issued{At: at, Forecast: told.Forecast})
	}
	return trace, nil
}
