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

package policy

import (
	"hash/fnv"
	"time"
)

// Phase is a whole number of seconds in [0, width) that depends on nothing but the UID, evenly
// spread over UIDs. It is 0 for a width below two seconds.
func Phase(uid string, width time.Duration) time.Duration {
	seconds := int64(width / time.Second)
	if seconds < 2 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(uid)) // a hash never fails to write
	positive := int64(mix(h.Sum64()) >> 1)
	return time.Duration(positive%seconds) * time.Second
}

// mix spreads the bits of a hash (the finalizer of MurmurHash3): FNV alone leaves similar UIDs with
// similar remainders.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// phaseOf is the phase of a job in a region.
func phaseOf(r Request, region Region) time.Duration { return Phase(r.UID, phaseWidth(r, region)) }

// phaseWidth is how far starts of jobs that wait for the same slot are spread: over the slot, or the part
// of it in which starts are counted, or the jitter, and not over more than a job may wait at all.
func phaseWidth(r Request, region Region) time.Duration {
	width := min(region.Estimate.Series.Step, r.MaxDelay)
	if region.Room != nil {
		width = min(width, region.Room.part)
	}
	if r.Jitter != nil {
		width = min(width, *r.Jitter)
	}
	return width
}
