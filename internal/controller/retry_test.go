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
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// An outage of hours must not make a job that was due wait for hours after it.
func TestRetriesStayClose(t *testing.T) {
	limiter := retries()
	item := reconcile.Request{NamespacedName: types.NamespacedName{Name: "x"}}
	if first := limiter.When(item); first > firstRetry {
		t.Errorf("the first retry comes after %s", first)
	}
	for range 1000 {
		if pause := limiter.When(item); pause > longestRetry {
			t.Fatalf("a retry comes after %s", pause)
		}
	}
}

// What refuses a start for a moment must not cost it half a minute.
func TestARefusedStartIsRetriedSoonAtFirst(t *testing.T) {
	for since, want := range map[time.Duration]time.Duration{
		-time.Second: time.Second, 0: time.Second, 3 * time.Second: 3 * time.Second, time.Hour: startRefusedRetry,
	} {
		if got := retryRefused(since); got != want {
			t.Errorf("a start that has been refused for %s is retried after %s, not %s", since, got, want)
		}
	}
}
