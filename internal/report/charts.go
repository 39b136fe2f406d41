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
	"time"

	"gopkg.in/inf.v0"
)

// The charts are laid out here, in percent of their width and height; the page only draws them.

// causeBar is a bar from the zero line, to the right when grams were avoided, else to the left.
type causeBar struct {
	Name, Text   string
	Left, Width  float64
	Zero         float64
	CostsInstead bool
}

func causeBars(t *Totals, unit massUnit) []causeBar {
	parts := []struct {
		name  string
		grams Amount
	}{{"another time", t.AvoidedBy.Time}, {"another region", t.AvoidedBy.Region}, {"another model", t.AvoidedBy.Model}}
	low, high := 0.0, 0.0
	for _, p := range parts {
		low, high = min(low, p.grams.Float64()), max(high, p.grams.Float64())
	}
	if high == low {
		high = low + 1
	}
	scale := 100 / (high - low)
	bars := make([]causeBar, 0, len(parts))
	for _, p := range parts {
		v := p.grams.Float64()
		bars = append(bars, causeBar{
			Name: p.name, Text: unit.text(p.grams), Zero: -low * scale,
			Left: (min(0, v) - low) * scale, Width: max(v, -v) * scale, CostsInstead: v < 0,
		})
	}
	return bars
}

// dayChart is a column for each day, or each month when there are many days.
type dayChart struct {
	Title               string
	Columns             []dayColumn
	Top                 string // the value at the upper edge
	More                bool   // on some day more was emitted than the baseline
	First, Middle, Last string
}

// dayColumn shows the baseline behind what was emitted; in front of it when that was More.
type dayColumn struct {
	More                      bool
	Label                     string
	X, Width                  float64
	EmittedTop, EmittedSize   float64
	BaselineTop, BaselineSize float64
}

// maxDays is how many days a chart shows one by one.
const maxDays = 120

func dayBars(groups []Group, unit massUnit) dayChart {
	chart := dayChart{Title: "By day (UTC)"}
	points := daily(groups)
	if len(points) > maxDays {
		chart.Title, points = "By month (UTC)", monthly(points)
	}
	if len(points) == 0 {
		return chart
	}
	top := Amount{}
	for i := range points {
		for _, a := range []Amount{points[i].BaselineGrams, points[i].EmittedGrams} {
			if a.dec.Cmp(&top.dec) > 0 {
				top = a
			}
		}
	}
	chart.Top = unit.text(top)
	height := top.Float64()
	if height == 0 {
		height = 1
	}
	step := 100 / float64(len(points))
	for i := range points {
		p := &points[i]
		emitted, baseline := 100*p.EmittedGrams.Float64()/height, 100*p.BaselineGrams.Float64()/height
		more := p.AvoidedGrams.Sign() < 0
		chart.More = chart.More || more
		chart.Columns = append(chart.Columns, dayColumn{
			More:  more,
			Label: fmt.Sprintf("%s: %d jobs, emitted %s, avoided %s", p.Values[0], p.Jobs, unit.text(p.EmittedGrams), unit.text(p.AvoidedGrams)),
			X:     float64(i)*step + step*0.1, Width: step * 0.8,
			EmittedTop: 100 - emitted, EmittedSize: emitted, BaselineTop: 100 - baseline, BaselineSize: baseline,
		})
	}
	chart.First, chart.Last = points[0].Values[0], points[len(points)-1].Values[0]
	if len(points) > 2 {
		chart.Middle = points[len(points)/2].Values[0]
	}
	if len(points) == 1 {
		chart.Last = ""
	}
	return chart
}

// daily has a group for every day from the first to the last, empty ones included. Groups without
// a day (totals of deleted jobs) are left out.
func daily(groups []Group) []Group {
	var days []Group
	for _, g := range groups {
		day, err := time.Parse(time.DateOnly, g.Values[0])
		if err != nil {
			continue
		}
		for len(days) > 0 {
			previous, err := time.Parse(time.DateOnly, days[len(days)-1].Values[0])
			next := previous.AddDate(0, 0, 1)
			if err != nil || !next.Before(day) {
				break
			}
			days = append(days, Group{Values: []string{next.Format(time.DateOnly)}})
		}
		days = append(days, g)
	}
	return days
}

// monthly joins days to months.
func monthly(days []Group) []Group {
	var months []Group
	for i := range days {
		month := days[i].Values[0][:len("2006-01")]
		if len(months) == 0 || months[len(months)-1].Values[0] != month {
			months = append(months, Group{Values: []string{month}})
		}
		months[len(months)-1].add(&days[i].Totals)
	}
	return months
}

func scaleOf(shift int) inf.Scale { return inf.Scale(shift) } //nolint:gosec // -3 to 6
