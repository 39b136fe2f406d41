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
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	update = flag.Bool("update", false, "write what the commands print into the documents")
	page   = flag.String("page", "", "write the HTML report of the example cluster to this file")
)

const repository = "../.."

// commandBlock is a block of a document that shows a command of the plugin and what it prints.
var commandBlock = regexp.MustCompile("(?ms)^```\n\\$ kubectl carbon ([^\n>|]*)\n(.*?)^```\n")

// The documents show what the commands really print, of the example cluster. `make docs-output`
// refreshes them.
func TestDocumentsShowWhatTheCommandsPrint(t *testing.T) {
	count := 0
	for _, name := range []string{"README.md", "docs/kubectl-carbon.md"} {
		file := filepath.Join(repository, name)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fresh := commandBlock.ReplaceAllStringFunc(string(text), func(block string) string {
			command := commandBlock.FindStringSubmatch(block)[1]
			if strings.HasPrefix(command, "replay ") {
				return block // replay_test.go has the data for it
			}
			count++
			args := strings.Fields(command)
			for i, arg := range args { // files are named as from the root of the repository
				if path, at, found := strings.Cut(arg, "="); found && i > 0 && args[i-1] == "--trace" {
					args[i] = path + "=" + filepath.Join(repository, at)
				} else if i > 0 && args[i-1] == "-f" {
					args[i] = filepath.Join(repository, arg)
				}
			}
			width := 80
			if args[0] == "report" {
				width = 120 // a table of many columns
			}
			out, err := run(t, width, example(), args...)
			if err != nil {
				t.Errorf("%s: kubectl carbon %s: %v", name, command, err)
			}
			return "```\n$ kubectl carbon " + command + "\n" + out + "```\n"
		})
		switch {
		case fresh == string(text):
		case *update:
			if err := os.WriteFile(file, []byte(fresh), 0o600); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("%s shows other output than the commands print: run make docs-output", name)
		}
	}
	if count < 5 {
		t.Errorf("only %d commands were found in the documents", count)
	}
	if *page != "" {
		html, err := run(t, 80, example(), "report", "-A", "-o", "html")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(*page, []byte(html), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
