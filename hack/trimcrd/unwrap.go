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

import "regexp"

// lineBreak is one inside a paragraph: a list and an empty line keep theirs.
var lineBreak = regexp.MustCompile(`([^\n])\n([^\n\s*-])`)

// unwrap joins the lines of every description to paragraphs, because kubectl explain wraps them itself
// and would otherwise break each line twice.
func unwrap(node any) {
	switch node := node.(type) {
	case map[string]any:
		if text, ok := node["description"].(string); ok {
			node["description"] = lineBreak.ReplaceAllString(text, "$1 $2")
		}
		for _, child := range node {
			unwrap(child)
		}
	case []any:
		for _, child := range node {
			unwrap(child)
		}
	}
}
