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
	"maps"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// departed keeps the last states of metered pods that were deleted, until they are on record: no cache
// shows them any more. It is filled by watch, while this process leads. What was deleted while nobody
// watched is missed, and counts as lost. What nobody waits for is dropped: pods go long after their run
// is on record, and anyone may give a pod our label.
type departed struct {
	mutex sync.Mutex
	pods  map[types.NamespacedName]map[types.UID]departedPod
}

// departedPod is the last state of a pod, and the Job that it belonged to.
type departedPod struct {
	podReading
	job types.UID
}

// jobOfPod is the CarbonAwareJob of a metered pod.
func jobOfPod(pod *corev1.Pod) types.NamespacedName {
	return types.NamespacedName{Namespace: pod.Namespace, Name: pod.Labels[carbonv1alpha1.LabelMeter]}
}

// note keeps the last state of a pod that belonged to a Job.
func (d *departed) note(pod *corev1.Pod) {
	owner := metav1.GetControllerOf(pod)
	if owner == nil {
		return
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	key := jobOfPod(pod)
	if d.pods == nil {
		d.pods = map[types.NamespacedName]map[types.UID]departedPod{}
	}
	if d.pods[key] == nil {
		d.pods[key] = map[types.UID]departedPod{}
	}
	d.pods[key][pod.UID] = departedPod{readPod(pod, true), owner.UID}
}

// of are the pods of a Job that are not on record yet. Those of another one, such as an earlier one of that
// name, are dropped.
func (d *departed) of(key types.NamespacedName, job types.UID) []podReading {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	var readings []podReading
	for _, uid := range slices.Sorted(maps.Keys(d.pods[key])) {
		if pod := d.pods[key][uid]; pod.job == job {
			readings = append(readings, pod.podReading)
		} else {
			delete(d.pods[key], uid)
		}
	}
	d.tidy(key)
	return readings
}

// forget drops pods that are on record.
func (d *departed) forget(key types.NamespacedName, readings []podReading) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for _, r := range readings {
		delete(d.pods[key], r.uid)
	}
	d.tidy(key)
}

// drop forgets the pods of a job that waits for none.
func (d *departed) drop(key types.NamespacedName) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	delete(d.pods, key)
}

func (d *departed) tidy(key types.NamespacedName) {
	if len(d.pods[key]) == 0 {
		delete(d.pods, key)
	}
}

func (d *departed) count() (n int) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for _, pods := range d.pods {
		n += len(pods)
	}
	return n
}
