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
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/ecotracker-dev/ecotracker-operator/internal/terminal"
)

// WriteTable writes the first grouping as a table with its total, the equivalents and the notes, in at
// most width characters (0: as wide as it is). The numbers are rounded for the eye; wide shows every
// digit, and how many jobs are provisional, unknown and stopped.
func (r *Report) WriteTable(to io.Writer, wide bool, width int) error {
	grouping := r.Groupings[0]
	table := &terminal.Table{Keys: len(grouping.By)}
	column := func(name string, right bool) {
		table.Header, table.Right = append(table.Header, name), append(table.Right, right)
	}
	for _, d := range grouping.By {
		column(strings.ToUpper(string(d)), false)
	}
	for _, name := range []string{"JOBS", "KWH", "BASELINE-G", "EMITTED-G", "AVOIDED-G", "%", "BY-TIME", "BY-REGION", "BY-MODEL"} {
		column(name, true)
	}
	if wide {
		column("EMBODIED-G", true)
		column("PROVISIONAL", true)
		column("UNKNOWN", true)
		column("STOPPED", true)
	}
	format := number(exact)
	if !wide {
		format = r.rounded()
	}
	for _, g := range grouping.Groups {
		table.Rows = append(table.Rows, row(g.Values, &g.Totals, format, wide))
	}
	if len(grouping.Groups) != 1 {
		values := make([]string, len(grouping.By))
		values[0] = "TOTAL"
		table.Rows = append(table.Rows, row(values, &r.Total, format, wide))
	}
	if err := table.WriteFitting(to, width); err != nil {
		return err
	}
	_, err := io.WriteString(to, r.footer(width))
	return err //nolint:wrapcheck // the writer says what is wrong
}

// number writes grams or kWh.
type number func(a Amount, kWh bool) string

func exact(a Amount, _ bool) string { return a.String() }

// rounded writes every column with the digits that its total needs.
func (r *Report) rounded() number {
	grams, energy := digitsFor(r.Total.BaselineGrams), digitsFor(r.Total.EnergyKWh)
	if r.Total.EmittedGrams.Float64() > r.Total.BaselineGrams.Float64() {
		grams = digitsFor(r.Total.EmittedGrams)
	}
	return func(a Amount, kWh bool) string {
		if kWh {
			return a.Fixed(energy)
		}
		return a.Fixed(grams)
	}
}

func row(values []string, t *Totals, format number, wide bool) []string {
	jobs := strconv.Itoa(t.Jobs)
	if t.Provisional > 0 {
		jobs += "*"
	} else {
		jobs += " "
	}
	cells := append([]string{}, values...)
	cells = append(cells, jobs, format(t.EnergyKWh, true))
	for _, grams := range []Amount{t.BaselineGrams, t.EmittedGrams, t.AvoidedGrams} {
		cells = append(cells, format(grams, false))
	}
	cells = append(cells, percent(t))
	for _, grams := range []Amount{t.AvoidedBy.Time, t.AvoidedBy.Region, t.AvoidedBy.Model} {
		cells = append(cells, format(grams, false))
	}
	if wide {
		cells = append(cells, format(t.EmbodiedGrams, false), strconv.Itoa(t.Provisional), strconv.Itoa(t.Unknown), strconv.Itoa(t.Stopped))
	}
	return cells
}

func percent(t *Totals) string {
	if t.BaselineGrams.Sign() == 0 {
		return none
	}
	return fmt.Sprintf("%.1f", t.AvoidedPercent())
}

// footer is what stands below the table.
func (r *Report) footer(width int) string {
	var text strings.Builder
	say := func(line string) { fmt.Fprintln(&text, terminal.Wrap(terminal.Clean(line), width)) }
	text.WriteString("\n")
	if r.Total.Jobs == 0 {
		nothing := "No job has finished"
		if r.Since != nil {
			nothing += " since " + r.Since.Format("2006-01-02 15:04 MST")
		}
		say(nothing + ".")
	} else {
		for _, e := range r.Equivalents {
			of, value := e.forPeople()
			say(fmt.Sprintf("%s: like %s %s", of, value, e.Unit))
		}
		say("(" + carSource + ")")
		if own := r.breakEven(); own != "" {
			say(own)
		}
	}
	for i, n := range r.Notes {
		if i == 0 {
			text.WriteString("\n")
		}
		say(n)
	}
	return text.String()
}

// quantity writes a number with three significant digits at least, and never with an exponent.
func quantity(v float64) string {
	magnitude := v
	if v < 0 {
		magnitude = -v
	}
	digits := 2
	for ; magnitude >= 10 && digits > 0; magnitude /= 10 {
		digits--
	}
	for ; magnitude > 0 && magnitude < 1 && digits < 9; magnitude *= 10 {
		digits++
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}
