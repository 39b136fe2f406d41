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
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
)

//go:embed page.html
var pageSource string

// The template escapes whatever comes from the cluster, by the place where it stands.
var page = template.Must(template.New("page").Parse(pageSource))

// PageGroupings are the groupings that the HTML page shows; a report needs all of them to be
// written as a page. Its first grouping is shown as well.
func PageGroupings() [][]Dimension {
	return append(slices.Clone(pageTables), []Dimension{ByDay})
}

// pageData is what the page shows: everything is text or a length already.
type pageData struct {
	*Report
	Emitted, Baseline, Avoided, Energy, Percent string
	More                                        bool // more was emitted than the baseline
	Causes                                      []causeBar
	Days                                        dayChart
	Sections                                    []section
	Cars                                        []car
	CarSource, BreakEven                        string
}

type car struct{ Of, Value, Unit string }

// section is the table of one dimension.
type section struct {
	Title, Column string
	Rows          []sectionRow
}

type sectionRow struct {
	Name                                       string
	Jobs                                       string
	Provisional                                bool
	Energy, Baseline, Emitted, Avoided, Saving string
	Exact                                      string
	// Percent of the longest bar; More is what was emitted beyond the baseline.
	EmittedWidth, BaselineWidth, AvoidedWidth, MoreWidth float64
}

// WriteHTML writes one page that needs nothing else: no script, no font, no image is loaded.
func (r *Report) WriteHTML(to io.Writer) error {
	grams := unitFor(r.Total.BaselineGrams)
	data := pageData{
		Report:    r,
		Emitted:   grams.text(r.Total.EmittedGrams),
		Baseline:  grams.text(r.Total.BaselineGrams),
		Avoided:   grams.text(r.Total.AvoidedGrams),
		Energy:    r.energy(r.Total.EnergyKWh),
		Percent:   percent(&r.Total),
		BreakEven: r.breakEven(),
		More:      r.Total.AvoidedGrams.Sign() < 0,
		Causes:    causeBars(&r.Total, grams),
		Days:      dayBars(r.grouping(ByDay), grams),
	}
	for _, by := range pageTables {
		data.Sections = append(data.Sections, r.section(by, r.grouping(by...)))
	}
	if first := r.Groupings[0]; !slices.ContainsFunc(pageTables, func(by []Dimension) bool { return slices.Equal(by, first.By) }) {
		data.Sections = append(data.Sections, r.section(first.By, first.Groups))
	}
	for _, e := range r.Equivalents {
		of, value := e.forPeople()
		data.Cars = append(data.Cars, car{of, value, e.Unit})
		data.CarSource = e.Source
	}
	if err := page.Execute(to, data); err != nil {
		return fmt.Errorf("writing the report as a page: %w", err)
	}
	return nil
}

// pageTables are the tables that every page has; the first grouping of a report has one too.
var pageTables = [][]Dimension{{ByNamespace}, {ByModel}, {ByRegion}}

// grouping is the one by the given dimensions; nil when the report has none.
func (r *Report) grouping(by ...Dimension) []Group {
	i := slices.IndexFunc(r.Groupings, func(g Grouping) bool { return slices.Equal(g.By, by) })
	if i < 0 {
		return nil
	}
	return r.Groupings[i].Groups
}

func (r *Report) section(by []Dimension, groups []Group) section {
	words := make([]string, len(by))
	for i, d := range by {
		words[i] = string(d)
	}
	s := section{Title: "By " + strings.Join(words, " and "), Column: strings.Join(words, ", ")}
	groups = slices.Clone(groups)
	if !slices.Contains(by, ByDay) { // days stay in their order
		slices.SortStableFunc(groups, func(a, b Group) int { return b.BaselineGrams.dec.Cmp(&a.BaselineGrams.dec) })
	}
	longest := 0.0
	for i := range groups {
		longest = max(longest, groups[i].BaselineGrams.Float64(), groups[i].EmittedGrams.Float64())
	}
	for i := range groups {
		g := &groups[i]
		unit := unitFor(r.Total.BaselineGrams)
		row := sectionRow{
			Name: strings.Join(g.Values, ", "), Jobs: strconv.Itoa(g.Jobs), Provisional: g.Provisional > 0,
			Energy: r.energy(g.EnergyKWh), Baseline: unit.text(g.BaselineGrams), Emitted: unit.text(g.EmittedGrams),
			Avoided: unit.text(g.AvoidedGrams), Saving: percent(&g.Totals),
			Exact: fmt.Sprintf("emitted %s g, avoided %s g, baseline %s g", g.EmittedGrams, g.AvoidedGrams, g.BaselineGrams),
		}
		if longest > 0 {
			row.EmittedWidth = 100 * g.EmittedGrams.Float64() / longest
			row.BaselineWidth = 100 * g.BaselineGrams.Float64() / longest
			row.AvoidedWidth = max(0, row.BaselineWidth-row.EmittedWidth)
			row.MoreWidth = max(0, row.EmittedWidth-row.BaselineWidth)
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}

// massUnit is the unit in which a page shows masses: one for the whole page, so that they compare.
type massUnit struct {
	name  string
	shift int // the power of ten of grams
}

// unitFor is the unit in which a mass has one to three digits before the point, where there is one.
func unitFor(a Amount) massUnit {
	v := max(a.Float64(), -a.Float64())
	switch {
	case v >= 1e6:
		return massUnit{"t", 6}
	case v >= 1e3:
		return massUnit{"kg", 3}
	case v >= 1 || v == 0:
		return massUnit{"g", 0}
	default:
		return massUnit{"mg", -3}
	}
}

func (u massUnit) text(a Amount) string { return u.digits(a) + " " + u.name }

func (u massUnit) digits(a Amount) string {
	var shifted Amount
	shifted.dec.Set(&a.dec)
	shifted.dec.SetScale(a.dec.Scale() + scaleOf(u.shift))
	return shifted.Fixed(min(digitsFor(shifted), 3))
}

// energy is in kWh, with the digits that the total needs.
func (r *Report) energy(a Amount) string {
	return a.Fixed(min(digitsFor(r.Total.EnergyKWh), 6)) + " kWh"
}
