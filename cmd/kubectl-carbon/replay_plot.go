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
	"cmp"
	"fmt"
	"image/color"
	"io"
	"os"
	"slices"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
	"github.com/ecotracker-dev/ecotracker-operator/internal/replay"
)

var (
	ink           = color.RGBA{0x22, 0x22, 0x22, 0xff}
	pale          = color.RGBA{0xa8, 0xa8, 0xa8, 0xff}
	policyColours = map[string]color.Color{
		replay.Now:     color.RGBA{0x75, 0x75, 0x75, 0xff},
		replay.Argmin:  color.RGBA{0xd9, 0x77, 0x06, 0xff},
		replay.Default: color.RGBA{0x15, 0x80, 0x3d, 0xff},
		replay.Oracle:  color.RGBA{0x1d, 0x4e, 0xd8, 0xff},
	}
)

// drawFigures draws the three figures of the paper below each other: a representative day with the times
// at which a job ran, the emissions of all jobs, and how the daily reductions are distributed.
func drawFigures(name string, regions []replay.Region, result replay.Result) (err error) {
	var plots [][]*plot.Plot
	for _, figure := range []func(*plot.Plot) error{
		func(p *plot.Plot) error { return drawDay(p, regions, result) },
		func(p *plot.Plot) error { return drawTotals(p, result) },
		func(p *plot.Plot) error { return drawDays(p, result) },
	} {
		p := plot.New()
		p.Title.TextStyle.Font.Size, p.Title.Padding = vg.Points(13), vg.Points(6)
		p.Legend.Top, p.Legend.TextStyle.Font.Size, p.Legend.Padding = true, vg.Points(9), vg.Points(3)
		if err := figure(p); err != nil {
			return fmt.Errorf("drawing the figures: %w", err)
		}
		plots = append(plots, []*plot.Plot{p})
	}
	canvas := vgsvg.New(20*vg.Centimeter, 30*vg.Centimeter)
	page := draw.New(canvas)
	edge := vg.Points(12)
	tiles := draw.Tiles{Rows: len(plots), Cols: 1, PadTop: edge, PadBottom: edge, PadLeft: edge, PadRight: edge, PadY: vg.Points(20)}
	for i, cells := range plot.Align(plots, tiles, page) {
		plots[i][0].Draw(cells[0])
	}
	file, err := os.Create(name) //nolint:gosec // a person names the file
	if err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	defer func() { err = cmp.Or(err, file.Close()) }()
	if _, err := canvas.WriteTo(io.Writer(file)); err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	return nil
}

// drawDay draws the day with the median reduction, and the runs of the job with the median delay on it.
func drawDay(p *plot.Plot, regions []replay.Region, result replay.Result) error {
	ours := result.Policies[replay.Default].Runs
	day := representativeDay(dailyReductions(result, replay.Default))
	job := representativeJob(ours, day)
	midnight := ours[job].Submitted.Truncate(24 * time.Hour)
	hours := func(t time.Time) float64 { return t.Sub(midnight).Hours() }

	p.Title.Text = "A representative day: " + midnight.Format(time.DateOnly)
	p.X.Label.Text, p.Y.Label.Text = "hour, UTC", "gCO2e/kWh"
	p.X.Tick.Marker = everyThreeHours{}
	last := midnight.Add(24 * time.Hour)
	if end := ours[job].Start.Add(2 * time.Hour); end.After(last) {
		last = end
	}
	for _, curve := range curvesOf(regions) {
		line, err := plotter.NewLine(curveOf(curve.series.Clip(midnight, last), hours))
		if err != nil {
			return err //nolint:wrapcheck // the caller says what was drawn
		}
		line.StepStyle, line.Color, line.Dashes, line.Width = plotter.PostStep, curve.colour, curve.dashes, vg.Points(1.2)
		p.Add(line)
		p.Legend.Add(curve.name, line)
	}
	for _, name := range replay.Names() {
		run := result.Policies[name].Runs[job]
		mark, err := plotter.NewScatter(plotter.XYs{{X: hours(run.Start), Y: run.GramsPerKWh}})
		if err != nil {
			return err //nolint:wrapcheck // the caller says what was drawn
		}
		mark.GlyphStyle = draw.GlyphStyle{Color: policyColours[name], Radius: vg.Points(4), Shape: glyphs[name]}
		p.Add(mark)
		p.Legend.Add(fmt.Sprintf("%s ran %s: %.0f g/kWh", name, whenAndWhere(run, midnight, regions), run.GramsPerKWh), mark)
	}
	p.Y.Min = 0
	p.Y.Max *= 1.5 // room for the legend
	return nil
}

var glyphs = map[string]draw.GlyphDrawer{
	replay.Now: draw.SquareGlyph{}, replay.Argmin: draw.TriangleGlyph{}, replay.Default: draw.CircleGlyph{}, replay.Oracle: draw.RingGlyph{},
}

// curve is how an intensity is drawn.
type curve struct {
	name   string
	series forecast.Series
	dashes []vg.Length
	colour color.Color
}

// curvesOf are the home's actual intensity and its forecast, and the actual ones of the other regions.
func curvesOf(regions []replay.Region) []curve {
	home := regions[0]
	curves := []curve{
		{home.Name + ", actual", home.Trace.Actual, nil, ink},
		{home.Name + ", forecast", home.Trace.Forecast, []vg.Length{vg.Points(3), vg.Points(3)}, pale},
	}
	for i, other := range regions[1:] {
		dots := []vg.Length{vg.Points(1), vg.Points(float64(2 + 2*i))}
		curves = append(curves, curve{other.Name + ", actual", other.Trace.Actual, dots, ink})
	}
	return slices.DeleteFunc(curves, func(c curve) bool { return c.series.Empty() })
}

