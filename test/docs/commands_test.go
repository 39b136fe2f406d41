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

package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A block of commands, or of commands and what they print, with the comment above it:
//
//	tested: docs     TestTheCommandsOfTheDocuments runs it
//	tested: NAME     the tests of test/install run it by that name
//	tested by: FILES the files have each of its commands
//	not run: REASON
var (
	fenced    = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	marker    = regexp.MustCompile(`<!-- (tested|tested by|not run): (.+?) -->\s*$`)
	isCommand = regexp.MustCompile(`(?m)^(?:    )?(?:\$ )?(?:kubectl|make|go|git|kind|docker|helm|curl|jq|cosign|bin/\S+|hack/\S+) \S`)
)

// commandBlock is a block of commands of a document.
type commandBlock struct {
	file, text, marker, about string
}

func TestEveryCommandIsRunOrSaysWhyNot(t *testing.T) {
	count, tested := map[string]int{}, map[string]commandBlock{}
	for _, block := range commandBlocks(t) {
		count[block.marker]++
		if block.marker == "tested" && block.about != "docs" {
			// The test takes them from one document: what another one has must be the same.
			if other, found := tested[block.about]; found && other.text != block.text {
				t.Errorf("%s and %s both say that their commands are %q, but they are not the same", other.file, block.file, block.about)
			}
			tested[block.about] = block
		}
		switch {
		case strings.HasPrefix(block.text, "$ kubectl carbon ") && block.marker == "":
			// cmd/kubectl-carbon runs these, and compares what they print.
		case block.marker == "":
			t.Errorf("%s: above these commands stands neither <!-- tested: docs -->, <!-- tested by: FILE --> nor <!-- not run: REASON -->:\n%s", block.file, block.text)
		case block.marker == "tested by":
			testedBy(t, block)
		case block.marker == "tested" && block.about != "docs":
			if !strings.Contains(goFiles(t, "test/install")+read(t, filepath.Join(root, ".github/workflows/ci.yml")), block.about) {
				t.Errorf("%s: no test runs the commands %q", block.file, block.about)
			}
		}
	}
	if count["tested"] < 12 || count["not run"] < 5 {
		t.Errorf("found only %v: are the patterns still right?", count)
	}
}

// testedBy fails when the files that a block names have not each of its commands.
func testedBy(t *testing.T, block commandBlock) {
	t.Helper()
	text := ""
	for file := range strings.SplitSeq(block.about, ", ") {
		content, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Errorf("%s: %v", block.file, err)
			return
		}
		text += string(content)
	}
	for line := range strings.Lines(block.text) {
		if !isCommand.MatchString(line) {
			continue
		}
		words := strings.Fields(line)
		command := words[0] + " " + words[1]
		if !regexp.MustCompile(`(?m)\b` + regexp.QuoteMeta(command) + `(?:[^\w-]|$)`).MatchString(text) {
			t.Errorf("%s: %s has no %q", block.file, block.about, command)
		}
	}
}

// commandBlocks are the blocks of all documents that have a command in them, in their order.
func commandBlocks(t *testing.T) []commandBlock {
	t.Helper()
	var blocks []commandBlock
	for _, name := range find(t, ".md") {
		text := read(t, name)
		for _, at := range fenced.FindAllStringSubmatchIndex(text, -1) {
			language, inside := text[at[2]:at[3]], text[at[4]:at[5]]
			if language != "sh" && (language != "" || !strings.HasPrefix(inside, "$ ")) {
				continue
			}
			block := commandBlock{file: name, text: inside}
			if m := marker.FindStringSubmatch(text[:at[0]]); m != nil {
				block.marker, block.about = m[1], m[2]
			}
			blocks = append(blocks, block)
		}
		// Commands in an indented block have no place for a language, so only a comment can be above.
		rest := fenced.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat("\n", strings.Count(s, "\n")) })
		for _, at := range regexp.MustCompile(`(?m)(?:^    .*\n)+`).FindAllStringIndex(rest, -1) {
			if inside := rest[at[0]:at[1]]; isCommand.MatchString(inside) {
				block := commandBlock{file: name, text: inside}
				if m := marker.FindStringSubmatch(rest[:at[0]]); m != nil {
					block.marker, block.about = m[1], m[2]
				}
				blocks = append(blocks, block)
			}
		}
	}
	return blocks
}

func goFiles(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no Go files in %s: %v", folder, err)
	}
	var all strings.Builder
	for _, file := range files {
		all.WriteString(read(t, file))
	}
	return all.String()
}
