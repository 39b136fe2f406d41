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

// Package terminal writes tables and charts for people who sit at a terminal, and plain lines for
// programs that do not.
package terminal

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Table is a table whose numbers are aligned to the right.
type Table struct {
	// Header of every column.
	Header []string
	// Right says which columns are aligned to the right; the others are to the left.
	Right []bool
	// Rows have a cell for every column.
	Rows [][]string
	// Keys is how many columns say what a row is about; 0 is 1.
	Keys int
}

const columnGap = "  "

// Write prints the table as wide as it is. Characters that could move the cursor are shown as question
// marks, since cells may come from anywhere.
func (t *Table) Write(to io.Writer) error { return t.WriteFitting(to, 0) }

// WriteFitting prints the table in at most width characters (0: as wide as it is), where that can be:
// the last column is wrapped if it is a text; else the columns follow in groups one below the other,
// each with the keys.
func (t *Table) WriteFitting(to io.Writer, width int) error {
	var out bytes.Buffer
	lines, widths := t.lines()
	for i, columns := range t.groups(widths, width) {
		if i > 0 {
			fmt.Fprintln(&out)
		}
		for _, line := range lines {
			t.writeLine(&out, line, columns, widths, width)
		}
	}
	if _, err := to.Write(out.Bytes()); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}

// lines are the header and the rows as they are shown, with the width of every column.
func (t *Table) lines() (lines [][]string, widths []int) {
	widths = make([]int, len(t.Header))
	for _, row := range append([][]string{t.Header}, t.Rows...) {
		line := make([]string, len(row))
		for i, cell := range row {
			line[i] = Clean(cell)
			widths[i] = max(widths[i], utf8.RuneCountInString(line[i]))
		}
		lines = append(lines, line)
	}
	return lines, widths
}

// minWrapped is how wide a text is at least when it is wrapped.
const minWrapped = 20

// groups says which columns are shown beside each other.
func (t *Table) groups(widths []int, width int) [][]int {
	all := make([]int, len(widths))
	total := 0
	for i, w := range widths {
		all[i] = i
		total += w + len(columnGap)
	}
	total -= len(columnGap)
	last := len(widths) - 1
	if width <= 0 || total <= width || !t.right(last) && total-widths[last]+minWrapped <= width {
		return [][]int{all}
	}
	keys, keysWidth := all[:max(1, t.Keys)], -len(columnGap)
	for _, i := range keys {
		keysWidth += len(columnGap) + widths[i]
	}
	var groups [][]int
	used := width // no group has begun
	for _, i := range all[len(keys):] {
		if used += len(columnGap) + widths[i]; used > width {
			groups, used = append(groups, slices.Clone(keys)), keysWidth+len(columnGap)+widths[i]
		}
		group := &groups[len(groups)-1]
		*group = append(*group, i)
	}
	return groups
}

func (t *Table) right(column int) bool { return column < len(t.Right) && t.Right[column] }

func (t *Table) writeLine(out *bytes.Buffer, cells []string, columns, widths []int, width int) {
	var line strings.Builder
	at := 0
	for k, i := range columns {
		cell := cells[i]
		padding := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if k > 0 {
			line.WriteString(columnGap)
			at += len(columnGap)
		}
		switch {
		case t.right(i):
			line.WriteString(padding + cell)
		case i == len(widths)-1 && width > 0 && at+widths[i] > width:
			hang := "\n" + strings.Repeat(" ", at)
			line.WriteString(strings.ReplaceAll(Wrap(cell, max(minWrapped, width-at)), "\n", hang))
		default:
			line.WriteString(cell + padding)
		}
		at += widths[i]
	}
	fmt.Fprintln(out, strings.TrimRight(line.String(), " "))
}

// Clean shows what is not printable as question marks: a name or message must not be able to send
// control sequences to a terminal.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

// glue stands for a space at which no line is broken: a character that Clean lets nobody else use.
const glue = "\x00"

// Wrap breaks a text into lines of at most width characters (0: one line), between words; a longer word
// has a line of its own.
func Wrap(text string, width int) string {
	if width <= 0 {
		return text
	}
	var out strings.Builder
	column := 0
	text = strings.ReplaceAll(text, " %", glue+"%") // a number keeps its sign
	for i, word := range strings.Fields(text) {
		word = strings.ReplaceAll(word, glue, " ")
		length := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+length > width:
			out.WriteString("\n")
			column = 0
		default:
			out.WriteString(" ")
			column++
		}
		out.WriteString(word)
		column += length
	}
	return out.String()
}
