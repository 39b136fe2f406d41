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
	"os"
	"path/filepath"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/goals"
)

// curves are the lines of the two figures: processor time, and memory.
var curves = []struct {
	title, axis string
	costs       []string
}{
	{"Processor time of the operator per job", "ms", []string{"CPU per planned job ms", "CPU per job of a start-up ms", "CPU per job of a new forecast ms"}},
	{"Resident memory of the operator per waiting job", "KiB", []string{"KiB per job"}},
}

var colours = []color.Color{
	color.RGBA{0x15, 0x80, 0x3d, 0xff}, color.RGBA{0x1d, 0x4e, 0xd8, 0xff}, color.RGBA{0xd9, 0x77, 0x06, 0xff},
}

// draw writes the scale curve: what a job costs, over the number of jobs.
func draw(name string, sizes []int, runs []goals.Results) (err error) {
	var plots [][]*plot.Plot
	for _, c := range curves {
		p := plot.New()
		p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.title, "jobs that wait", c.axis
		p.Title.TextStyle.Font.Size, p.Title.Padding = vg.Points(13), vg.Points(6)
		p.Legend.Top, p.Legend.Left, p.Legend.TextStyle.Font.Size, p.Legend.Padding = true, true, vg.Points(9), vg.Points(3)
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, counts(sizes)
		for i, cost := range c.costs {
			if err := add(p, cost, colours[i], runs); err != nil {
				return err
			}
		}
		p.X.Min, p.X.Max = float64(sizes[0]), float64(sizes[len(sizes)-1])
		p.Y.Min = 0
		p.Y.Max *= 1.4 // room for the legend
		plots = append(plots, []*plot.Plot{p})
	}
	canvas := vgsvg.New(18*vg.Centimeter, 18*vg.Centimeter)
	edge := vg.Points(12)
	tiles := vgdraw.Tiles{Rows: len(plots), Cols: 1, PadTop: edge, PadBottom: edge, PadLeft: edge, PadRight: 2 * edge, PadY: vg.Points(20)}
	for i, cells := range plot.Align(plots, tiles, vgdraw.New(canvas)) {
		plots[i][0].Draw(cells[0])
	}
	file, err := os.Create(filepath.Clean(name))
	if err != nil {
		return fmt.Errorf("writing the plot: %w", err)
	}
	defer func() { err = cmp.Or(err, file.Close()) }()
	if _, err := canvas.WriteTo(file); err != nil {
		return fmt.Errorf("writing the plot: %w", err)
	}
	return nil
}

// add draws the medians of one cost as a line.
func add(p *plot.Plot, cost string, colour color.Color, runs []goals.Results) error {
	var points plotter.XYs
	for _, n := range sizesOf(runs) {
		if s := spreadOf(at(n, cost), nil, runs); s.runs > 0 {
			points = append(points, plotter.XY{X: float64(n), Y: s.median})
		}
	}
	if len(points) == 0 {
		return nil
	}
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return fmt.Errorf("drawing %s: %w", cost, err)
	}
	line.Color, line.Width = colour, vg.Points(1.4)
	dots.GlyphStyle = vgdraw.GlyphStyle{Color: colour, Radius: vg.Points(3), Shape: vgdraw.CircleGlyph{}}
	p.Add(line, dots)
	p.Legend.Add(cost, line, dots)
	return nil
}

// counts are ticks at the measured numbers.
type counts []int

// Ticks implements plot.Ticker.
func (c counts) Ticks(_, _ float64) []plot.Tick {
	var ticks []plot.Tick
	for _, n := range c {
		ticks = append(ticks, plot.Tick{Value: float64(n), Label: strconv.Itoa(n)})
	}
	return ticks
}