// whenAndWhere a job ran: on another day with its date, and where there are several regions with its own.
func whenAndWhere(run replay.Run, midnight time.Time, regions []replay.Region) string {
	text := "at " + run.Start.Format("15:04")
	if !run.Start.Before(midnight.Add(24 * time.Hour)) {
		text += run.Start.Format(" on Jan 2")
	}
	if len(regions) > 1 {
		text += " in " + regions[run.Region].Name
	}
	return text
}

// curveOf are the points of a series, the end of its last slot included.
func curveOf(s forecast.Series, x func(time.Time) float64) plotter.XYs {
	points := make(plotter.XYs, 0, len(s.Grams)+1)
	for i := range len(s.Grams) + 1 {
		at := s.Start.Add(time.Duration(i) * s.Step)
		g, known := s.At(at)
		if !known && i > 0 {
			g, known = s.At(at.Add(-s.Step))
		}
		if known {
			points = append(points, plotter.XY{X: x(at), Y: g})
		}
	}
	return points
}

type everyThreeHours struct{}

func (everyThreeHours) Ticks(from, to float64) []plot.Tick {
	var ticks []plot.Tick
	for hour := 0.0; hour <= to; hour += 3 {
		if hour >= from {
			ticks = append(ticks, plot.Tick{Value: hour, Label: fmt.Sprintf("%02.0f", hour)})
		}
	}
	return ticks
}

// drawTotals draws what all jobs emitted together.
func drawTotals(p *plot.Plot, result replay.Result) error {
	p.Title.Text = fmt.Sprintf("Emissions of %d jobs on %d days", result.Scenarios, result.Days)
	p.Y.Label.Text = "gCO2e"
	p.NominalX(replay.Names()...)
	for i, name := range replay.Names() {
		grams := result.Policies[name].Grams
		bar, err := plotter.NewBarChart(plotter.Values{grams}, vg.Points(60))
		if err != nil {
			return err //nolint:wrapcheck // the caller says what was drawn
		}
		bar.XMin, bar.Color, bar.LineStyle.Width = float64(i), policyColours[name], 0
		label, err := plotter.NewLabels(plotter.XYLabels{
			XYs:    plotter.XYs{{X: float64(i), Y: grams}},
			Labels: []string{fmt.Sprintf("%.2f g%s", grams, saved(result.Policies[name]))},
		})
		if err != nil {
			return err //nolint:wrapcheck // the caller says what was drawn
		}
		label.TextStyle[0].XAlign, label.TextStyle[0].YAlign, label.Offset.Y = text.XCenter, text.YBottom, vg.Points(3)
		p.Add(bar, label)
	}
	p.Y.Min = 0
	p.Y.Max *= 1.1
	p.X.Min, p.X.Max = -0.6, float64(len(replay.Names()))-0.4
	return nil
}

func saved(o replay.Outcome) string {
	if o.ReductionPercent <= 0 {
		return ""
	}
	return fmt.Sprintf(" (%.1f %% less)", o.ReductionPercent)
}

// drawDays draws how the reductions of the days are distributed.
func drawDays(p *plot.Plot, result replay.Result) error {
	p.Title.Text = "Reduction of each day against starting at once"
	p.Y.Label.Text = "percent"
	names := replay.Names()[1:]
	p.NominalX(names...)
	lines := plotter.NewGrid()
	lines.Vertical.Width, lines.Horizontal.Color = 0, pale
	p.Add(lines)
	for i, name := range names {
		box, err := plotter.NewBoxPlot(vg.Points(60), float64(i), plotter.Values(dailyReductions(result, name)))
		if err != nil {
			return err //nolint:wrapcheck // the caller says what was drawn
		}
		box.BoxStyle.Color, box.MedianStyle.Color, box.WhiskerStyle.Color = policyColours[name], policyColours[name], policyColours[name]
		box.BoxStyle.Width, box.MedianStyle.Width = vg.Points(1.5), vg.Points(2.5)
		p.Add(box)
	}
	p.Y.Min = min(p.Y.Min, 0)
	p.X.Min, p.X.Max = -0.6, float64(len(names))-0.4
	return nil
}

// dailyReductions of a policy against starting at once, in percent.
func dailyReductions(result replay.Result, name string) []float64 {
	now, then := replay.Daily(result.Policies[replay.Now].Runs), replay.Daily(result.Policies[name].Runs)
	reductions := make([]float64, len(now))
	for day := range now {
		if now[day] > 0 {
			reductions[day] = 100 * (now[day] - then[day]) / now[day]
		}
	}
	return reductions
}

// representativeDay is the one with the median of the values.
func representativeDay(values []float64) int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	return order[(len(order)-1)/2]
}

// representativeJob is the job of the day with the median delay, of those that wait if any does.
func representativeJob(runs []replay.Run, day int) int {
	var ofDay []int
	for _, waits := range []bool{true, false} {
		for i, r := range runs {
			if r.Day == day && (!waits || r.Start.After(r.Submitted)) {
				ofDay = append(ofDay, i)
			}
		}
		if len(ofDay) > 0 {
			break
		}
	}
	delay := func(i int) time.Duration { return runs[i].Start.Sub(runs[i].Submitted) }
	slices.SortStableFunc(ofDay, func(a, b int) int { return cmp.Compare(delay(a), delay(b)) })
	return ofDay[(len(ofDay)-1)/2]
}
