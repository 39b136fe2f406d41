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
	"math"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// maxRuns is how many run intervals status keeps; see JobStatus.Runs.
const maxRuns = 32

// observe takes over what the Job's status says of the run.
func (s *scope) observe() {
	status := s.caj.Status.Job
	if status == nil {
		return
	}
	switch {
	case s.jobGone:
		// When the Job ended is not known any more: it did not outlive this moment.
		s.closeRun(s.now)
		return
	case s.job == nil:
		return
	}
	if isStartIssued(s.job) {
		s.observeStart(status)
	}
	if start := s.job.Status.StartTime; start != nil {
		if status.StartTime == nil {
			status.StartTime = start
		}
		s.openRun(*start)
	}
	if finished := finishedCondition(s.job); finished != nil {
		end := finishTime(s.job, finished)
		s.closeRun(end)
		status.CompletionTime = timePointer(end)
		s.countPods()
		return
	}
	if !s.job.DeletionTimestamp.IsZero() {
		s.closeRun(s.job.DeletionTimestamp.Time)
		s.countPods()
		return
	}
	if paused := suspendedSince(s.job); !paused.IsZero() {
		s.closeRun(paused)
		if isStopped(s.job) {
			status.CompletionTime = timePointer(paused)
			s.countPods()
		}
	}
}

// observeStart takes over where the Job was started, and with which model.
func (s *scope) observeStart(status *carbonv1alpha1.JobStatus) {
	record := startRecordOf(s.job)
	status.Region = record.Region
	if record.Model == "" {
		return
	}
	if s.caj.Status.Model == nil {
		s.caj.Status.Model = &carbonv1alpha1.ModelStatus{}
	}
	s.caj.Status.Model.Requested, s.caj.Status.Model.Effective = record.RequestedModel, record.Model
}

// countPods notes how the pods of a Job ended that is over: those that still run are lost.
func (s *scope) countPods() {
	counts := s.job.Status
	s.caj.Status.Job.Succeeded = new(max(0, counts.Succeeded))
	s.caj.Status.Job.Lost = new(max(0, counts.Failed+counts.Active))
}

// openRun notes that the Job runs since start. An open run with another start was paused and
// resumed unseen; it ended before the new start.
func (s *scope) openRun(start metav1.Time) {
	runs := s.caj.Status.Job.Runs
	if n := len(runs); n > 0 {
		if runs[n-1].Start.Equal(&start) {
			return
		}
		s.closeRun(start.Time)
	}
	runs = append(runs, carbonv1alpha1.RunInterval{Start: start})
	if len(runs) > maxRuns {
		runs = joinNearest(runs)
	}
	s.caj.Status.Job.Runs = runs
}

// joinNearest joins the two runs with the shortest pause between them, so that the least is counted
// that was none. The last run is left alone: it is known by its start.
func joinNearest(runs []carbonv1alpha1.RunInterval) []carbonv1alpha1.RunInterval {
	nearest, shortest := 0, time.Duration(math.MaxInt64)
	for i := range len(runs) - 2 {
		if pause := runs[i+1].Start.Sub(runs[i].End.Time); pause < shortest {
			nearest, shortest = i, pause
		}
	}
	runs[nearest].End = runs[nearest+1].End
	return slices.Delete(runs, nearest+1, nearest+2)
}

func (s *scope) closeRun(end time.Time) {
	runs := s.caj.Status.Job.Runs
	if n := len(runs); n > 0 && runs[n-1].End == nil {
		if end.Before(runs[n-1].Start.Time) {
			end = runs[n-1].Start.Time
		}
		runs[n-1].End = timePointer(end)
	}
}

// finishTime is when the pods of a finished Job had ended.
func finishTime(job *batchv1.Job, finished *batchv1.JobCondition) time.Time {
	if job.Status.CompletionTime != nil {
		return job.Status.CompletionTime.Time
	}
	return finished.LastTransitionTime.Time
}

// suspendedSince is when the Job controller suspended the Job; zero while it is not suspended.
func suspendedSince(job *batchv1.Job) time.Time {
	if !isSuspended(job) {
		return time.Time{}
	}
	for _, c := range job.Status.Conditions {
		if c.Type == batchv1.JobSuspended && c.Status == corev1.ConditionTrue {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}
