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
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

var fieldRow = regexp.MustCompile("(?m)^\\| `((?:spec|status)[^`]*)` \\|")

// Each kind's page has every field, condition and reason of the kind, and none that there is not.
func TestThePageOfEachKind(t *testing.T) {
	for kind, stop := range map[string]string{"carbonawarejob": "spec.jobTemplate", "carbonbudget": "", "gridregion": "spec.placement."} {
		page := read(t, filepath.Join(root, "docs", kind+".md"))
		if yaml, field := strings.Index(page, "```yaml"), strings.Index(page, "| Field"); yaml < 0 || yaml > field {
			t.Errorf("docs/%s.md does not begin with an example", kind)
		}
		there := fieldsOf(t, kind, stop)
		told := map[string]bool{}
		for _, row := range fieldRow.FindAllStringSubmatch(page, -1) {
			told[row[1]] = true
			if _, is := there[row[1]]; !is {
				t.Errorf("docs/%s.md has the field %s, which there is not", kind, row[1])
			}
		}
		for field := range there {
			if !told[field] {
				t.Errorf("docs/%s.md lacks the field %s", kind, field)
			}
		}
		if len(there) < 20 {
			t.Errorf("%s has only %d fields: is the walk still right?", kind, len(there))
		}
		count := 0
		for name, value := range words(t, filepath.Join(root, "api/v1alpha1", kind+"_conditions.go")) {
			count++
			if !strings.Contains(page, "`"+value+"`") && !regexp.MustCompile(`(?m)^### .*\b`+value+`\b`).MatchString(page) {
				t.Errorf("docs/%s.md does not explain %s (%s)", kind, value, name)
			}
		}
		if count < 8 {
			t.Errorf("only %d conditions and reasons of %s were found", count, kind)
		}
	}
}

// fieldsOf walks the schema of a kind; what lies below stop is Kubernetes' own.
func fieldsOf(t *testing.T, kind, stop string) map[string]apiextensionsv1.JSONSchemaProps {
	t.Helper()
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join(root, "config/crd/bases/carbon.ecotracker.dev_"+kind+"s.yaml"))), &crd); err != nil {
		t.Fatal(err)
	}
	there := map[string]apiextensionsv1.JSONSchemaProps{}
	var walk func(path string, schema apiextensionsv1.JSONSchemaProps)
	walk = func(path string, schema apiextensionsv1.JSONSchemaProps) {
		there[path] = schema
		if path == stop || path == "status.conditions" || stop != "" && strings.HasPrefix(path, stop) && strings.HasSuffix(stop, ".") {
			return
		}
		for name, child := range schema.Properties {
			walk(path+"."+name, child)
		}
		if schema.Items != nil && schema.Items.Schema != nil {
			for name, child := range schema.Items.Schema.Properties {
				walk(path+"[]."+name, child)
			}
		}
	}
	schema := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	walk("spec", schema.Properties["spec"])
	walk("status", schema.Properties["status"])
	return there
}

// kubectl explain shows no defaults, so that the descriptions have to tell them.
func TestDescriptionsTellTheDefaults(t *testing.T) {
	found := 0
	for _, kind := range []string{"carbonawarejob", "carbonbudget", "gridregion"} {
		for path, schema := range fieldsOf(t, kind, "spec.jobTemplate") {
			if schema.Default == nil || schema.Type == "object" {
				continue
			}
			found++
			if says := "Unset means " + strings.Trim(string(schema.Default.Raw), `"`); !strings.Contains(schema.Description, says) {
				t.Errorf("%s: the description of %s lacks %q", kind, path, says)
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d fields with a default were found", found)
	}
}

// words are the string constants of a Go file, by name.
func words(t *testing.T, file string) map[string]string {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				found[spec.Names[0].Name] = strings.Trim(literal.Value, `"`)
			}
		}
		return true
	})
	return found
}
