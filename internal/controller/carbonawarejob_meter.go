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
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

const (
	// lateReport is how long after a run the last states of its pods may be on their way.
	lateReport = 10 * time.Second
	// slowEnd is how long pods may take to end after their run: the node may be gone.
	slowEnd = 5 * time.Minute
	// slowDeletion is the same for a Job that is being deleted, which must not be kept for long.
	slowDeletion = 45 * time.Second
	// crowded is how many pods status remembers before those on record are marked and dropped from it,
	// maxPods how many at most; see MeterStatus.Pods.
	crowded, maxPods = 32, 64
)

// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch;patch

// meteredPod is a pod and what its status tells.
type meteredPod struct {
	*corev1.Pod
	podReading
}

// followMeters takes over what the meters of the job's pods handed over, each pod's numbers once, and tells
// those that run what is decided.
func (r *CarbonAwareJobReconciler) followMeters(ctx context.Context, s *scope) error {
	key := client.ObjectKeyFromObject(s.caj)
	if !s.awaitsPods() {
		r.departed.drop(key)
		return nil
	}
	if s.meterSettled() {
		return nil // no run of it is known yet
	}
	pods, err := r.meteredPods(ctx, s)
	if err != nil {
		return err
	}
	s.pods, s.departed = pods, r.departed.of(key, s.caj.Status.Job.UID)
	if s.caj.Status.Meter == nil && (len(s.pods) > 0 || len(s.departed) > 0 || s.isOver()) {
		s.caj.Status.Meter = &carbonv1alpha1.MeterStatus{}
	}
	if s.caj.Status.Meter == nil {
		return nil
	}
	s.countMetered()
	s.watchLimit()
	if s.isOver() {
		s.settleMeter()
		return nil
	}
	return r.tellMeters(ctx, s)
}

// meteredPods are the pods of the Job that there are. Once the run is over the API server itself is
// asked: what the cache does not show then would count as lost.
func (r *CarbonAwareJobReconciler) meteredPods(ctx context.Context, s *scope) ([]meteredPod, error) {
	var reader client.Reader = r.Client
	if s.isOver() {
		reader = r.APIReader
	}
	var list corev1.PodList
	err := reader.List(ctx, &list, client.InNamespace(s.caj.Namespace), client.MatchingLabels{carbonv1alpha1.LabelMeter: s.caj.Name})
	if err != nil {
		return nil, fmt.Errorf("listing the pods with a meter: %w", err)
	}
	var pods []meteredPod
	for i := range list.Items {
		pod := &list.Items[i]
		if owner := metav1.GetControllerOf(pod); owner != nil && owner.UID == s.caj.Status.Job.UID {
			pods = append(pods, meteredPod{pod, readPod(pod, false)})
		}
	}
	slices.SortFunc(pods, func(a, b meteredPod) int { // those that may have used their share already come first
		if a.started != b.started {
			if a.started {
				return -1
			}
			return 1
		}
		if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
			return c
		}
		return strings.Compare(string(a.UID), string(b.UID))
	})
	return pods, nil
}

// isOver says whether no pod of the run will come any more.
func (s *scope) isOver() bool {
	if s.jobGone || s.finished() {
		return true
	}
	return s.job != nil && (finishedCondition(s.job) != nil || !s.job.DeletionTimestamp.IsZero() ||
		isStopped(s.job) && !suspendedSince(s.job).IsZero())
}

// awaitsPods says whether pods with a meter may run, or have numbers that are not on record.
func (s *scope) awaitsPods() bool {
	return isMetered(s.caj) && s.caj.Status.Job != nil && s.started() && (s.caj.Status.Meter == nil || s.caj.Status.Meter.SettledAt == nil)
}

// meterSettled says whether no numbers of meters are waited for.
func (s *scope) meterSettled() bool {
	return !isMetered(s.caj) || s.caj.Status.Job == nil || len(s.caj.Status.Job.Runs) == 0 ||
		s.caj.Status.Meter != nil && s.caj.Status.Meter.SettledAt != nil
}

// countMetered adds the numbers of pods that have ended to status, and remembers them, so that none
// counts twice. Pods that run are remembered too: those that are never heard of again are lost.
func (s *scope) countMetered() {
	s.dropMarked()
	readings := slices.Clone(s.departed)
	for _, p := range s.pods {
		readings = append(readings, p.podReading)
	}
	m := s.caj.Status.Meter
	for _, reading := range readings {
		i := slices.IndexFunc(m.Pods, func(p carbonv1alpha1.MeteredPod) bool { return p.UID == reading.uid })
		if reading.counted || i >= 0 && m.Pods[i].State == carbonv1alpha1.MeteredPodCounted || !reading.started && !reading.ended {
			continue
		}
		if i < 0 {
			if len(m.Pods) >= maxPods {
				s.wakeAt(s.now.Add(lateReport)) // there is room once others are marked
				continue
			}
			m.Pods = append(m.Pods, carbonv1alpha1.MeteredPod{UID: reading.uid, State: carbonv1alpha1.MeteredPodRunning})
			i = len(m.Pods) - 1
		}
		if reading.ended {
			m.Pods[i].State = carbonv1alpha1.MeteredPodCounted
			s.addReport(reading.report)
			s.addPod(reading.lost)
		}
	}
}

// addPod counts a pod that has ended as read or as lost.
func (s *scope) addPod(lost string) {
	m := s.caj.Status.Meter
	if lost == "" {
		m.PodsRead++
		return
	}
	m.PodsLost++
	if reasons := strings.Split(m.LostBecause, ", "); !slices.Contains(reasons, lost) && len(m.LostBecause)+len(lost) < 200 {
		m.LostBecause = strings.TrimPrefix(m.LostBecause+", "+lost, ", ")
	}
}

// dropMarked makes room in status: pods that carry the mark that they are on record, and those that are
// gone, need not be remembered. Nothing is dropped while there is room, so that this costs no write.
func (s *scope) dropMarked() {
	m := s.caj.Status.Meter
	if len(m.Pods) <= crowded {
		return
	}
	unmarked := map[types.UID]bool{}
	for _, p := range s.pods {
		unmarked[p.uid] = !p.counted
	}
	for _, d := range s.departed {
		unmarked[d.uid] = true
	}
	m.Pods = slices.DeleteFunc(m.Pods, func(p carbonv1alpha1.MeteredPod) bool {
		return p.State == carbonv1alpha1.MeteredPodCounted && !unmarked[p.UID]
	})
}
