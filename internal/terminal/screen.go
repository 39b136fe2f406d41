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
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// Screen is where output goes.
type Screen struct {
	// Width in characters.
	Width int
	// Charts says whether a person looks at it, so that charts make sense.
	Charts bool
	// Color says whether it shows colours.
	Color bool
	// Wide says that tables and texts may be wider than the screen.
	Wide bool
}

const (
	defaultWidth = 80
	minWidth     = 40
)

// ScreenOf finds out where output goes. Charts are drawn on a terminal, or always or never, as mode
// (auto, always, never) says; colours are used on a terminal unless NO_COLOR is set. The width is the
// terminal's, else that of COLUMNS, else 80.
func ScreenOf(out io.Writer, mode string, env func(string) string) (Screen, error) {
	s := Screen{Width: defaultWidth}
	if columns, err := strconv.Atoi(env("COLUMNS")); err == nil && columns > 0 {
		s.Width = columns
	}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		s.Charts, s.Color = true, env("NO_COLOR") == "" && env("TERM") != "dumb"
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			s.Width = width
		}
	}
	s.Width = max(s.Width, minWidth)
	switch mode {
	case "auto":
	case "always":
		s.Charts = true
	case "never":
		s.Charts = false
	default:
		return s, fmt.Errorf("--chart: %q is not one of auto, always, never", mode)
	}
	return s, nil
}

// Limit is how wide texts and tables may be: as wide as the screen where a person looks, else 0, for as
// wide as they are.
func (s Screen) Limit() int {
	if s.Charts && !s.Wide {
		return s.Width
	}
	return 0
}
