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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// However often a job is paused, status stays small, the run it is in is known, and what is counted too
// much is the shortest pauses.
func TestRunsOfAJobThatIsPausedOften(t *testing.T) {
	s := &scope{caj: &carbonv1alpha1.CarbonAwareJob{}}
	s.caj.Status.Job = &carbonv1alpha1.JobStatus{}
	start := noon
	for i := range maxRuns + 3 {
		s.openRun(metav1.NewTime(start))
		s.openRun(metav1.NewTime(start)) // seen again
		end := start.Add(10 * time.Minute)
		if i < maxRuns+2 {
			s.closeRun(end)
		}
		pause := time.Hour
		if i == 4 || i == 9 || i == 20 {
			pause = time.Duration(i) * time.Second
		}
		start = end.Add(pause)
	}
	runs := s.caj.Status.Job.Runs
	if len(runs) != maxRuns || runs[maxRuns-1].End != nil || runs[0].Start.Time != noon {
		t.Fatalf("got %d runs: %v", len(runs), runs)
	}
	counted := time.Duration(0)
	for _, r := range runs[:maxRuns-1] {
		counted += r.End.Sub(r.Start.Time)
	}
	if want := (maxRuns+2)*10*time.Minute + (4+9+20)*time.Second; counted != want {
		t.Errorf("%s are counted, want %s", counted, want)
	}
}
