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

package terminal

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// Chart shows values over time as columns from zero up.
type Chart struct {
	// Start of the first value, Step from one to the next.
	Start time.Time
	Step  time.Duration
	// Values in any unit, not negative; NaN is a gap.
	Values []float64
	// Marked says which values are marked, for example as the greenest; as long as Values or empty.
	Marked []bool
	// Unit of the values, written above the axis.
	Unit string
	// Mark explains what is marked.
	Mark string
}

const (
	chartRows  = 8
	axisWidth  = 7 // "  250 |"
	eighths    = 8
	maxRepeat  = 4
	green      = "\x1b[32m"
	colorReset = "\x1b[0m"
)

var blocks = []rune(" ▁▂▃▄▅▆▇█")

// Write draws the chart as wide as the screen allows.
func (c *Chart) Write(to io.Writer, s Screen) error {
	columns, top := c.columns(s.Width - axisWidth)
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s\n", c.Unit)
	for row := chartRows - 1; row >= 0; row-- {
		label := ""
		if row == chartRows-1 || row == chartRows/2-1 {
			label = fmt.Sprintf("%.0f", top*float64(row+1)/chartRows)
		}
		fmt.Fprintf(&out, "%5s │", label)
		for _, col := range columns {
			out.WriteString(col.cell(row, top, s.Color))
		}
		out.WriteString("\n")
	}
	fmt.Fprintf(&out, "%5s └%s\n", "0", strings.Repeat("─", len(columns)))
	fmt.Fprintf(&out, "%*s%s\n", axisWidth, "", strings.TrimRight(ticks(columns, s.Width-axisWidth), " "))
	if marks := strings.TrimRight(markLine(columns), " "); marks != "" {
		legend := "  " + c.Mark
		if axisWidth+utf8.RuneCountInString(marks+legend) > s.Width {
			legend = fmt.Sprintf("\n%*s▲ %s", axisWidth, "", c.Mark)
		}
		fmt.Fprintf(&out, "%*s%s%s\n", axisWidth, "", marks, legend)
	}
	if _, err := to.Write(out.Bytes()); err != nil {
		return fmt.Errorf("writing the chart: %w", err)
	}
	return nil
}

// column is one character wide.
type column struct {
	at     time.Time // of the first value in it, when it begins there
	first  bool
	value  float64
	marked bool
}

// columns puts the values into at most width columns: several to a column, or each in several. The
// second result is the upper edge of the chart.
func (c *Chart) columns(width int) ([]column, float64) {
	if len(c.Values) == 0 || width <= 0 {
		return nil, 0
	}
	count := min(len(c.Values), width)
	repeat := min(maxRepeat, width/count)
	var columns []column
	top := 0.0
	for i := range count {
		from, to := i*len(c.Values)/count, (i+1)*len(c.Values)/count
		col := column{at: c.Start.Add(time.Duration(from) * c.Step), value: mean(c.Values[from:to])}
		for k := from; k < min(to, len(c.Marked)); k++ {
			col.marked = col.marked || c.Marked[k]
		}
		if !math.IsNaN(col.value) {
			top = max(top, col.value)
		}
		for k := range repeat {
			col.first = k == 0
			columns = append(columns, col)
		}
	}
	return columns, roundUp(top)
}

// cell is the part of a column in one row.
func (c column) cell(row int, top float64, color bool) string {
	if math.IsNaN(c.value) {
		if row == 0 {
			return "?"
		}
		return " "
	}
	level := 0
	if top > 0 {
		level = int(math.Round(c.value / top * chartRows * eighths))
	}
	text := string(blocks[min(max(level-row*eighths, 0), eighths)])
	if color && c.marked && text != " " {
		return green + text + colorReset
	}
	return text
}

const tickEvery = 6 * time.Hour

// ticks are the times below the axis: every six hours, and the day at midnight, as far as they fit.
func ticks(columns []column, width int) string {
	line := []rune(strings.Repeat(" ", len(columns)+len("Mon 00:00")))
	free := 0
	for i, c := range columns {
		if !c.first || i < free || i > 0 && c.at.Truncate(tickEvery).Equal(columns[i-1].at.Truncate(tickEvery)) {
			continue
		}
		if i == 0 && !c.at.Equal(c.at.Truncate(tickEvery)) {
			continue
		}
		at := c.at.UTC().Truncate(tickEvery) // a column may begin a little later
		text := at.Format("15:04")
		if at.Hour() == 0 {
			text = at.Format("Mon 2")
		}
		if i+len(text) > width {
			break
		}
		copy(line[i:], []rune(text))
		free = i + len(text) + 1
	}
	return string(line)
}

func markLine(columns []column) string {
	var line strings.Builder
	for _, c := range columns {
		if c.marked {
			line.WriteRune('▲')
		} else {
			line.WriteRune(' ')
		}
	}
	return line.String()
}

// Sparkline shows values in one line of at most width characters.
func Sparkline(values []float64, width int) string {
	c := Chart{Values: values}
	columns, top := c.columns(width)
	var line strings.Builder
	for _, col := range columns {
		switch {
		case !col.first:
		case math.IsNaN(col.value):
			line.WriteRune('?')
		case top <= 0:
			line.WriteRune(blocks[1])
		default:
			line.WriteRune(blocks[1+int(math.Round(col.value/top*(eighths-1)))])
		}
	}
	return line.String()
}

// mean of the values that are known; NaN when there are none.
func mean(values []float64) float64 {
	sum, count := 0.0, 0
	for _, v := range values {
		if !math.IsNaN(v) {
			sum, count = sum+v, count+1
		}
	}
	return sum / float64(count)
}

// roundUp is the next round number for the upper edge: two significant digits, even.
func roundUp(v float64) float64 {
	if v <= 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(v))-1) * 2
	return math.Ceil(v/unit) * unit
}
