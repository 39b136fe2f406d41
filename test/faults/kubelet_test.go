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

package faults

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// runFor is the pod annotation that says how long a pod runs; without it not at all, and it succeeds
// at once. With runUntil it runs until there is a ConfigMap of that name in its namespace. It fails
// instead with failAnnotation.
const (
	runFor         = "faults/run-for"
	runUntil       = "faults/run-until"
	failAnnotation = "faults/fail"
)

// kubelet plays the kubelets: it lets pods run and end. It goes on whatever happens to the API
// server, and pods that are not ended yet are looked at again and again.
type kubelet struct {
	api    client.Client
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func startKubelet(config *rest.Config) *kubelet {
	ctx, cancel := context.WithCancel(context.Background())
	config = rest.CopyConfig(config)
	config.Timeout = 10 * time.Second // it must not hang on a paused API server
	k := &kubelet{api: clientOf(config), cancel: cancel}
	k.done.Go(func() {
		ticker := time.NewTicker(200 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				k.pass(ctx)
			}
		}
	})
	return k
}

func (k *kubelet) stop() {
	k.cancel()
	k.done.Wait()
}

// pass ends the pods whose time is up. Errors do not matter: the next pass comes soon.
func (k *kubelet) pass(ctx context.Context) {
	var pods corev1.PodList
	if k.api.List(ctx, &pods, client.MatchingFields{"status.phase": string(corev1.PodPending)}) != nil {
		return
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		length, err := time.ParseDuration(pod.Annotations[runFor])
		if err == nil && time.Since(pod.CreationTimestamp.Time) < length {
			continue
		}
		if name := pod.Annotations[runUntil]; name != "" && k.api.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: name}, &corev1.ConfigMap{}) != nil {
			continue
		}
		before := pod.DeepCopy()
		pod.Status.Phase = corev1.PodSucceeded
		if pod.Annotations[failAnnotation] != "" {
			pod.Status.Phase = corev1.PodFailed
		}
		_ = k.api.Status().Patch(ctx, pod, client.MergeFrom(before))
	}
}
