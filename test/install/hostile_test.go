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
	"sync/atomic"
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
	return 300
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

// starts makes jobs in the namespace quiet, one after the other as long as it is told to. It returns how long each
// took from its creation until its Job was started, and how many of the hostile namespace were dealt with meanwhile.
func starts(ctx context.Context, c client.WithWatch, prefix string, hostile *atomic.Int64, more func(n int) bool) (took []time.Duration, passed []int64) {
	GinkgoHelper()
	watching, err := c.Watch(ctx, &batchv1.JobList{}, client.InNamespace("quiet"))
	Expect(err).NotTo(HaveOccurred())
	defer watching.Stop()
	for n := 0; more(n); n++ {
		name, begin, before := fmt.Sprintf("%s-%d", prefix, n), time.Now(), hostile.Load()
		Expect(c.Create(ctx, empty("quiet", name))).To(Succeed())
		for event := range watching.ResultChan() {
			if job, ok := event.Object.(*batchv1.Job); ok && job.Name == name && !ptr.Deref(job.Spec.Suspend, false) {
				break
			}
		}
		took, passed = append(took, time.Since(begin)), append(passed, hostile.Load()-before)
	}
	slices.Sort(took)
	slices.Sort(passed)
	return took, passed
}

// countJobs counts the Jobs that are created in a namespace from now on.
func countJobs(ctx context.Context, c client.WithWatch, namespace string) *atomic.Int64 {
	GinkgoHelper()
	jobs := &metav1.PartialObjectMetadataList{}
	jobs.SetGroupVersionKind(batchv1.SchemeGroupVersion.WithKind("JobList"))
	watching, err := c.Watch(ctx, jobs, client.InNamespace(namespace))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(watching.Stop)
	count := &atomic.Int64{}
	go func() {
		for event := range watching.ResultChan() {
			if event.Type == watch.Added {
				count.Add(1)
			}
		}
	}()
	return count
}

// workers of the operator, each of which may have a hostile job in its hands when a quiet one comes: 32 plan, 50 start.
const workers = 82

var _ = Describe("A hostile namespace", Ordered, func() {
	It("does not keep another one waiting", func(ctx context.Context) {
		beginEmpty(ctx)
		install(ctx)
		sh(ctx, "kubectl create namespace hostile; kubectl create namespace quiet; kubectl create -f - <<'END'\n%s\nEND",
			`{apiVersion: carbon.ecotracker.dev/v1alpha1, kind: GridRegion, metadata: {name: steady}, spec: {source: {static: {gramsPerKWh: "100"}}}}`)
		startManager(ctx)
		sh(ctx, "kubectl wait --for=condition=Ready gridregion/steady --timeout=3m")
		c := newCluster()
		hostile := countJobs(ctx, c, "hostile")
		without, _ := starts(ctx, c, "before", hostile, func(n int) bool { return n < 20 })

		total := hostileJobs()
		By(fmt.Sprintf("making %d objects there: every third has a template that no Job may have", total))
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
		begin, wanted := time.Now(), int64(total-(total+2)/3)
		with, passed := starts(ctx, c, "during", hostile, func(int) bool { // while the operator has anything to do there
			return hostile.Load() < wanted && time.Since(begin) < 15*time.Minute
		})
		writers.Wait()
		Expect(passed).NotTo(BeEmpty(), "the flood was over before the first job")
		AddReportEntry("delays", fmt.Sprintf("%d objects for %s\nwithout: median %s, longest %s, of %d\nwith: median %s, longest %s, of %d\npassed by: median %d, at most %d of %d",
			total, time.Since(begin).Round(time.Second), median(without).Round(time.Millisecond), without[len(without)-1], len(without),
			median(with).Round(time.Millisecond), with[len(with)-1], len(with), median(passed), passed[len(passed)-1], hostile.Load()), ReportEntryVisibilityAlways)
		sh(ctx, "kubectl delete carbonawarejobs --all --all-namespaces --timeout=10m; kubectl delete namespace hostile quiet --timeout=10m")
		sh(ctx, "kubectl delete -f dist/install.yaml --ignore-not-found --timeout=5m")
		// In the order of arrival, half of what came before would pass a job by, in the median.
		Expect(median(passed)).To(BeNumerically("<=", workers))
	}, NodeTimeout(20*time.Minute))
})

func median[T any](sorted []T) T { return sorted[len(sorted)/2] }
