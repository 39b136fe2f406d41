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

package controller

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// sourceID is a source's name and a digest of what the spec says of it.
func sourceID(source *carbonv1alpha1.IntensitySource) string {
	text, _ := json.Marshal(source) // plain data
	digest := fnv.New64a()
	_, _ = digest.Write(text) // it never fails
	return fmt.Sprintf("%s-%016x", source.Name(), digest.Sum64())
}

// sourceIDs are those of the spec's source and its fallbacks.
func sourceIDs(spec *carbonv1alpha1.GridRegionSpec) []string {
	ids := []string{sourceID(&spec.Source)}
	for i := range spec.Fallbacks {
		ids = append(ids, sourceID(&spec.Fallbacks[i]))
	}
	return ids
}

// isSame says whether the region's status was made from the same sources as the spec has now, up to the
// given place in the chain.
func isSame(region *carbonv1alpha1.GridRegion, place int) bool {
	was, is := region.Status.Sources, sourceIDs(&region.Spec)
	return place < min(len(was), len(is)) && slices.Equal(was[:place+1], is[:place+1])
}

// stillHas says whether what the region's status remembers of the source of the given name is from one
// that its spec still has.
func stillHas(region *carbonv1alpha1.GridRegion, name string) bool {
	is, found := sourceIDs(&region.Spec), false
	for _, was := range region.Status.Sources {
		if strings.HasPrefix(was, name+"-") {
			found = true
			if !slices.Contains(is, was) {
				return false
			}
		}
	}
	return found
}
