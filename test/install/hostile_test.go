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

package install

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// hostileJobs is how many objects the hostile namespace gets; HOSTILE sets it, to 10000 for the figures of
// docs/security.md.
func hostileJobs() int {
	if text := os.Getenv("HOSTILE"); text != "" {
		n, err := strconv.Atoi(text)
		Expect(err).NotTo(HaveOccurred())
		return n
	}
	return 600
}

// newCluster is a client for the administrator.
func newCluster() client.WithWatch {
	GinkgoHelper()
	log.SetLogger(GinkgoLogr)
	scheme := runtime.NewScheme()
	Expect(batchv1.AddToScheme(scheme)).To(Succeed())
	Expect(carbonv1alpha1.AddToScheme(scheme)).To(Succeed())
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	return c
}

// empty is a job that starts at once, without pods, so that only the operator and the API server work.
func empty(namespace, name string, mounts ...corev1.VolumeMount) *carbonv1alpha1.CarbonAwareJob {
	return build.CarbonAwareJob(name, namespace).Regions("steady").MaxDelay(0).Jitter(0).Template(func(t *batchv1.JobTemplateSpec) {
		t.Spec.Parallelism = ptr.To[int32](0)
		t.Spec.Template.Spec.Containers[0].VolumeMounts = mounts
	}).Obj()
}

// start is how long a job took from its creation until its Job was started, and how many Jobs of the hostile namespace
// were made before its own was.
type start struct {
	took   time.Duration
	passed int64
}

// starts makes jobs in the namespace quiet, one after the other as long as it is told to.
func starts(ctx context.Context, c client.WithWatch, prefix string, more func(n int) bool) (all []start) {
	GinkgoHelper()
	watching, err := c.Watch(ctx, &batchv1.JobList{}, client.InNamespace("quiet"))
	Expect(err).NotTo(HaveOccurred())
	defer watching.Stop()
	for n := 0; more(n); n++ {
		name, s := fmt.Sprintf("%s-%d", prefix, n), start{passed: -countJobs(ctx, c, "hostile")}
		begin, started := time.Now(), false
		Expect(c.Create(ctx, empty("quiet", name))).To(Succeed())
		for event := range watching.ResultChan() {
			job, ok := event.Object.(*batchv1.Job)
			if !ok || job.Name != name {
				continue
			}
			if event.Type == watch.Added {
				s.passed += countJobs(ctx, c, "hostile")
			}
			if started = !ptr.Deref(job.Spec.Suspend, false); started {
				break
			}
		}
		Expect(started).To(BeTrue(), "the watch ended before the start of %s", name)
		s.took = time.Since(begin)
		all = append(all, s)
	}
	return all
}

// told is the median and the longest of the times.
func told(all []start) string {
	slices.SortFunc(all, func(a, b start) int { return int(a.took - b.took) })
	return fmt.Sprintf("median %s, longest %s, of %d", all[len(all)/2].took.Round(time.Millisecond), all[len(all)-1].took.Round(time.Millisecond), len(all))
}

// countJobs is how many Jobs a namespace has, of which the API server sends but one.
func countJobs(ctx context.Context, c client.Client, namespace string) int64 {
	GinkgoHelper()
	jobs := &metav1.PartialObjectMetadataList{}
	jobs.SetGroupVersionKind(batchv1.SchemeGroupVersion.WithKind("JobList"))
	Expect(c.List(ctx, jobs, client.InNamespace(namespace), client.Limit(1))).To(Succeed())
	return int64(len(jobs.Items)) + ptr.Deref(jobs.RemainingItemCount, 0)
}

var _ = Describe("A hostile namespace", Ordered, func() {
	It("does not keep another one waiting", func(ctx context.Context) {
		beginEmpty(ctx)
		install(ctx)
		sh(ctx, "kubectl create namespace hostile; kubectl create namespace quiet; kubectl create -f - <<'END'\n%s\nEND",
			`{apiVersion: carbon.ecotracker.dev/v1alpha1, kind: GridRegion, metadata: {name: steady}, spec: {source: {static: {gramsPerKWh: "100"}}}}`)
		m := startManager(ctx)
		sh(ctx, "kubectl wait --for=condition=Ready gridregion/steady --timeout=3m")
		c := newCluster()
		without := starts(ctx, c, "before", func(n int) bool { return n < 20 })

		total := hostileJobs()
		By(fmt.Sprintf("making %d objects there while the operator sleeps: every third has a template that no Job may have", total))
		m.Pause()
		flood(ctx, c, total)
		By("making jobs elsewhere while it works on them")
		m.Resume()
		begin, wanted := time.Now(), int64(total-(total+2)/3)
		with := starts(ctx, c, "during", func(n int) bool {
			return n == 0 || countJobs(ctx, c, "hostile") < wanted && time.Since(begin) < 15*time.Minute
		})
		first := with[0]
		AddReportEntry("delays", fmt.Sprintf("%d objects for %s\nwithout: %s\nwith: %s\n%d of %d passed the first one by",
			total, time.Since(begin).Round(time.Second), told(without), told(with), first.passed, wanted), ReportEntryVisibilityAlways)
		sh(ctx, "kubectl delete namespace hostile quiet --timeout=10m") // one by one the jobs take minutes
		sh(ctx, "kubectl delete -f dist/install.yaml --ignore-not-found --timeout=5m")
		// In the order of arrival all of them would.
		Expect(first.passed).To(BeNumerically("<", wanted/2))
	}, NodeTimeout(25*time.Minute))
})

// flood makes the objects of the hostile namespace.
func flood(ctx context.Context, c client.Client, total int) {
	var writers sync.WaitGroup
	names := make(chan int, total)
	for i := range total {
		names <- i
	}
	close(names)
	for range 10 {
		writers.Go(func() {
			defer GinkgoRecover()
			for i := range names {
				var mounts []corev1.VolumeMount
				if i%3 == 0 {
					mounts = []corev1.VolumeMount{{Name: "missing", MountPath: "/x"}}
				}
				Expect(c.Create(ctx, empty("hostile", fmt.Sprintf("h-%d", i), mounts...))).To(Succeed())
			}
		})
	}
	writers.Wait()
}
