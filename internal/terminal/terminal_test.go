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
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func chart(slots int) *Chart {
	c := &Chart{Start: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), Step: 30 * time.Minute, Unit: "g/kWh", Mark: "greenest"}
	for i := range slots {
		c.Values = append(c.Values, 200+100*math.Sin(float64(i)/8))
		c.Marked = append(c.Marked, i == slots/2)
	}
	return c
}

func draw(t *testing.T, c *Chart, s Screen) []string {
	t.Helper()
	var out bytes.Buffer
	if err := c.Write(&out, s); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func TestChartsFitTheScreen(t *testing.T) {
	for _, width := range []int{40, 80, 200} {
		for _, slots := range []int{1, 24, 96, 600} {
			c := chart(slots)
			c.Marked[slots-1] = true // what explains the marks must fit beside the last one
			lines := draw(t, c, Screen{Width: width})
			widest := 0
			for _, line := range lines {
				widest = max(widest, utf8.RuneCountInString(line))
				if strings.Contains(line, "\x1b") {
					t.Errorf("%d columns, %d slots: a colour on a screen without", width, slots)
				}
			}
			if widest > width || slots >= 96 && widest < width*3/4 {
				t.Errorf("%d slots on %d columns are %d wide", slots, width, widest)
			}
		}
	}
}

func TestTheTallestColumnReachesTheTopAndZeroIsEmpty(t *testing.T) {
	c := &Chart{Step: time.Hour, Values: []float64{0, 100, 50, math.NaN()}}
	lines := draw(t, c, Screen{Width: 11})
	top, middle, bottom := lines[1], lines[5], lines[chartRows]
	if !strings.HasSuffix(top, "│ █  ") || !strings.HasSuffix(middle, "│ ██ ") || !strings.HasSuffix(bottom, "│ ██?") {
		t.Errorf("got %q, %q, %q", top, middle, bottom)
	}
}

func TestMarkedColumnsAreGreenAndHaveAMark(t *testing.T) {
	c := chart(48)
	colored := strings.Join(draw(t, c, Screen{Width: 80, Color: true}), "\n")
	if !strings.Contains(colored, green) || !strings.Contains(colored, "▲  greenest") {
		t.Errorf("got\n%s", colored)
	}
}

func TestTicksAreEverySixHours(t *testing.T) {
	lines := strings.Join(draw(t, chart(96), Screen{Width: 80}), "\n")
	for _, want := range []string{"12:00", "18:00", "Wed 25", "06:00", "Thu 26"} {
		if !strings.Contains(lines, want) {
			t.Errorf("there is no %s below\n%s", want, lines)
		}
	}
}

func TestSparkline(t *testing.T) {
	if got := Sparkline([]float64{0, 50, 100, math.NaN()}, 10); got != "▁▅█?" {
		t.Errorf("got %s", got)
	}
}

func TestTableAlignsAndCleans(t *testing.T) {
	table := Table{Header: []string{"NAME", "N"}, Right: []bool{false, true}, Rows: [][]string{{"a\x1b[31m", "1"}, {"long-name-é", "1,000"}}}
	var out bytes.Buffer
	if err := table.Write(&out); err != nil {
		t.Fatal(err)
	}
	want := "NAME             N\na?[31m           1\nlong-name-é  1,000\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestWrap(t *testing.T) {
	if got := Wrap("one two three-is-long four", 9); got != "one two\nthree-is-long\nfour" {
		t.Errorf("got %q", got)
	}
}

func TestScreen(t *testing.T) {
	env := map[string]string{"COLUMNS": "132"}
	s, err := ScreenOf(&bytes.Buffer{}, "auto", func(k string) string { return env[k] })
	if err != nil || s.Width != 132 || s.Charts || s.Color {
		t.Errorf("a pipe is %+v, %v", s, err)
	}
	if s, _ = ScreenOf(&bytes.Buffer{}, "always", func(string) string { return "" }); !s.Charts || s.Width != 80 {
		t.Errorf("always is %+v", s)
	}
	if _, err = ScreenOf(&bytes.Buffer{}, "maybe", func(string) string { return "" }); err == nil {
		t.Error("maybe is no mode")
	}
}

func TestATableFitsTheScreen(t *testing.T) {
	numbers := &Table{
		Header: []string{"TEAM", "REGION", "G", "KWH", "COST"}, Right: []bool{false, false, true, true, true}, Keys: 2,
		Rows: [][]string{{"nlp", "gb", "123456", "1.5", "10"}, {"vision", "de", "5", "22.25", "7"}},
	}
	texts := &Table{Header: []string{"WHEN", "MESSAGE"}, Rows: [][]string{{"10:00", "started Job nightly in gb, 43 % below now"}, {"11:00", "done"}}}
	for name, c := range map[string]struct {
		table *Table
		width int
		want  string
	}{
		"room enough": {numbers, 35, `TEAM    REGION       G    KWH  COST
nlp     gb      123456    1.5    10
vision  de           5  22.25     7
`},
		"groups with their keys": {numbers, 34, `TEAM    REGION       G    KWH
nlp     gb      123456    1.5
vision  de           5  22.25

TEAM    REGION  COST
nlp     gb        10
vision  de         7
`},
		"a text is wrapped": {texts, 30, `WHEN   MESSAGE
10:00  started Job nightly in
       gb, 43 % below now
11:00  done
`},
		"no limit": {texts, 0, `WHEN   MESSAGE
10:00  started Job nightly in gb, 43 % below now
11:00  done
`},
	} {
		var out bytes.Buffer
		if err := c.table.WriteFitting(&out, c.width); err != nil || out.String() != c.want {
			t.Errorf("%s: %v\n%s", name, err, out.String())
		}
	}
}
