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
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// startRefusedRetry is the longest pause after the API server refused a start.
const startRefusedRetry = 30 * time.Second

// retryRefused is the pause after the API server has refused a start for so long: as long again, from a second on.
// What refuses may pass in a moment, a quota that is full or a policy that is not loaded yet, or stay.
func retryRefused(since time.Duration) time.Duration {
	return min(max(since, time.Second), startRefusedRetry)
}

// refusals are the times at which the API server first refused the starts of jobs. A start may be late for other
// reasons: one that was due during an outage must not wait for as long again because something is not ready yet
// when the API server is back. The zero value is ready for use.
type refusals struct {
	mu    sync.Mutex
	first map[types.NamespacedName]time.Time
}

// pause is how long to wait after a refusal.
func (r *refusals) pause(key types.NamespacedName, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	first, again := r.first[key]
	if !again {
		if r.first == nil {
			r.first = map[types.NamespacedName]time.Time{}
		}
		r.first[key], first = now, now
	}
	return retryRefused(now.Sub(first))
}

// drop forgets a job that does not wait for its start any more.
func (r *refusals) drop(key types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.first, key)
}

// lacksRights says whether the API server does not know that we may start Jobs at all: it is back from an outage and
// has not read the roles yet, or they were taken away. What admission forbids it words in another way. Such a start is
// tried again as one that got no answer.
func lacksRights(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), `cannot patch resource "jobs"`)
}
