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
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
)

// podReading is what the status of a metered pod tells.
type podReading struct {
	uid types.UID
	// started says that the meter, and so the job's containers, may have run.
	started bool
	// ended says that the pod has ended, or is gone.
	ended bool
	// counted says that the pod carries the mark that its numbers are on record.
	counted bool
	// report is the last that the meter handed over; nil for none. It is final if lost is empty.
	report *meter.Report
	// lost says why there are no final numbers; empty when there are, or none were due.
	lost string
}

// readPod reads the status of a pod; gone says that the pod was deleted, and this is its last state.
func readPod(pod *corev1.Pod, gone bool) podReading {
	reading := podReading{
		uid:     pod.UID,
		ended:   gone || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed,
		counted: pod.Annotations[carbonv1alpha1.AnnotationCounted] == "true",
	}
	sidecar := meterStatus(pod)
	last := sidecar.LastTerminationState.Terminated
	reading.started = sidecar.State.Running != nil || sidecar.State.Terminated != nil || last != nil
	if last != nil {
		reading.report = parseReport(last.Message)
	}
	if !reading.ended || !reading.started {
		return reading
	}
	if end := sidecar.State.Terminated; end != nil {
		if report := parseReport(end.Message); report != nil {
			reading.report = report
			if report.Lost {
				reading.lost = "a meter could not read its counts after a restart"
			}
			return reading
		}
	}
	reading.lost = whyLost(pod, gone)
	return reading
}

// meterStatus is the status of the pod's meter; an empty one while it has none.
func meterStatus(pod *corev1.Pod) corev1.ContainerStatus {
	for _, c := range pod.Status.InitContainerStatuses {
		if c.Name == meterContainer {
			return c
		}
	}
	return corev1.ContainerStatus{}
}

// parseReport is the report in a termination message; nil for none.
func parseReport(message string) *meter.Report {
	report, err := meter.ParseReport([]byte(message))
	if err != nil {
		return nil
	}
	return report
}

// whyLost says what became of a pod that ended without a word of its meter.
func whyLost(pod *corev1.Pod, gone bool) string {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue && c.Reason != "" {
			return c.Reason
		}
	}
	switch {
	case pod.Status.Reason != "":
		return pod.Status.Reason
	case gone:
		return "deleted"
	}
	return "no report"
}
