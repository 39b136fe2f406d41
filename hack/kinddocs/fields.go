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
	"fmt"
	"maps"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// foreign are fields of Kubernetes' own types, which its own reference explains.
var foreign = map[string]bool{
	"spec.jobTemplate": true, "status.conditions": true, "spec.placement.tolerations": true, "spec.placement.env": true,
}

// fields is the table of all fields of spec and status, in the order of their names.
func fields(schema *apiextensionsv1.JSONSchemaProps) string {
	var out strings.Builder
	out.WriteString("| Field | Type | Meaning |\n|---|---|---|\n")
	for _, part := range []string{"spec", "status"} {
		props := schema.Properties[part]
		row(&out, part, &props, slices.Contains(schema.Required, part))
		children(&out, part, &props)
	}
	return out.String()
}

func children(out *strings.Builder, path string, schema *apiextensionsv1.JSONSchemaProps) {
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		child, at := schema.Properties[name], path+"."+name
		row(out, at, &child, slices.Contains(schema.Required, name))
		if foreign[at] {
			continue
		}
		children(out, at, &child)
		if child.Items != nil && child.Items.Schema != nil {
			children(out, at+"[]", child.Items.Schema)
		}
	}
}

func row(out *strings.Builder, path string, schema *apiextensionsv1.JSONSchemaProps, required bool) {
	what := []string{typeOf(schema)}
	if required {
		what = append(what, "required")
	}
	if schema.Default != nil {
		what = append(what, "default "+strings.Trim(string(schema.Default.Raw), `"`))
	}
	what = append(what, bounds(schema)...)
	meaning := strings.Join(strings.Fields(schema.Description), " ")
	fmt.Fprintf(out, "| `%s` | %s | %s |\n", path, cell(strings.Join(what, ", ")), cell(meaning))
}

func typeOf(schema *apiextensionsv1.JSONSchemaProps) string {
	switch {
	case len(schema.Enum) > 0:
		values := []string{}
		for _, value := range schema.Enum {
			values = append(values, strings.Trim(string(value.Raw), `"`))
		}
		return strings.Join(values, " or ")
	case schema.XIntOrString:
		return "quantity"
	case schema.Type == "array" && schema.Items != nil && schema.Items.Schema != nil:
		return "list of " + typeOf(schema.Items.Schema) + "s"
	case schema.Type == "object" && schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil:
		return "map of " + typeOf(schema.AdditionalProperties.Schema) + "s"
	case schema.Format == "date-time":
		return "time"
	}
	return schema.Type
}

// bounds are the limits that a person may run into.
func bounds(schema *apiextensionsv1.JSONSchemaProps) []string {
	var out []string
	switch {
	case schema.Minimum != nil && schema.Maximum != nil:
		out = append(out, fmt.Sprintf("%.0f to %.0f", *schema.Minimum, *schema.Maximum))
	case schema.Minimum != nil:
		out = append(out, fmt.Sprintf("at least %.0f", *schema.Minimum))
	}
	if schema.MaxItems != nil {
		out = append(out, fmt.Sprintf("at most %d", *schema.MaxItems))
	}
	return out
}

// cell keeps a text from ending its cell of the table, or from being read as HTML.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(text)
}
