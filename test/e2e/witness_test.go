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

package e2e

import (
	"context"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// witness watches the Jobs of a namespace from before the first one exists, and remembers every UID
// and every time a Job went from suspended to not suspended.
type witness struct {
	mu        sync.Mutex
	uids      map[types.UID]bool
	suspended map[types.UID]bool
	starts    int
}

func newWitness(ctx context.Context, namespace string) *witness {
	GinkgoHelper()
	w := &witness{uids: map[types.UID]bool{}, suspended: map[types.UID]bool{}}
	watching, err := cluster.Watch(ctx, &batchv1.JobList{}, client.InNamespace(namespace))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(watching.Stop)
	go func() {
		for event := range watching.ResultChan() {
			if job, ok := event.Object.(*batchv1.Job); ok && event.Type != watch.Deleted {
				w.see(job)
			}
		}
	}()
	return w
}

func (w *witness) see(job *batchv1.Job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	suspended := ptr.Deref(job.Spec.Suspend, false)
	if !suspended && (w.suspended[job.UID] || !w.uids[job.UID]) {
		w.starts++
	}
	w.uids[job.UID], w.suspended[job.UID] = true, suspended
}

// counts are the Job UIDs and the starts seen so far.
func (w *witness) counts() (jobs, starts int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.uids), w.starts
}
