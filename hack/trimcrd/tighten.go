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

const (
	// quantity is what every resource.Quantity can be parsed from. The generated pattern lets more
	// through, such as "1e1.5": a client in Go cannot read such an object, nor any list with it.
	quantity = `^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,3})?$`

	// The bounds of an intstr.IntOrString's number; the generated schema has none.
	minInt32 = -1 << 31
	maxInt32 = 1<<31 - 1
)

// labels is the field of ours that holds labels; the generator has no marker for the values of a map.
const labels = "nodeSelector"

// boundLabels lets a map have values of labels only.
func boundLabels(schema any) {
	fields, _ := schema.(map[string]any)
	if values, isMap := fields["additionalProperties"].(map[string]any); isMap {
		values["maxLength"], values["pattern"] = 63, `^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$`
	}
}

// uniqueToUs are the lists in which Kubernetes itself takes two items with the same key. Held to be
// maps, they would make us refuse a Job that it accepts.
var uniqueToUs = map[string]bool{"env": true, "ports": true, "hostAliases": true, "imagePullSecrets": true}

// tighten makes the schema accept what our types can be read from, and nothing else.
func tighten(node any) {
	switch node := node.(type) {
	case map[string]any:
		if node["x-kubernetes-int-or-string"] == true {
			if _, isQuantity := node["pattern"]; isQuantity {
				node["pattern"] = quantity
			} else {
				node["minimum"], node["maximum"] = minInt32, maxInt32
			}
		}
		for _, child := range node {
			tighten(child)
		}
	case []any:
		for _, child := range node {
			tighten(child)
		}
	}
}

// loosen finds the properties in uniqueToUs and makes plain lists of them.
func loosen(node any) {
	switch node := node.(type) {
	case map[string]any:
		for name, child := range node {
			schema, isSchema := child.(map[string]any)
			if isSchema && uniqueToUs[name] && schema["x-kubernetes-list-type"] == "map" {
				schema["x-kubernetes-list-type"] = "atomic"
				delete(schema, "x-kubernetes-list-map-keys")
			}
			loosen(child)
		}
	case []any:
		for _, child := range node {
			loosen(child)
		}
	}
}
